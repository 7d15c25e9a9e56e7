from __future__ import annotations

import pytest

from labs.emulator.values import plain_type


@pytest.mark.parametrize(
    ("spec", "text", "canonical"),
    [
        ("uint8", "007", "7"),
        ("int8", "-128", "-128"),
        ("uint16 20..65535", "20", "20"),
        ("decimal64 2", "125000", "125000.0"),
        ("decimal64 2", "1.50", "1.5"),
        ("decimal64 2 0.01..", "0.01", "0.01"),
        ("ipv4-prefix", "192.0.2.77/24", "192.0.2.0/24"),
        ("ipv6-prefix", "2001:DB8:0::1/48", "2001:db8::/48"),
        ("ipv4-address", "192.0.2.7", "192.0.2.7"),
        ("mac-address", "AA:BB:CC:00:11:22", "aa:bb:cc:00:11:22"),
        ("bits syn ack", "ack syn", "syn ack"),
        ("enum eq neq", "neq", "neq"),
        ("boolean", "true", "true"),
        ("empty", "", ""),
        ("string 1..3", " a ", " a "),
    ],
)
def test_canonical_forms(spec: str, text: str, canonical: str) -> None:
    assert plain_type(spec).canonical(text) == canonical


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("uint8", "256"),
        ("uint8", "six"),
        ("int8", "-129"),
        ("uint16 20..65535", "19"),
        ("decimal64 2", "0.001"),
        ("decimal64 2", "NaN"),
        ("decimal64 2", "fast"),
        ("decimal64 2 0.01..", "0"),
        ("ipv4-prefix", "192.0.2.7"),
        ("ipv4-prefix", "2001:db8::/32"),
        ("ipv4-prefix", "192.0.2.0/33"),
        ("ipv6-address", "192.0.2.7"),
        ("mac-address", "aa:bb"),
        ("bits syn ack", "syn rst"),
        ("enum eq neq", "lt"),
        ("boolean", "True"),
        ("empty", "x"),
        ("string 1..3", "four"),
        ("string 1..3", ""),
    ],
)
def test_what_a_type_refuses(spec: str, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        plain_type(spec).canonical(text)


def test_an_unknown_type_is_an_error_of_the_table() -> None:
    with pytest.raises(ValueError, match="uint9"):
        plain_type("uint9")
