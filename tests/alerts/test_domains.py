"""Names out of attacker-controlled text: only what parses, and only as much as an action could be about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from secloop_ai.alerts import summarise
from secloop_ai.alerts.domains import FREIGHT, domain
from secloop_ai.contracts import DOMAIN_LIMIT, DnsSinkhole, Domain

from .events import event, write

STRICT: TypeAdapter[str] = TypeAdapter(Domain)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("evil.example", "evil.example"),
        ("EVIL.Example.", "evil.example"),
        ("a-b.c1.example", "a-b.c1.example"),
        (f"{'5e' * 25}.t.lure.example", "t.lure.example"),
        (f"{'a' * 50}.{'b' * 50}.t.lure.example", "t.lure.example"),
        (f"{'a' * FREIGHT}.example.com", "example.com"),
        (f"{'a' * (FREIGHT - 1)}.example.com", f"{'a' * (FREIGHT - 1)}.example.com"),
        (f"{'a' * 30}.co.uk", f"{'a' * 30}.co.uk"),
        (f"{'a' * 30}.{'b' * 30}.co.uk", f"{'b' * 30}.co.uk"),
    ],
)
def test_a_name_is_what_parses_as_one(text: str, name: str) -> None:
    assert domain(text) == name
    assert STRICT.validate_python(name) == name


@pytest.mark.parametrize(
    "text",
    ["", ".", "localhost", "10.0.0.1", "[2001:db8::1]", "evil.example:8080", "-a.example", "a-.example", "a..example",
     "evil.example\n", "evil.example\x00", "évil.example", "{{ 7*7 }}.example", "$(id).example", "a b.example",
     "a_b.example",
     f"{'a' * 64}.example", ".".join(["abc"] * 64) + ".example", "evil.example..", "*.example"],
)  # fmt: skip
def test_everything_else_is_none(text: str) -> None:
    assert domain(text) is None


@given(st.text(max_size=300))
def test_whatever_is_taken_for_a_name_is_one_an_action_can_take(text: str) -> None:
    if (name := domain(text)) is not None:
        assert DnsSinkhole(ttl_s=300, host="ns", name=name).name == name


@given(st.from_regex(r"([a-z0-9-]{1,30}\.){1,5}[a-z]{2,6}", fullmatch=True))
def test_what_is_left_is_an_end_of_what_was_said(text: str) -> None:
    name = domain(text)
    assert name is None or text.endswith(name)
    try:
        STRICT.validate_python(text)
    except ValidationError:
        assert name is None


def domains(tmp_path: Path, *events: dict[str, Any]) -> tuple[str, ...]:
    path = write(tmp_path / "eve.json", *events)
    (found,), report = summarise(path)
    assert report.bad == 0
    return found.domains


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ({"dns": {"query": [{"rrname": "a.example", "rrtype": "TXT"}]}}, ("a.example",)),
        ({"dns": {"version": 3, "queries": [{"rrname": "b.example"}]}}, ("b.example",)),
        ({"dns": {"type": "query", "rrname": "c.example"}}, ("c.example",)),
        ({"tls": {"sni": "d.example"}}, ("d.example",)),
        ({"http": {"hostname": "e.example", "url": "/f.example"}}, ("e.example",)),
        ({"http": {"hostname": "10.0.0.1"}}, ()),
        ({"dns": "g.example"}, ()),
        ({"dns": {"query": {"rrname": "h.example"}}, "tls": {"sni": "i.example"}}, ("i.example",)),
        ({"dns": {"query": [{"rrname": ["j.example"]}]}}, ()),
        ({"tls": {"sni": None}, "http": {"hostname": 7}}, ()),
    ],
)
def test_where_suricata_writes_names(tmp_path: Path, section: dict[str, Any], found: tuple[str, ...]) -> None:
    assert domains(tmp_path, event(**section)) == found


def test_a_summary_keeps_the_first_few_names_once_each(tmp_path: Path) -> None:
    events = [event(dns={"query": [{"rrname": f"n{n // 2}.example"}]}) for n in range(60)]
    assert domains(tmp_path, *events) == tuple(f"n{n}.example" for n in range(DOMAIN_LIMIT))


def test_the_pieces_of_a_tunnel_are_one_name(tmp_path: Path) -> None:
    events = [event(dns={"query": [{"rrname": f"{n:040x}.t.lure.example"}]}) for n in range(30)]
    assert domains(tmp_path, *events) == ("t.lure.example",)
