"""What a data table can say, on a table of its own."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from labs.emulator.checks import violations
from labs.emulator.edit import Operation, apply_edit
from labs.emulator.errors import RpcError
from labs.emulator.junos import respelled
from labs.emulator.names import BASE, YANG, parse_xml
from labs.emulator.partly import parts
from labs.emulator.schema import read_table
from labs.emulator.tree import EMPTY, Node, canonical, to_xml
from labs.emulator.writing import prefixed_xml

TABLE = """
modules:
  toy: {prefix: t, namespace: "urn:toy", revision: "2026-01-01"}
  more: {prefix: m, namespace: "urn:more", revision: "2026-01-01"}
identities:
  colour: [t:red, m:blue]
tree:
  t:top:
    entry:
      $key: number
      number: leafref ../config/number uint32
      config:
        number: uint32
        colour: identityref colour
    list:
      $key: name
      $user-ordered: true
      name: string
      note: string
    tags: {$type: string, $leaf-list: true, $user-ordered: true}
    ports: {$type: uint16, $leaf-list: true}
    shutdown: empty
    any: {$type: empty, $case: [match/any, inner/any]}
    host: {$type: ip-address, $case: [match/some, kind/host]}
    net: {$type: ip-prefix, $case: [match/some, kind/net]}
    mask: {$type: ip-address, $case: [match/some, kind/net], $mandatory: true}
    proto: union uint8 | enum tcp udp
    own: ipv4-address-prefix
    word: pattern [a-z]+
"""
SCHEMA = read_table("toy", yaml.safe_load(TABLE))
ROOT = SCHEMA.root
HEAD = f"xmlns='urn:toy' xmlns:t='urn:toy' xmlns:nc='{BASE}' xmlns:yang='{YANG}'"


def edit(before: Node, inside: str, *, junos: bool = False) -> Node:
    config = parse_xml(f"<config><top {HEAD}>{inside}</top></config>".encode())
    return apply_edit(ROOT, before, respelled(ROOT, config) if junos else config, Operation.MERGE)


def names(data: Node, tag: str = "list") -> list[str]:
    top = data.child("{urn:toy}top")
    return [c.key[0] for c in top.children if c.tag == f"{{urn:toy}}{tag}"] if top else []


def entry(number: int) -> str:
    return f"<entry><number>{number}</number><config><number>{number}</number></config></entry>"


def item(name: str, attributes: str = "", note: str = "") -> str:
    return f"<list {attributes}><name>{name}</name>{f'<note>{note}</note>' if note else ''}</list>"


def test_numbers_sort_as_numbers() -> None:
    data = edit(EMPTY, entry(100) + entry(20) + entry(9) + "<ports>443</ports><ports>80</ports>")
    assert names(data, "entry") == ["9", "20", "100"]
    assert names(data, "ports") == ["80", "443"]


def test_a_key_must_be_what_it_refers_to() -> None:
    wrong = "<entry><number>1</number><config><number>2</number></config></entry>"
    assert [e.tag for e in violations(ROOT, edit(EMPTY, wrong))] == ["data-missing"]
    assert violations(ROOT, edit(EMPTY, entry(1))) == []


def test_leaf_lists() -> None:
    data = edit(EMPTY, "<tags>a</tags><tags>b</tags><tags yang:insert='first'>c</tags>")
    assert names(data, "tags") == ["c", "a", "b"]
    data = edit(data, "<tags yang:insert='after' yang:value='a'>c</tags><tags>b</tags>")
    assert names(data, "tags") == ["a", "c", "b"]
    assert names(edit(data, "<tags nc:operation='delete'>c</tags>"), "tags") == ["a", "b"]
    with pytest.raises(RpcError) as caught:
        edit(data, "<tags nc:operation='delete'>z</tags>")
    assert (caught.value.tag, caught.value.path) == ("data-missing", "/t:top/t:tags[.='z']")


def test_nested_choices() -> None:
    data = edit(EMPTY, "<net>10.0.0.0/8</net><mask>10.0.0.1</mask>")
    assert "net" in to_xml(data)
    assert "<net>" not in to_xml(edit(data, "<host>10.0.0.1</host>"))
    assert to_xml(edit(data, "<any/>")).count("<mask>") == 0
    back = edit(edit(data, "<any/>"), "<host>::1</host>")
    assert "<any>" not in to_xml(back)
    assert "<host>::1</host>" in to_xml(back)
    assert [e.tag for e in violations(ROOT, edit(EMPTY, "<net>10.0.0.0/8</net>"))] == ["data-missing"]


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("<shutdown/>", "<shutdown></shutdown>"),
        ("<proto>6</proto>", ">6<"),
        ("<proto>tcp</proto>", ">tcp<"),
        ("<own>198.51.100.1/24</own>", ">198.51.100.1/24<"),
        ("<net>2001:DB8::1/64</net>", ">2001:db8::/64<"),
        ("<word>abc</word>", ">abc<"),
    ],
)
def test_types(inside: str, text: str) -> None:
    assert text in to_xml(edit(EMPTY, inside))


@pytest.mark.parametrize(
    "inside", ["<shutdown>yes</shutdown>", "<proto>sctp</proto>", "<own>198.51.100.1</own>", "<word>A</word>"]
)
def test_wrong_values(inside: str) -> None:
    with pytest.raises(RpcError, match=r"must|none of") as caught:
        edit(EMPTY, inside)
    assert caught.value.tag == "invalid-value"


def test_the_order_attributes_of_junos() -> None:
    data = edit(EMPTY, item("a", note="kept") + item("b") + "<tags>x</tags><tags>y</tags>")
    data = edit(data, item("c", "insert='after' name='a'") + item("b", "insert='first'"), junos=True)
    assert names(data) == ["b", "a", "c"]
    data = edit(data, item("d", "insert='before' name='b'") + item("e", "insert='after' name='d'"), junos=True)
    assert names(data) == ["d", "e", "b", "a", "c"]
    data = edit(data, item("a", "insert='first' inactive='inactive'"), junos=True)
    assert names(data)[0] == "a"
    assert "<note>kept</note>" in to_xml(data)
    data = edit(data, "<tags insert='before' name='x'>z</tags>", junos=True)
    assert names(data, "tags") == ["z", "x", "y"]
    with pytest.raises(RpcError) as caught:
        edit(data, item("q", "insert='after' name='nobody'"), junos=True)
    assert caught.value.tag == "bad-attribute"
    with pytest.raises(RpcError) as caught:
        edit(data, item("q", "insert='first'"))
    assert caught.value.tag == "unknown-attribute"


def test_prefixed_data_say_the_same() -> None:
    other = "<colour xmlns:m='urn:more'>m:blue</colour>"
    data = edit(EMPTY, entry(1).replace("</config>", "<colour>t:red</colour></config>"))
    data = edit(data, entry(2).replace("</config>", f"{other}</config>"))
    text = prefixed_xml(SCHEMA, data)
    assert "<t:colour>t:red</t:colour>" in text
    again = apply_edit(ROOT, EMPTY, parse_xml(f"<config>{text}</config>".encode()), Operation.MERGE)
    assert canonical(again) == canonical(data)


def differences(a: Node, b: Node) -> int:
    return len(set(canonical(a).split("<")) ^ set(canonical(b).split("<")))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", item("a") + item("b", note="x") + "<tags>t</tags>"),
        (item("a") + item("b"), "<list nc:operation='delete'><name>a</name></list><shutdown/>"),
        ("", item("a", note="text")),
    ],
)
def test_a_part_is_neither_the_one_nor_the_other(first: str, second: str) -> None:
    before: Any = edit(EMPTY, first) if first else EMPTY
    after = edit(before, second)
    part = next(iter(parts(ROOT, before, after)))
    assert canonical(part) not in {canonical(before), canonical(after)}
    assert differences(before, part) < differences(before, after)


def test_a_single_difference_has_no_part() -> None:
    before = edit(EMPTY, "<word>a</word>")
    after = edit(before, "<word>b</word>")
    assert [canonical(part) for part in parts(ROOT, before, after)] == [canonical(after)]
