"""Leaf values: each YANG type as a function from text to its canonical form (RFC 7950 section 9)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from .tree import Prefixes

Canonical = Callable[[str], str]
_INTEGERS = {f"{sign}int{bits}": bits for bits in (8, 16, 32, 64) for sign in ("u", "")}
_MAC = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}")


@dataclass(frozen=True, slots=True)
class LeafType:
    """How a leaf's text is read.

    Attributes:
        name: the type as the table spells it, for messages.
        canonical: text to canonical text; raises ValueError.
        identities: for an identityref, `{namespace}name` to (canonical text, bindings); in a union with another type
            `canonical` reads that, else it is `str`.
        target: for a leafref, the Clark names down to the leaf it must equal.
        up: for a relative leafref, how many levels above the leaf `target` starts; 0 is the root.
        number: whether its values sort as whole numbers.
    """

    name: str
    canonical: Canonical
    identities: Mapping[str, tuple[str, Prefixes]] | None = None
    target: tuple[str, ...] = ()
    up: int = 0
    number: bool = False


def _boolean(text: str) -> str:
    if text not in {"true", "false"}:
        raise ValueError("must be true or false")
    return text


def _empty(text: str) -> str:
    if text:
        raise ValueError("must be empty")
    return ""


def _mac(text: str) -> str:
    if not _MAC.fullmatch(text):
        raise ValueError("must be six hexadecimal pairs")
    return text.lower()


def _prefix(version: int) -> Canonical:
    def read(text: str) -> str:
        if "/" not in text:
            raise ValueError("must have a prefix length")
        network = ipaddress.ip_network(text, strict=False)
        if network.version != version:
            raise ValueError(f"must be an IPv{version} prefix")
        return str(network)

    return read


def _address(version: int) -> Canonical:
    def read(text: str) -> str:
        address = ipaddress.ip_address(text)
        if address.version != version:
            raise ValueError(f"must be an IPv{version} address")
        return str(address)

    return read


def _interface_address(version: int) -> Canonical:
    def read(text: str) -> str:
        if "/" not in text:
            raise ValueError("must have a prefix length")
        address = ipaddress.ip_interface(text)
        if address.version != version:
            raise ValueError(f"must be an IPv{version} address with its prefix length")
        return str(address)

    return read


def _either(first: Canonical, second: Canonical) -> Canonical:
    def read(text: str) -> str:
        try:
            return first(text)
        except ValueError:
            return second(text)

    return read


def _pattern(spec: str) -> Canonical:
    expression = re.compile(spec)

    def read(text: str) -> str:
        if not expression.fullmatch(text):
            raise ValueError(f"must match {spec}")
        return text

    return read


def _union(members: list[LeafType]) -> Canonical:
    def read(text: str) -> str:
        for member in members:
            try:
                return member.canonical(text)
            except ValueError:
                continue
        raise ValueError("is of none of the union's types")

    return read


def _bounds(spec: str, low: int, high: int) -> tuple[int, int]:
    first, _, last = spec.partition("..")
    return (int(first) if first else low, int(last or first) if spec else high)


def _integer(kind: str, spec: str) -> Canonical:
    bits = _INTEGERS[kind]
    unsigned = kind.startswith("u")
    floor, ceiling = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    low, high = _bounds(spec, floor, ceiling)

    def read(text: str) -> str:
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise ValueError("must be a whole number")
        if not low <= int(text) <= high:
            raise ValueError(f"must lie between {low} and {high}")
        return str(int(text))

    return read


def _string(spec: str) -> Canonical:
    low, high = _bounds(spec, 0, 2**31)

    def read(text: str) -> str:
        if not low <= len(text) <= high:
            raise ValueError(f"must be {low} to {high} characters long")
        return text

    return read


def _decimal(digits: int, spec: str) -> Canonical:
    least = Decimal(spec.partition("..")[0] or "-Infinity")

    def read(text: str) -> str:
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise ValueError("must be a decimal number") from None
        if not number.is_finite() or number != round(number, digits):
            raise ValueError(f"must have at most {digits} digits after the point")
        if number < least:
            raise ValueError(f"must be at least {least}")
        whole, _, fraction = f"{number:.{digits}f}".partition(".")
        return f"{whole}.{fraction.rstrip('0') or '0'}"

    return read


def _words(allowed: list[str], *, many: bool) -> Canonical:
    def read(text: str) -> str:
        given = text.split() if many else [text]
        if wrong := [word for word in given if word not in allowed]:
            raise ValueError(f"{wrong[0]!r} is none of {', '.join(allowed)}")
        return " ".join(word for word in allowed if word in given)

    return read


_PLAIN: dict[str, Canonical] = {
    "boolean": _boolean,
    "empty": _empty,
    "mac-address": _mac,
    "ipv4-prefix": _prefix(4),
    "ipv6-prefix": _prefix(6),
    "ipv4-address": _address(4),
    "ipv6-address": _address(6),
    "ip-address": _either(_address(4), _address(6)),
    "ip-prefix": _either(_prefix(4), _prefix(6)),
    "ipv4-address-prefix": _interface_address(4),
    "ipv6-address-prefix": _interface_address(6),
}


def plain_type(spec: str) -> LeafType:
    """The type that a table's words mean: `uint8 0..63`, `enum eq neq`, `string 1..64`, `union uint8 | enum tcp udp`.

    Raises:
        ValueError: no such type.
    """
    name, *arguments = spec.split()
    if name in _PLAIN:
        return LeafType(spec, _PLAIN[name])
    if name in _INTEGERS:
        return LeafType(spec, _integer(name, arguments[0] if arguments else ""), number=True)
    if name not in _MADE:
        raise ValueError(f"no such leaf type: {spec!r}")
    return LeafType(spec, _MADE[name](spec.removeprefix(name).strip()))


def _decimal_type(rest: str) -> Canonical:
    digits, _, least = rest.partition(" ")
    return _decimal(int(digits), least)


def _union_type(rest: str) -> Canonical:
    return _union([plain_type(member.strip()) for member in rest.split(" | ")])


_MADE: dict[str, Callable[[str], Canonical]] = {
    "string": _string,
    "pattern": _pattern,
    "union": _union_type,
    "decimal64": _decimal_type,
    "enum": lambda rest: _words(rest.split(), many=False),
    "bits": lambda rest: _words(rest.split(), many=True),
}
