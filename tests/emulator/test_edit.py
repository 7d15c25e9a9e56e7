from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.emulator.edit import Operation
from labs.emulator.errors import RpcError
from labs.emulator.tree import EMPTY, canonical

from .documents import ace, acl, acls, attach, block, config, discard_route, interface
from .pure import edited, tree

THREE = config(acls(acl("a", ace("x"), ace("y"), ace("z")), acl("b")))
ACES = "<acl><name>a</name><aces>{}</aces></acl>"


def names(document: str, before: str = THREE) -> list[str]:
    """The names of the ACEs of ACL `a` after the edit."""
    top = edited(tree(before), config(acls(ACES.format(document)))).children[0]
    aces = next((c for c in top.children[0].children if c.tag.endswith("}aces")), EMPTY)
    return [entry.key[0] for entry in aces.children]


def refusal(document: str, before: str = THREE, default: Operation = Operation.MERGE) -> RpcError:
    with pytest.raises(RpcError) as caught:
        edited(tree(before), document, default)
    return caught.value


def test_merge_adds_and_keeps() -> None:
    assert names(ace("w")) == ["x", "y", "z", "w"]


def test_merge_is_idempotent() -> None:
    once = tree(block())
    assert canonical(edited(once, block())) == canonical(once)


def test_replace_of_an_entry_keeps_its_place_and_forgets_the_rest() -> None:
    bare = '<ace nc:operation="replace"><name>y</name><actions><forwarding>accept</forwarding></actions></ace>'
    assert names(bare) == ["x", "y", "z"]
    assert "203.0.113.66" not in canonical(edited(tree(config(acls(acl("a", ace("y"))))), _acl_a(bare)))


def _acl_a(inside: str) -> str:
    return config(acls(ACES.format(inside)))


def test_delete_and_remove() -> None:
    assert names('<ace nc:operation="delete"><name>y</name></ace>') == ["x", "z"]
    assert names('<ace nc:operation="remove"><name>nobody</name></ace>') == ["x", "y", "z"]


def test_delete_then_create_goes_to_the_end() -> None:
    without = edited(tree(THREE), _acl_a('<ace nc:operation="delete"><name>x</name></ace>'))
    again = edited(without, _acl_a(ace("x", attributes='nc:operation="create"')))
    assert [entry.key[0] for entry in again.children[0].children[0].children[2].children] == ["y", "z", "x"]


@pytest.mark.parametrize(
    ("attributes", "order"),
    [
        ('yang:insert="first"', ["n", "x", "y", "z"]),
        ('yang:insert="last"', ["x", "y", "z", "n"]),
        ('yang:insert="before" yang:key="[name=\'y\']"', ["x", "n", "y", "z"]),
        ('yang:insert="after" yang:key="[q:name=\'x\']"', ["x", "n", "y", "z"]),
    ],
)
def test_insert(attributes: str, order: list[str]) -> None:
    assert names(ace("n", attributes=attributes)) == order


def test_insert_moves_an_entry_that_is_there() -> None:
    assert names(ace("z", attributes='yang:insert="first"')) == ["z", "x", "y"]


@pytest.mark.parametrize(
    ("document", "tag", "where"),
    [
        (_acl_a(ace("n", attributes='yang:insert="after" yang:key="[name=\'q\']"')), "bad-attribute", "ace"),
        (_acl_a(ace("n", attributes='yang:insert="middle"')), "bad-attribute", "ace"),
        (_acl_a(ace("n", attributes='yang:insert="before"')), "missing-attribute", "ace"),
        (config(acls(acl("c", attributes='yang:insert="first"'))), "unknown-attribute", "acl"),
        (_acl_a(ace("x", attributes='nc:operation="create"')), "data-exists", "ace[acl:name='x']"),
        (_acl_a('<ace nc:operation="delete"><name>q</name></ace>'), "data-missing", "ace[acl:name='q']"),
        (_acl_a("<ace><matches/></ace>"), "missing-element", "ace"),
        (_acl_a(ace("n", source="203.0.113.66")), "invalid-value", "source-ipv4-network"),
        (_acl_a(ace("n", source="203.0.113.256/32")), "invalid-value", "source-ipv4-network"),
        (_acl_a(ace("n", action="explode")), "invalid-value", "forwarding"),
        (_acl_a(ace("n", attributes='nc:operation="shred"')), "bad-attribute", "ace"),
        (_acl_a(ace("n", attributes='colour="red"')), "unknown-attribute", "aces"),
        (_acl_a(ace("n") + ace("n")), "operation-failed", "ace[acl:name='n']"),
        (_acl_a("<ace><name>n</name><colour/></ace>"), "unknown-element", "ace[acl:name='n']"),
        (_acl_a("loose text"), "bad-element", "aces"),
        (config('<acls xmlns="urn:example:nothing"/>'), "unknown-namespace", ""),
        (config(discard_route("10.0.0.0/8", "<special-next-hop><x/></special-next-hop>")), "unknown-element", "hop"),
    ],
)
def test_refusals_name_tag_and_path(document: str, tag: str, where: str) -> None:
    error = refusal(document)
    assert (error.tag, where in error.path) == (tag, True), error.path


def test_none_touches_only_what_says_so() -> None:
    document = _acl_a('<ace nc:operation="delete"><name>y</name></ace>')
    after = edited(tree(THREE), document, Operation.NONE)
    assert canonical(after) == canonical(edited(tree(THREE), document))


def test_none_needs_the_way_to_be_there() -> None:
    document = config(
        acls('<acl><name>nobody</name><aces><ace nc:operation="remove"><name>y</name></ace></aces></acl>')
    )
    assert refusal(document, default=Operation.NONE).tag == "data-missing"


def test_replace_of_everything() -> None:
    assert canonical(edited(tree(THREE), block(), Operation.REPLACE)) == canonical(tree(block()))


def test_containers_without_content_vanish() -> None:
    attached = edited(tree(THREE), config(acls(attach("ge0", "a"))))
    document = config(
        acls(
            "<attachment-points><interface nc:operation='delete'><interface-id>ge0</interface-id></interface>"
            "</attachment-points>"
        )
    )
    assert canonical(edited(attached, document)) == canonical(tree(THREE))


def test_another_case_takes_the_place_of_the_first() -> None:
    blackhole, hop = discard_route("10.0.0.0/8"), "<next-hop-address>192.0.2.7</next-hop-address>"
    after = canonical(edited(tree(config(blackhole)), config(discard_route("10.0.0.0/8", hop))))
    assert "192.0.2.7" in after
    assert "blackhole" not in after


def test_lists_that_the_system_orders_do_not_depend_on_the_way_there() -> None:
    forth, back = config(acls(acl("a"), acl("b"))), config(acls(acl("b"), acl("a")))
    assert canonical(tree(forth)) == canonical(tree(back))


def test_an_identity_is_known_by_its_namespace_not_by_its_prefix() -> None:
    kind = '<type xmlns:{0}="urn:ietf:params:xml:ns:yang:iana-if-type">{0}:ethernetCsmacd</type>'
    one, other = (interface("ge9", enabled=True).replace("<enabled", kind.format(p) + "<enabled") for p in ("a", "b"))
    assert canonical(tree(config(one))) == canonical(tree(config(other)))
    assert refusal(config(one.replace(">a:", ">"))).tag == "invalid-value"


@pytest.mark.parametrize("wrapper", ["<config xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'>{}</config>", "{}"])
def test_a_document_may_come_with_or_without_its_wrapper(wrapper: str) -> None:
    assert canonical(tree(wrapper.format(acls(acl("a"))))) == canonical(tree(config(acls(acl("a")))))


entries = st.lists(st.sampled_from("stuvwxyz"), unique=True, max_size=5)
filters = st.dictionaries(st.sampled_from(["a", "b", "c"]), entries, max_size=3)


def _document(content: dict[str, list[str]]) -> str:
    return config(acls(*(acl(name, *(ace(e) for e in inside)) for name, inside in content.items())))


@given(filters, filters)
def test_replace_and_back_gives_the_same_bytes(before: dict[str, list[str]], after: dict[str, list[str]]) -> None:
    start = tree(_document(before))
    there = edited(start, _document(after), Operation.REPLACE)
    assert canonical(edited(there, canonical(start), Operation.REPLACE)) == canonical(start)


@given(filters, st.sampled_from("mno"))
def test_an_acl_of_ours_and_its_inverse_give_the_same_bytes(before: dict[str, list[str]], name: str) -> None:
    start = tree(_document(before))
    there = edited(start, config(acls(acl(name, ace("inc")), attach("ge0", name))))
    inverse = config(
        acls(
            f"<acl nc:operation='delete'><name>{name}</name></acl>"
            "<attachment-points><interface nc:operation='delete'><interface-id>ge0</interface-id></interface>"
            "</attachment-points>"
        )
    )
    assert canonical(there) != canonical(start)
    assert canonical(edited(there, inverse)) == canonical(start)
