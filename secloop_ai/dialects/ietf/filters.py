"""Packet filters: our entries go before everything that is not ours.

Where the first ACL that looks at the family takes its entries and is attached nowhere else, ours go into it. Else
they go into an ACL of our own: behind what is attached and ending in a permit, where nothing attached there looks at
the family; in front and without that permit, where something does, so that it keeps its say and no other place feels
our entries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import ClassVar

from secloop_ai.contracts import (
    AclAttachment,
    AclModel,
    DeviceModel,
    Family,
    FilterOp,
    PacketRule,
    RuleAction,
    TaggedOp,
)
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.marks import PERMIT_REST, Mark, is_own_acl, mark_of, own_acl
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, ensure, identity, leaf, move

from . import names as n
from .acls import Acls, Place, kind_of
from .entries import entry_family, pinned, read_entry
from .rules import write_entry

PERMIT_REST_KEPT = f"{PERMIT_REST}-kept"
"""The same entry, where the interface had attachment settings before us: they stay when our ACL goes."""
_RESTS = frozenset({PERMIT_REST, PERMIT_REST_KEPT})
Group = tuple[Element, str, Family]


class Filters:
    """RFC 8519 ACLs and their attachment, as a section of the dialect."""

    kind: ClassVar = FilterOp
    tables: tuple[Node, ...] = (n.FILTER_TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """ACLs and attachments."""
        acls = Acls(root)
        read = [_read_acl(acl) for acl in acls.entries()]
        attached: dict[Place, list[str]] = defaultdict(list)
        for place, entry in acls.attachments():
            attached[place].append(leaf(entry, n.ACL_NAME) or "")
        there = {model.name for model, _ in read}
        notes = [note for _, said in read for note in said]
        for (interface, direction), names in attached.items():
            notes += [f"{interface} {direction}: there is no acl {a}" for a in names if a not in there]
        return DeviceModel(
            acls=tuple(model for model, _ in read),
            attachments=tuple(AclAttachment(interface=i, direction=d, acls=tuple(a)) for (i, d), a in attached.items()),
            notes=tuple(notes),
        )

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Put the operations' rules in place.

        Raises:
            DialectError: a rule that RFC 8519 cannot express.
        """
        acls = Acls(root)
        groups: dict[Group, list[tuple[int, PacketRule]]] = defaultdict(list)
        for tag, op in of_kind(ops, FilterOp):
            groups[_host(acls, op), tag, op.family] += [(op.rank, rule) for rule in op.rules]
        for (host, tag, family), rules in groups.items():
            _put(host, tag, family, rules)
        for host in {host for host, _, _ in groups}:
            _settle_rest(acls, host)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take our entries with these tags out, and our own ACLs that are left without any."""
        acls = Acls(root)
        tags = {tag for tag, _ in of_kind(ops, FilterOp)}
        for acl in acls.entries() if tags else ():
            mine = [ace for mark, ace in _marked(acl) if mark.tag in tags]
            for ace in mine:
                ensure(acl, n.ACES).remove(ace)
            if mine and is_own_acl(leaf(acl, n.ACL_NAME)) and (left := _entry_names(acl)) <= _RESTS:
                acls.delete(acl, keep_points=PERMIT_REST_KEPT in left)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our entries."""
        for acl in Acls(root).entries():
            yield from (mark.tag for mark, _ in _marked(acl))

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The places' attachments, the ACLs these depend on, and how often those are attached."""
        acls = Acls(root)
        mine = of_kind(ops, FilterOp)
        names = {name for _, op in mine for name in (_own(op), *_looked_at(acls, op))}
        names |= _carriers(acls, {tag for tag, _ in mine})
        interfaces = {op.interface for _, op in mine} | {i for a in names if is_own_acl(a) for i, _ in acls.places(a)}
        for interface in sorted(interfaces):
            point = acls.point(interface)
            yield f"/acls/attachment-points/interface[interface-id='{interface}']", [] if point is None else [point]
        for name in sorted(names):
            acl = acls.get(name)
            yield f"/acls/acl[name='{name}']", [] if acl is None else [acl]
            used = [entry for _, entry in acls.attachments() if leaf(entry, n.ACL_NAME) == name]
            yield f"/acls/attachment-points//acl-set[name='{name}']", used
        if mine and acls.all_ours():
            yield "/acls", root.findall(n.ACLS)


def _read_acl(acl: Element) -> tuple[AclModel, list[str]]:
    name, kind = leaf(acl, n.ACL_NAME) or "?", kind_of(acl)
    read = [read_entry(ace, kind) for ace in acl.iterfind(f"{n.ACES}/{n.ACE}")]
    notes = [f"acl {name}: {note}" for entry in read for note in entry.notes]
    return AclModel(name=name, family=kind.family, rules=tuple(r for e in read for r in e.rules)), notes


def _own(op: FilterOp) -> str:
    return own_acl(op.interface, op.direction, op.family)


def _marked(acl: Element) -> list[tuple[Mark, Element]]:
    """Our entries of an ACL, in document order."""
    aces = [(mark_of(leaf(ace, n.ACL_NAME)), ace) for ace in acl.iterfind(f"{n.ACES}/{n.ACE}")]
    return [(mark, ace) for mark, ace in aces if mark]


def _entry_names(acl: Element) -> set[str]:
    return {leaf(ace, n.ACL_NAME) or "" for ace in acl.iterfind(f"{n.ACES}/{n.ACE}")}


def _carriers(acls: Acls, tags: set[str]) -> set[str]:
    """Names of the ACLs with entries of these tags."""
    return {leaf(a, n.ACL_NAME) or "" for a in acls.entries() if any(m.tag in tags for m, _ in _marked(a))}


def _looked_at(acls: Acls, op: FilterOp) -> list[str]:
    """Names of the attached ACLs up to the first that looks at the operation's family."""
    names = []
    for entry in acls.at((op.interface, op.direction)):
        names.append(name := leaf(entry, n.ACL_NAME) or "")
        if (acl := acls.get(name)) is not None and op.family in kind_of(acl).sees:
            break
    return names


def _host(acls: Acls, op: FilterOp) -> Element:
    """The ACL the operation's entries go into; our own is made and attached when it has to be."""
    name = next(iter(_looked_at(acls, op)[-1:]), None)
    first = acls.get(name)
    kind = kind_of(first) if first is not None else n.OTHER_TYPE
    deciding = first is not None and op.family in kind.sees
    alone = name == _own(op) or len(acls.places(name or "")) == 1
    if first is not None and op.family in kind.takes and alone:
        return first
    own = acls.get(_own(op))
    if own is None:
        own = _make_own(acls, op)
    acls.attach(_own(op), (op.interface, op.direction), first=deciding)
    return own


def _make_own(acls: Acls, op: FilterOp) -> Element:
    """Our own ACL of a place, which so far permits everything."""
    kept = acls.point(op.interface) is not None and not _there_for_us(acls, op.interface)
    acl = acls.create(_own(op))
    add(acl, n.ACL_TYPE, identity(acl, n.TYPE_OF[op.family], n.ACL))
    _permit_rest(acl, PERMIT_REST_KEPT if kept else PERMIT_REST)
    return acl


def _there_for_us(acls: Acls, interface: str) -> bool:
    """Whether an interface has attachment settings because of us alone."""
    held = [acls.get(leaf(entry, n.ACL_NAME)) for (i, _), entry in acls.attachments() if i == interface]
    return bool(held) and all(acl is not None and PERMIT_REST in _entry_names(acl) for acl in held)


def _permit_rest(acl: Element, name: str) -> None:
    write_entry(ensure(acl, n.ACES), name, PacketRule(name=name, action=RuleAction.PERMIT), None)


def _settle_rest(acls: Acls, acl: Element) -> None:
    """An ACL of ours ends in a permit exactly where nothing behind it looks at its family."""
    name, family = leaf(acl, n.ACL_NAME) or "", kind_of(acl).family
    if not is_own_acl(name) or family is None:
        return
    rests = [ace for ace in acl.iterfind(f"{n.ACES}/{n.ACE}") if leaf(ace, n.ACL_NAME) in _RESTS]
    followed = any(family in kind_of(other).sees for place in acls.places(name) for other in acls.behind(name, place))
    if followed:
        for ace in rests:
            ensure(acl, n.ACES).remove(ace)
    elif not rests:
        _permit_rest(acl, PERMIT_REST_KEPT)


def _put(acl: Element, tag: str, family: Family, rules: Sequence[tuple[int, PacketRule]]) -> None:
    """Make the entries of one tag and family exactly these rules, each with its rank, and sort ours to the front."""
    kind, aces = kind_of(acl), ensure(acl, n.ACES)
    mixed = kind.family is None
    wanted = [(rank, pinned(r, family) if mixed else r) for rank, r in sorted(rules, key=lambda pair: pair[0])]
    mine = [(m, ace) for m, ace in _marked(acl) if m.tag == tag and (not mixed or entry_family(ace) == family)]
    said = [(mark.rank, read_entry(ace, kind)) for mark, ace in mine]
    if [r for r, _ in said] != [r for r, _ in wanted] or not all(
        entry.says(rule) for (_, entry), (_, rule) in zip(said, wanted, strict=True)
    ):
        for _, ace in mine:
            aces.remove(ace)
        start = max((m.number + 1 for m, _ in _marked(acl) if m.tag == tag), default=0)
        for number, (rank, rule) in enumerate(wanted, start):
            write_entry(aces, str(Mark(rank, tag, number)), rule, family)
    for index, (_, ace) in enumerate(sorted(_marked(acl), key=lambda pair: pair[0])):
        if aces[index] is not ace:
            move(aces, index, ace)
