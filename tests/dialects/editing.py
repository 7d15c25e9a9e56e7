"""A plain edit-config, apart from the code under test: what RFC 6241 section 7.2 says, for data with known keys."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
OPERATION = f"{{{BASE}}}operation"
KEYS = {
    "acl": ("name",),
    "ace": ("name",),
    "acl-set": ("name",),
    "interface": ("name", "interface-id"),
    "control-plane-protocol": ("type", "name"),
    "route": ("destination-prefix",),
}


def edited(data: str, edit: str | None) -> str:
    """The configuration after the edit, default operation merge.

    Raises:
        KeyError: a delete of what is not there.
    """
    parser = etree.XMLParser(remove_blank_text=True)
    root = etree.fromstring(data.encode(), parser)
    body = etree.fromstring(f"<config>{edit or ''}</config>".encode(), parser)
    for element in body:
        _into(root, element)
    return etree.tostring(root, encoding="unicode")


Shape = tuple[str, str, tuple["Shape", ...], tuple["Shape", ...]]


def shape(data: str) -> Shape:
    """What a configuration says, in a form to compare: only what its user orders keeps an order."""
    return _shape(etree.fromstring(data.encode(), etree.XMLParser(remove_blank_text=True)))


def _shape(element: etree._Element) -> Shape:
    ordered = ("ace", "acl-set")
    children = [(etree.QName(c).localname, _shape(c)) for c in element]
    free = sorted((s for name, s in children if name not in ordered and s[1:] != ("", (), ())), key=str)
    text = "" if children else (element.text or "").strip()
    return (element.tag, text, tuple(free), tuple(s for name, s in children if name in ordered))


def _into(parent: etree._Element, new: etree._Element) -> None:
    old = next((c for c in parent if c.tag == new.tag and _key(c) == _key(new)), None)
    operation = new.attrib.get(OPERATION, "merge")
    if operation == "delete":
        if old is None:
            raise KeyError(f"data-missing: {new.tag} {_key(new)}")
        parent.remove(old)
    elif old is None:
        parent.append(_clean(new))
    elif operation == "replace":
        parent.replace(old, _clean(new))
    elif len(new):
        for child in new:
            _into(old, child)
    else:
        old.text = new.text


def _clean(element: etree._Element) -> etree._Element:
    copy = deepcopy(element)
    for inner in copy.iter():
        if inner.attrib.pop(OPERATION, "merge") == "delete":
            raise KeyError(f"data-missing: {inner.tag}")
    return copy


def _key(element: etree._Element) -> tuple[str, ...]:
    names = KEYS.get(etree.QName(element).localname, ())
    values = [c.text or "" for c in element if etree.QName(c).localname in names]
    return tuple(v.rpartition(":")[2] if "static" in v else v for v in values)
