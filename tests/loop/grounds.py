"""For every dialect the first configuration of its emulated device, with mitigations that fit it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from ipaddress import ip_network
from itertools import cycle
from typing import NamedTuple

from lxml import etree

from labs.emulator.schema import DATA
from secloop_ai.contracts import AdminOp, DeviceOperation, DialectError, DiscardOp, FilterOp, TaggedOp
from secloop_ai.dialects import dialect, known
from tests.dialects.making import ONE, TWO, rule, tagged

ATTACKER, NEIGHBOUR, SERVER = "203.0.113.66/32", "203.0.113.65/32", "192.0.2.10/32"


class Ground(NamedTuple):
    """A configuration, what is to hold on it, and the same with other rules under the same marks."""

    data: str
    held: list[TaggedOp]
    otherwise: list[TaggedOp]


@cache
def ground(name: str) -> Ground | None:
    """None where the dialect, or the data of its emulated device, is not there."""
    path = DATA / f"{name}-initial.xml"
    if name not in known() or not path.exists():
        return None
    root = etree.parse(path).getroot()
    root.tag = "{urn:ietf:params:xml:ns:netconf:base:1.0}data"
    data = etree.tostring(root, encoding="unicode")
    model = dialect(name).parse(data)
    ports = [i.name for i in model.interfaces]
    places = list(dict.fromkeys([*(a.interface for a in model.attachments), *ports]))
    rest: list[DeviceOperation] = [AdminOp(interface=ports[-1]), DiscardOp(prefix=ip_network(ATTACKER))]
    held, otherwise = (_taken(name, data, ONE, _filters(places, source))[:2] for source in (ATTACKER, NEIGHBOUR))
    return Ground(data, [*held, *_taken(name, data, TWO, rest)], otherwise)


def _filters(places: Sequence[str], source: str) -> list[DeviceOperation]:
    """A block at every other place, and the block of one service at the others."""
    web = rule("drop", source=source, destination=SERVER, protocol=6, destination_port={"low": 443, "high": 443})
    rules = cycle([[rule("drop", source=source)], [web]])
    return [
        FilterOp.model_validate({"interface": place, "direction": "ingress", "family": 4, "rules": held})
        for place, held in zip(places, rules, strict=False)
    ]


def _taken(name: str, data: str, tag: str, wanted: Sequence[DeviceOperation]) -> list[TaggedOp]:
    """The operations that the dialect can put there."""
    found: list[TaggedOp] = []
    for op in wanted:
        with suppress(DialectError):
            dialect(name).apply(data, tagged(tag, op))
            found += tagged(tag, op)
    return found
