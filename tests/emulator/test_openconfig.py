"""The OpenConfig devices of the emulator hold what their dialects render, and give it back."""

from __future__ import annotations

import pytest

from labs.emulator.checks import violations
from labs.emulator.device import initial
from labs.emulator.edit import Operation, apply_edit
from labs.emulator.errors import RpcError
from labs.emulator.names import BASE, parse_xml
from labs.emulator.schema import load_schema
from labs.emulator.tree import Node, children_xml
from labs.emulator.writing import prefixed_xml
from secloop_ai.contracts import AdminOp, DiscardOp, FilterOp, PacketRule, TaggedOp
from secloop_ai.dialects import dialect
from secloop_ai.dialects.compose import TreeDialect

TAG, OTHER = "3fa2b1c4d5-0", "9c01d2e3f4-1"
SSH = {"protocol": 6, "destination": "10.0.2.10/32", "destination_port": {"low": 22, "high": 22}}


def filtered(interface: str, family: int, **fields: object) -> FilterOp:
    rule = PacketRule.model_validate({"name": "r", "action": "drop", **fields})
    fixed = {"interface": interface, "direction": "ingress", "family": family, "rules": (rule,)}
    return FilterOp.model_validate(fixed)


OPS = [
    TaggedOp(tag=TAG, op=filtered("Ethernet1", 4, source="203.0.113.66/32")),
    TaggedOp(tag=TAG, op=filtered("Ethernet3", 4, source="10.0.1.0/24", **SSH)),
    TaggedOp(tag=OTHER, op=filtered("Ethernet3", 6, source="2001:db8:66::/64", protocol=58)),
    TaggedOp(tag=OTHER, op=DiscardOp.model_validate({"prefix": "203.0.113.66/32"})),
    TaggedOp(tag=TAG, op=DiscardOp.model_validate({"prefix": "2001:db8:66::66/128"})),
    TaggedOp(tag=TAG, op=AdminOp(interface="Ethernet4", prior=True)),
]


def edited(name: str, node: Node, edit: str | None) -> Node:
    document = parse_xml(f'<config xmlns="{BASE}">{edit or ""}</config>'.encode())
    return apply_edit(load_schema(name).root, node, document, Operation.MERGE)


def shown(name: str, node: Node, *, prefixed: bool) -> str:
    inside = prefixed_xml(load_schema(name), node) if prefixed else children_xml(node)
    return f'<data xmlns="{BASE}">{inside}</data>'


@pytest.mark.parametrize("prefixed", [True, False])
@pytest.mark.parametrize("name", ["openconfig", "eos"])
def test_what_is_rendered_is_held_and_given_back(name: str, prefixed: bool) -> None:
    spoken, root, before = dialect(name), load_schema(name).root, initial(name, None, None)
    assert isinstance(spoken, TreeDialect)
    data = shown(name, before, prefixed=prefixed)
    there = spoken.apply(data, OPS)
    after = edited(name, before, there.edit)
    assert violations(root, after) == []
    held = shown(name, after, prefixed=prefixed)
    assert spoken.canonical(held) == spoken.canonical(there.after)
    assert spoken.tags(held) == {TAG, OTHER}
    assert spoken.apply(held, OPS).edit is None
    back = spoken.remove(held, OPS)
    assert edited(name, after, back.edit) == before


def test_eos_knows_no_rejecting_entry_and_no_description_of_a_route() -> None:
    before = initial("openconfig", None, None)
    route = dialect("openconfig").apply(shown("openconfig", before, prefixed=False), OPS[3:4])
    assert edited("openconfig", before, route.edit) != before
    with pytest.raises(RpcError, match="description"):
        edited("eos", initial("eos", None, None), route.edit)
