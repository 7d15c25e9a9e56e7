"""Reviewed documents of every dialect: what is sent for each action, and what takes it away again.

``golden/<dialect>/running.xml`` is written by hand: a device whose second interface (``PLAY.interfaces[1]``) has ACLs
of its operator, IPv4 and IPv6, on its ingress, each with free numbers before its first entry; the first has none.
``<case>.edit.xml`` and ``<case>.inverse.xml`` are made by
``SECLOOP_UPDATE_GOLDEN=1 pytest tests/dialects/test_golden.py``, and then read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from secloop_ai.contracts import CATALOGUE, AdminOp, DiscardOp, FilterOp, Plane, TaggedOp

from .making import filtered, rule, tagged
from .properties import play_of

ROOT = Path(__file__).parent / "golden"
ONE, TWO = "3fa2b1c4d5-0", "9c01d2e3f4-1"
ATTACKER = {4: "203.0.113.66/32", 6: "2001:db8:66::66/128"}
SERVER = {4: "10.0.2.10/32", 6: "2001:db8:2::10/128"}
CLIENTS = {4: "10.0.1.0/24", 6: "2001:db8:1::/64"}
RATE_BYTES_PER_S = 12_500.0
NETWORK_ACTIONS = tuple(name for name, action in CATALOGUE.items() if action.spec.plane is Plane.NETWORK)


def dialects() -> list[str]:
    """Dialects with reviewed documents of this kind."""
    return sorted(path.parent.name for path in ROOT.glob("*/running.xml"))


def cases(name: str) -> dict[str, list[TaggedOp]]:
    """Operations of every action and family that the dialect has a model for, by case."""
    play = play_of(name)
    bare, edge, _ = play.interfaces
    wanted = {**_filters(bare, edge), **_others(bare)}
    return {
        case: ops
        for case, ops in wanted.items()
        if action_of(case) in play.dialect.needs and all(play.takes(r) for r in _rules(ops))
    }


def action_of(case: str) -> str:
    """The action a case is of."""
    return next((a for a in NETWORK_ACTIONS if case.startswith(a)), "block_ip")


def running(name: str) -> str:
    """The configuration the cases start from."""
    return (ROOT / name / "running.xml").read_text(encoding="utf-8")


def laid_out(body: str | None) -> str:
    """The body of ``<config>`` to be read."""
    root = etree.fromstring(f"<config>{body or ''}</config>".encode())
    etree.indent(root)
    return etree.tostring(root, encoding="unicode") + "\n"


def reviewed(name: str, document: str, made: str) -> str:
    """The reviewed document; with SECLOOP_UPDATE_GOLDEN set, the made one is kept as such first."""
    path = ROOT / name / document
    if os.environ.get("SECLOOP_UPDATE_GOLDEN"):
        path.write_text(made, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def _rules(ops: list[TaggedOp]) -> Iterator[Any]:
    for tagged_op in ops:
        if isinstance(tagged_op.op, FilterOp):
            yield from tagged_op.op.rules


def _filters(bare: str, edge: str) -> Mapping[str, list[TaggedOp]]:
    found: dict[str, list[TaggedOp]] = {}
    for family in (4, 6):
        attacker, server, clients = ATTACKER[family], SERVER[family], CLIENTS[family]
        ssh = {"protocol": 6, "destination": server, "destination_port": {"low": 22, "high": 22}}
        web = {"protocol": 6, "destination": server, "destination_port": {"low": 8000, "high": 8080}}
        block = rule("drop", source=attacker)
        restrict = (rule("permit", source=clients, **ssh), rule("drop", **ssh))
        limit = rule("permit", rate_bytes_per_s=RATE_BYTES_PER_S, **web)
        named = {
            "block_ip": [filtered(bare, "ingress", family, block)],
            "block_ip_edge": [filtered(edge, "ingress", family, block)],
            "block_flow": [filtered(edge, "ingress", family, rule("drop", source=attacker, **web))],
            "rate_limit": [filtered(bare, "egress", family, limit, rank=1)],
            "isolate_host": [
                filtered(bare, "ingress", family, rule("drop", source=server)),
                filtered(bare, "egress", family, rule("drop", destination=server)),
            ],
            "restrict_service": [filtered(edge, "ingress", family, *restrict, rank=2)],
        }
        found |= {f"{case}_v{family}": tagged(ONE, *ops) for case, ops in named.items()}
        found[f"two_mitigations_v{family}"] = [
            *tagged(ONE, filtered(edge, "ingress", family, *restrict, rank=2)),
            *tagged(TWO, filtered(edge, "ingress", family, block)),
        ]
    return found


def _others(bare: str) -> Mapping[str, list[TaggedOp]]:
    routes = {f: DiscardOp.model_validate({"prefix": prefix}) for f, prefix in ATTACKER.items()}
    return {
        "blackhole_route_v4": [*tagged(ONE, routes[4]), *tagged(TWO, routes[4])],
        "blackhole_route_v6": tagged(ONE, routes[6]),
        "shutdown_port": tagged(ONE, AdminOp(interface=bare)),
    }
