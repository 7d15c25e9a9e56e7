"""What the junos dialect sends does on the emulated Junos what the dialect says it does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from labs.emulator.checks import violations
from labs.emulator.edit import Operation, apply_edit
from labs.emulator.junos import respelled
from labs.emulator.names import parse_xml
from labs.emulator.reading import unwrap
from labs.emulator.schema import DATA, load_schema
from labs.emulator.tree import EMPTY, Node, children_xml
from secloop_ai.contracts import AdminOp, DiscardOp, TaggedOp
from secloop_ai.contracts import Operation as DeviceOp
from secloop_ai.dialects.junos import DIALECT as JUNOS
from tests.dialects.making import ATTACKER, ONE, SERVER, TWO, filtered, rule, tagged

ROOT = load_schema("junos").root
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
SSH = {"protocol": 6, "destination": SERVER, "destination_port": {"low": 22, "high": 22}}
BLOCK, BLOCK_V6 = rule("drop", source=ATTACKER), rule("drop", source="2001:db8:66::66/128")
LIMIT = rule("permit", rate_bytes_per_s=12_500, **SSH)
OPERATIONS: dict[str, list[DeviceOp]] = {
    "block_ip": [filtered("ge-0/0/0.0", "ingress", 4, BLOCK), filtered("ge-0/0/0.0", "ingress", 6, BLOCK_V6)],
    "rate_limit": [filtered("ge-0/0/2.0", "egress", 4, LIMIT, rank=1)],
    "restrict_service": [
        filtered("ge-0/0/0.0", "ingress", 4, rule("permit", source="10.0.1.0/24", **SSH), rule("drop", **SSH), rank=2)
    ],
    "blackhole_route": [DiscardOp.model_validate({"prefix": p}) for p in (ATTACKER, "2001:db8::7/128")],
    "shutdown_port": [AdminOp(interface="ge-0/0/3"), AdminOp(interface="ge-0/0/2.0")],
}
SHARED = (
    '<configuration xmlns="http://xml.juniper.net/xnm/1.1/xnm"><interfaces><interface><name>ge-0/0/1</name><unit>'
    "<name>0</name><family><inet><filter><input><filter-name>edge-in</filter-name></input></filter></inet></family>"
    "</unit></interface></interfaces></configuration>"
)


def sent(device: Node, edit: str | None) -> Node:
    config = unwrap(parse_xml(f'<config xmlns="{BASE}">{edit or ""}</config>'.encode()))
    changed = apply_edit(ROOT, device, respelled(ROOT, config), Operation.MERGE)
    assert violations(ROOT, changed) == []
    return changed


def initial(*, shared: bool = False) -> Node:
    device = apply_edit(ROOT, EMPTY, unwrap(parse_xml((DATA / "junos-initial.xml").read_bytes())), Operation.MERGE)
    return sent(device, SHARED) if shared else device


def answered(device: Node) -> str:
    return f'<data xmlns="{BASE}">{children_xml(device)}</data>'


def one_after_the_other(device: Node, steps: Sequence[Sequence[TaggedOp]]) -> Node:
    for ops in steps:
        there = JUNOS.apply(answered(device), ops)
        device = sent(device, there.edit)
        assert JUNOS.canonical(answered(device)) == JUNOS.canonical(there.after)
        assert JUNOS.apply(answered(device), ops).edit is None
    return device


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("tidy", [False, True])
@pytest.mark.parametrize("action", OPERATIONS)
def test_every_action_is_taken_read_back_and_undone(action: str, *, shared: bool, tidy: bool) -> None:
    start = initial(shared=shared)
    ops = tagged(ONE, *OPERATIONS[action])
    device = one_after_the_other(start, [ops])
    assert device != start
    back = JUNOS.remove(answered(device), ops, tidy=tidy)
    device = sent(device, back.edit)
    if tidy:
        assert device == start
    assert JUNOS.tags(answered(device)) == frozenset()


@pytest.mark.parametrize("shared", [False, True])
def test_all_of_them_are_undone_in_any_order(*, shared: bool) -> None:
    start = initial(shared=shared)
    steps = [tagged(f"3fa2b1c4d5-{index}", *ops) for index, ops in enumerate(OPERATIONS.values())]
    device = one_after_the_other(start, steps)
    for ops in (steps[2], steps[0], steps[4], steps[1], steps[3]):
        device = sent(device, JUNOS.remove(answered(device), ops).edit)
    assert device == start


def test_terms_stand_in_the_device_as_the_dialect_says() -> None:
    steps = [tagged(TWO, *OPERATIONS["restrict_service"]), tagged(ONE, *OPERATIONS["block_ip"])]
    model = JUNOS.parse(answered(one_after_the_other(initial(), steps)))
    acl = model.acl("edge-in")
    assert acl is not None
    names = [r.name for r in acl.rules]
    assert names == [f"sl-{ONE}-0-0", f"sl-{TWO}-2-0", f"sl-{TWO}-2-1", "spoofed-dmz", "rest"]
