"""Short ways to write Junos configurations in tests."""

from __future__ import annotations

from secloop_ai.dialects.junos.names import XNM

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
TEN = (
    "<policer><name>TEN</name><if-exceeding><bandwidth-limit>10m</bandwidth-limit><burst-size-limit>625k"
    "</burst-size-limit></if-exceeding><then><discard/></then></policer>"
)


def term(name: str, then: str, conditions: str = "", marks: str = "") -> str:
    """A term; `then` holds the actions."""
    matched = f"<from>{conditions}</from>" if conditions else ""
    return f"<term{marks}><name>{name}</name>{matched}<then>{then}</then></term>"


def filter_(name: str, *terms: str, marks: str = "") -> str:
    """A filter."""
    return f"<filter{marks}><name>{name}</name>{''.join(terms)}</filter>"


def unit(port: str, inet: str | None = "", inet6: str | None = None, *, inside: str = "") -> str:
    """An interface with one unit; a family's text is what hangs there, None for a unit without the family."""
    name, _, number = port.partition(".")
    families = "".join(
        f"<{tag}><filter>{held}</filter></{tag}>" if held else f"<{tag}/>"
        for tag, held in (("inet", inet), ("inet6", inet6))
        if held is not None
    )
    body = f"<unit><name>{number}</name>{inside}<family>{families}</family></unit>"
    return f"<interface><name>{name}</name>{body}</interface>"


def single(name: str, side: str = "input") -> str:
    """One filter attached."""
    return f"<{side}><filter-name>{name}</filter-name></{side}>"


def listed(*names: str, side: str = "input") -> str:
    """Several filters attached, in order."""
    return "".join(f"<{side}-list>{name}</{side}-list>" for name in names)


def config(filters: str = "", units: str = "", others: str = "", *, more: str = "", uri: str = XNM) -> str:
    """The ``<data>`` element; `filters` are IPv4's, `more` stands beside the families, `others` beside all."""
    wall = f"<firewall><family><inet>{filters}</inet></family>{more}</firewall>" if filters or more else ""
    body = f"<interfaces>{units}</interfaces>{others}{wall}"
    return f'<data xmlns="{BASE}"><configuration xmlns="{uri}">{body}</configuration></data>'
