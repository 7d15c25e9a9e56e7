"""A plain edit-config, apart from the code under test: what RFC 6241 section 7.2 says, for data with known keys."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import deepcopy

from lxml import etree

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
OPERATION = f"{{{BASE}}}operation"
Keys = Mapping[str, tuple[str, ...]]
ORDERED = ("ace", "acl-set")
KEYS: Keys = {
    "acl": ("name",),
    "ace": ("name",),
    "acl-set": ("name",),
    "interface": ("name", "interface-id"),
    "control-plane-protocol": ("type", "name"),
    "route": ("destination-prefix",),
}


def edited(data: str, edit: str | None, *, keys: Keys = KEYS) -> str:
    """The configuration after the edit, default operation merge.

    `keys` of lists by local name, RFC 8519's unless given; the key ``.`` is a leaf-list's. Junos's ``insert`` and
    ``name`` are known, too.

    Raises:
        KeyError: a delete of what is not there.
    """
    parser = etree.XMLParser(remove_blank_text=True)
    root = etree.fromstring(data.encode(), parser)
    body = etree.fromstring(f"<config>{edit or ''}</config>".encode(), parser)
    for element in body:
        _into(root, element, keys)
    return etree.tostring(root, encoding="unicode")


Shape = tuple[str, str, tuple["Shape", ...], tuple["Shape", ...]]


def shape(data: str, *, ordered: Collection[str] = ORDERED) -> Shape:
    """What a configuration says, in a form to compare: only what its user orders keeps an order.

    Empty elements are left out: those are containers, which say nothing, and leaves of type ``empty``.
    """
    return _shape(etree.fromstring(data.encode(), etree.XMLParser(remove_blank_text=True)), ordered)


def _shape(element: etree._Element, ordered: Collection[str]) -> Shape:
    children = [(etree.QName(c).localname, _shape(c, ordered)) for c in element]
    free = sorted((s for name, s in children if name not in ordered and s[1:] != ("", (), ())), key=str)
    text = "" if children else (element.text or "").strip()
    kept = sorted((c for c in children if c[0] in ordered), key=lambda named: named[0])  # each list in its own order
    return (element.tag, text, tuple(free), tuple(s for _, s in kept))


def _into(parent: etree._Element, new: etree._Element, keys: Keys) -> None:
    wanted = _key(new, keys)
    old = next((c for c in parent if c.tag == new.tag and _key(c, keys) == wanted), None)
    operation = new.attrib.get(OPERATION, "merge")
    if operation == "delete":
        if old is None:
            raise KeyError(f"data-missing: {new.tag} {wanted}")
        parent.remove(old)
        return
    if old is None:
        parent.append(old := _clean(new))
    elif operation == "replace":
        parent.replace(old, clean := _clean(new))
        old = clean
    elif len(new):
        for child in new:
            _into(old, child, keys)
    else:
        old.text = new.text
    if where := new.get("insert"):
        _place(parent, old, where, (new.get("name") or "",), keys)


def _place(parent: etree._Element, entry: etree._Element, where: str, key: tuple[str, ...], keys: Keys) -> None:
    """Junos's own way to move an entry of an ordered list.

    Raises:
        KeyError: there is no such neighbour.
    """
    others = [c for c in parent if c.tag == entry.tag and c is not entry]
    if where == "first":
        index = min((parent.index(o) for o in others), default=len(parent))
    else:
        found = [o for o in others if _key(o, keys) == key]
        if not found:
            raise KeyError(f"no {entry.tag} {key} to stand {where}")
        parent.remove(entry)
        index = parent.index(found[0]) + (where == "after")
    parent.insert(index, entry)


def _clean(element: etree._Element) -> etree._Element:
    copy = deepcopy(element)
    for own in ("insert", "name"):
        copy.attrib.pop(own, "")
    for inner in copy.iter():
        if inner.attrib.pop(OPERATION, "merge") == "delete":
            raise KeyError(f"data-missing: {inner.tag}")
    return copy


def _key(element: etree._Element, keys: Keys) -> tuple[str, ...]:
    names = keys.get(etree.QName(element).localname, ())
    if names == (".",):
        return (_value(element),)
    return tuple(_value(c) for c in element if etree.QName(c).localname in names)


def _value(leaf: etree._Element) -> str:
    """The text, an identity's without the prefix its element binds."""
    prefix, _, rest = (leaf.text or "").partition(":")
    return rest if rest and prefix in leaf.nsmap else leaf.text or ""
