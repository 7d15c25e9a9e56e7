"""Edits that say where the entries of an ordered list stand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from secloop_ai.dialects.tree import Node, difference
from secloop_ai.dialects.xml import Element, canonical, first

from .editing import edited

KEYS = {"entry": ("name",)}


def placed(entry: Element, previous: Element | None) -> None:
    if previous is None:
        entry.set("insert", "first")
        return
    entry.set("insert", "after")
    named = first(previous, "name")
    entry.set("name", (named.text or "") if named is not None else "")


ENTRY = Node("entry", keys=("name",), whole=True, merged=True, in_order=True, placing=placed)
TABLE = (Node("list", children=(ENTRY,)),)
entries = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1)
texts = st.sampled_from(("", "<x>1</x>"))


def document(names: list[str], inside: dict[str, str]) -> str:
    held = "".join(f"<entry><name>{n}</name>{inside.get(n, '')}</entry>" for n in names)
    return f"<data><list>{held}</list></data>"


@given(entries, entries, st.dictionaries(st.sampled_from("abcdefgh"), texts), st.data())
def test_the_edit_makes_any_order_of_any_other(
    old: list[str], new: list[str], inside: dict[str, str], draws: st.DataObject
) -> None:
    changed = inside | draws.draw(st.dictionaries(st.sampled_from(old), texts, max_size=2))
    before, after = document(old, inside), document(new, changed)
    edit = difference(etree.fromstring(before), etree.fromstring(after), TABLE)
    assert canonical(etree.fromstring(edited(before, edit, keys=KEYS))).decode() == after
    assert (edit is None) == (before == after)


def test_what_stays_in_its_order_is_not_sent() -> None:
    before, after = (etree.fromstring(document(list(names), {})) for names in ("abcdef", "xabdef"))
    edit = difference(before, after, TABLE)
    assert edit is not None
    sent = [(e.findtext("name"), e.get("insert")) for e in etree.fromstring(edit)]
    assert sent == [("x", "first"), ("c", None)]
