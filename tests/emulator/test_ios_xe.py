"""The ios_xe dialect against its emulated device: what is rendered is taken, read, and taken away byte-equal."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from labs.emulator import EmulatedDevice
from labs.emulator.checks import violations
from labs.emulator.edit import Operation, apply_edit
from labs.emulator.names import BASE, parse_xml, split_tag
from labs.emulator.reading import unwrap
from labs.emulator.schema import DATA, SchemaNode, load_schema
from labs.emulator.subtree import select
from labs.emulator.tree import EMPTY, Node, canonical, to_xml
from secloop_ai.contracts import AdminOp, Direction, DiscardOp, Packet, RuleAction, TaggedOp
from secloop_ai.dialects.ios_xe import DIALECT as IOS_XE
from secloop_ai.dialects.ios_xe import names as n
from tests.dialects.making import ATTACKER, ONE, SERVER, TWO, filtered, rule, tagged

from .conftest import Connect

ROOT = load_schema("ios_xe").root
REPO = Path(__file__).parents[2]
VALIDATE = Path(os.environ.get("SECLOOP_YANG_VALIDATE", REPO.parent / "shared" / "yang" / "validate"))
OUTSIDE, DMZ = "GigabitEthernet1", "GigabitEthernet3"
WEB = {"protocol": 6, "destination": SERVER, "destination_port": {"low": 80, "high": 80}}
LIMIT = rule("permit", rate_bytes_per_s=12_500, **WEB)
BLOCK = rule("drop", source=ATTACKER)
RESTRICT = filtered(OUTSIDE, "ingress", 4, rule("permit", source="10.0.0.0/8", **WEB), rule("drop", **WEB), rank=2)
RUNNING_ONLY = (":base:1.1", ":writable-running", ":rollback-on-error")
CASES: dict[str, list[TaggedOp]] = {
    "block": tagged(ONE, filtered(OUTSIDE, "ingress", 4, BLOCK)),
    "block-v6": tagged(ONE, filtered(OUTSIDE, "ingress", 6, rule("drop", source="2001:db8::66/128"))),
    "limit": tagged(ONE, filtered(DMZ, "egress", 4, LIMIT, rank=1)),
    "limit-behind-a-permit": tagged(ONE, filtered(DMZ, "egress", 4, rule("permit", **WEB), LIMIT, rank=1)),
    "blackhole": tagged(
        ONE, *(DiscardOp.model_validate({"prefix": p}) for p in (ATTACKER, "2001:db8:66::/64", "198.51.100.0/24"))
    ),
    "shutdown": tagged(ONE, AdminOp(interface=DMZ)),
    "two": [
        *tagged(ONE, RESTRICT),
        *tagged(TWO, filtered(OUTSIDE, "ingress", 4, rule("drop", source=ATTACKER), LIMIT)),
    ],
}


def wrapped(body: str | None) -> str:
    return f'<nc:config xmlns:nc="{BASE}">{body or ""}</nc:config>'


def edited(before: Node, body: str) -> Node:
    text = body if body.startswith("<?xml") else wrapped(body)
    return apply_edit(ROOT, before, unwrap(parse_xml(text.encode())), Operation.MERGE)


def initial() -> Node:
    return edited(EMPTY, (DATA / "ios_xe-initial.xml").read_text(encoding="utf-8"))


def answer(data: Node) -> str:
    """The reply to a get-config with the dialect's filter."""
    filter_ = parse_xml(f"<filter>{IOS_XE.read_filter()}</filter>".encode())
    return to_xml(select(ROOT, data, filter_)).replace("<config", "<data", 1).replace("</config>", "</data>")


def test_the_filter_asks_for_all_that_is_read() -> None:
    model = IOS_XE.parse(answer(initial()))
    assert [acl.name for acl in model.acls] == ["edge-in"]
    assert {i.name for i in model.interfaces} >= {OUTSIDE, DMZ}
    assert model.notes == ()


@pytest.mark.parametrize("case", CASES)
def test_an_edit_is_taken_and_taken_back_byte_equal(case: str) -> None:
    before = initial()
    there = IOS_XE.apply(answer(before), CASES[case])
    assert there.edit is not None
    after = edited(before, there.edit)
    assert violations(ROOT, after) == []
    assert IOS_XE.canonical(answer(after)) == IOS_XE.canonical(there.after)
    assert IOS_XE.apply(answer(after), CASES[case]).edit is None
    for tidy in (True, False):
        back = IOS_XE.remove(answer(after), CASES[case], tidy=tidy)
        undone = edited(after, back.edit or "")
        assert violations(ROOT, undone) == []
        assert canonical(undone) == canonical(before)


SAMPLES = {
    "ipv4-address": "192.0.2.1",
    "ipv6-address": "2001:db8::1",
    "ipv6-prefix": "2001:db8::/32",
    "empty": "",
    "string": "x1",
    "leafref": "x1",
}
WORDS = {"protocol": "tcp", "fwd": "Null0", "dscp": "af11"}


def instance(node: SchemaNode, around: str = "") -> str:
    """One of everything below a node of the table."""
    namespace, local = split_tag(node.tag)
    bound = "" if namespace == around else f' xmlns="{namespace}"'
    if node.leaf is None:
        inside = "".join(instance(child, namespace) for child in node.children.values())
        if local in n.TYPES:
            inside = inside.replace("<name>x1<", "<name>1<", 1)
        if local == "Port-channel-subinterface":
            inside = inside.replace("<name>1<", "<name>1.1<", 1)
        return f"<{local}{bound}>{inside}</{local}>"
    kind, *rest = node.leaf.name.split()
    least = rest[0].partition("..")[0] if rest else "1"
    port = "22" if local.startswith(("src-", "dst-")) and kind == "string" else None
    value = port or WORDS.get(local) or SAMPLES.get(kind, least)
    return f"<{local}{bound}>{value}</{local}>"


def test_every_node_of_the_table_is_in_the_yang(tmp_path: Path) -> None:
    if not VALIDATE.is_file() or not shutil.which("yanglint"):
        pytest.skip(f"no YANG validator at {VALIDATE}, or no yanglint (Debian: libyang2-tools)")
    file = tmp_path / "all.xml"
    file.write_text(wrapped("".join(instance(child) for child in ROOT.children.values())), encoding="utf-8")
    done = subprocess.run([VALIDATE, "ios-xe", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_over_the_wire(connect: Connect) -> None:
    with EmulatedDevice(dialect="ios_xe", capabilities=RUNNING_ONLY) as device:
        session = connect(device)

        def read() -> str:
            return str(session.get_config("running", filter=("subtree", IOS_XE.read_filter())).data_xml)

        capabilities = list(session.server_capabilities)
        assert IOS_XE.not_offered(capabilities) == {}
        start = read()
        there = IOS_XE.apply(start, CASES["two"])
        session.edit_config(wrapped(there.edit), target="running", error_option="rollback-on-error")
        now = read()
        assert IOS_XE.tags(now) == {ONE, TWO}
        fields = {"source": "203.0.113.66", "destination": "10.0.2.10", "protocol": 1}
        packet = Packet.model_validate(fields)
        assert IOS_XE.parse(now).filter(packet, OUTSIDE, Direction.INGRESS).action is RuleAction.DROP
        back = IOS_XE.remove(now, CASES["two"])
        session.edit_config(wrapped(back.edit), target="running")
        assert IOS_XE.canonical(read()) == IOS_XE.canonical(start)
