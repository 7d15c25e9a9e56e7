"""Firewall filters: our terms go before everything that is not ours.

Where the first filter at a place is attached nowhere else, ours go in front of its terms. Else they go into a filter of
our own: alone and ending in an accept where nothing is attached; at the head of the unit's list, and without that
accept, where something is. A single filter becomes a list for that, and is single again when ours goes.

A filter discards what none of its terms matches, but in a list the last one alone does. So that discard is no rule of
a filter in the model: it stands at the end of what is attached, as an ACL with a reserved name, where a packet can
reach it. Filters attached outside of ``interfaces`` (forwarding tables, routing instances) are not looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from secloop_ai.contracts import (
    AclAttachment,
    AclModel,
    DeviceModel,
    Direction,
    Family,
    FilterOp,
    PacketRule,
    RuleAction,
    TaggedOp,
)
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.marks import PERMIT_REST, Mark, is_own_acl, mark_of, own_acl
from secloop_ai.dialects.numbered import IMPLICIT_DENY
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, leaf, move

from . import names as n
from .activity import active, live, open_to_change
from .device import Device, Place
from .rules import drop_unused_policers, ensure_policer, write_permit, write_term
from .terms import Term, read_policers, read_term

FAMILIES: tuple[Family, ...] = (4, 6)
Host = tuple[Element, Family]
Group = tuple[Element, str]


@dataclass(frozen=True)
class Filters:
    """Filters and their attachment, as a section of the dialect."""

    n: n.Names
    kind: ClassVar = FilterOp

    @property
    def tables(self) -> tuple[Node, ...]:
        """How this part is built: the configuration is one tree."""
        return (n.table(self.n),)

    def read(self, root: Element) -> DeviceModel:
        """Filters and attachments; what is deactivated is not there."""
        return _Reading(Device(root, self.n)).model()

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Put the operations' rules in place.

        Raises:
            DialectError: a place that cannot be filtered, or a rule that Junos cannot express.
        """
        device = Device(root, self.n)
        hosts: dict[Element, Family] = {}
        groups: dict[Group, list[tuple[int, PacketRule]]] = defaultdict(list)
        for tag, op in of_kind(ops, FilterOp):
            host = self._host(device, op)
            hosts[host] = op.family
            groups[host, tag] += [(op.rank, rule) for rule in op.rules]
        for (host, tag), rules in groups.items():
            self._put(device, (host, hosts[host]), tag, rules)
        for host, family in hosts.items():
            self._settle_rest(device, host, family)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take our terms with these tags out, and our own filters and policers that are left without any."""
        device, fw = Device(root, self.n), self.n.fw
        tags = {tag for tag, _ in of_kind(ops, FilterOp)}
        policers: set[str] = set()
        for family in FAMILIES if tags else ():
            for host in list(device.filters(family)):
                mine = [term for mark, term in self._marked(host) if mark.tag in tags]
                policers |= self._drop(host, mine)
                name = leaf(host, fw.name) or ""
                if mine and is_own_acl(name) and self._terms(host) <= {PERMIT_REST}:
                    device.detach(name, family, single_again=self._was_single(host) is not None)
                    _drop_element(host)
        if policers and (firewall := device.firewall) is not None:
            drop_unused_policers(firewall, fw, policers)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our terms, also of those somebody deactivated."""
        device = Device(root, self.n)
        for family in FAMILIES:
            for host in device.filters(family):
                yield from (mark.tag for mark, _ in self._marked(host))

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """What hangs at the places, the filters this depends on, where else those are used, and our policers."""
        device, mine = Device(root, self.n), of_kind(ops, FilterOp)
        i = self.n.ifs
        names = {(name, op.family) for _, op in mine for name in (_own(op), *device.at(_place(op))[:1])}
        names |= self._carriers(device, {tag for tag, _ in mine})
        places = {_place(op) for _, op in mine}
        places |= {a.place for a in device.attached() if is_own_acl(a.name) and (a.name, a.place.family) in names}
        for unit, family in sorted({(p.unit, p.family) for p in places}):
            path = f"{i.family}/{n.fw_family(i)[family]}/{i.filter}"
            there = device.unit(unit)
            held = [] if there is None else there.findall(path)
            yield f"/interfaces//{unit}/family/{n.FAMILY[family]}/filter", held
        for name, family in sorted(names):
            host = device.get(name, family)
            path = f"/firewall/family/{n.FAMILY[family]}/filter[name='{name}']"
            yield path, [] if host is None else [host]
            yield f"{path}/uses", device.uses(name, family)
        yield from self._shared(device, mine)

    def _shared(self, device: Device, mine: Sequence[tuple[str, FilterOp]]) -> Iterator[tuple[str, list[Element]]]:
        """What goes with our last entry, where nobody else's is in it, and the policers we share among terms."""
        firewall = device.firewall
        if not mine or firewall is None:
            return
        for family in sorted({op.family for _, op in mine}):
            holders = [h for h in device.containers(family) if device.all_ours(h)]
            if holders:
                yield f"/firewall/family/{n.FAMILY[family]}", holders
        if device.all_ours(firewall):
            yield "/firewall", [firewall]
        if any(rule.rate_bytes_per_s for _, op in mine for rule in op.rules):
            yield "/firewall/policer", firewall.findall(self.n.fw.policer)
            yield "/firewall//then/policer", [p for p in firewall.iter(self.n.fw.policer) if len(p) == 0]

    def _carriers(self, device: Device, tags: set[str]) -> set[tuple[str, Family]]:
        """The filters with terms of these tags."""
        return {
            (leaf(host, self.n.fw.name) or "", family)
            for family in (FAMILIES if tags else ())
            for host in device.filters(family)
            if any(mark.tag in tags for mark, _ in self._marked(host))
        }

    def _marked(self, host: Element) -> list[tuple[Mark, Element]]:
        """Our terms of a filter, in document order."""
        found = [(mark_of(leaf(t, self.n.fw.name)), t) for t in host.iterfind(self.n.fw.term)]
        return [(mark, term) for mark, term in found if mark]

    def _terms(self, host: Element) -> set[str]:
        return {leaf(t, self.n.fw.name) or "" for t in host.iterfind(self.n.fw.term)}

    def _was_single(self, host: Element) -> Element | None:
        macros = host.iterfind(self.n.fw.apply_macro)
        return next((m for m in macros if leaf(m, self.n.fw.name) == n.WAS_SINGLE), None)

    def _drop(self, host: Element, terms: Sequence[Element]) -> set[str]:
        """Remove terms; the policers they named."""
        named: set[str] = set()
        for term in terms:
            named |= {(p.text or "").strip() for p in term.iter(self.n.fw.policer)}
            host.remove(term)
        return named

    def _host(self, device: Device, op: FilterOp) -> Element:
        """The filter the operation's terms go into; our own is made and attached when it has to be."""
        place, family = device.family_of(op)
        container = family.find(self.n.ifs.filter)
        there = [] if container is None else device.names_in(container, op.direction)
        first = device.get(there[0], op.family) if there else None
        alone = bool(there) and (there[0] == _own(op) or len(device.uses(there[0], op.family)) == 1)
        if first is not None and alone and (is_own_acl(there[0]) or active(first)):
            open_to_change(first, f"{place}: nothing can be put into filter {there[0]}")
            return first
        own = device.get(_own(op), op.family)
        if own is None:
            own = device.create(_own(op), op.family)
        open_to_change(own, f"{place}: nothing can be put into filter {_own(op)}")
        single = device.attach_first(_own(op), place, family)
        if single and self._was_single(own) is None:
            macro = add(own, self.n.fw.apply_macro)
            add(macro, self.n.fw.name, n.WAS_SINGLE)
            move(own, 1, macro)
        return own

    def _put(self, device: Device, host: Host, tag: str, rules: Sequence[tuple[int, PacketRule]]) -> None:
        """Make the terms of one tag exactly these rules, each with its rank, and sort ours to the front."""
        filter_, family = host
        firewall, fw = device.firewall, self.n.fw
        if firewall is None:
            return
        wanted = sorted(rules, key=lambda pair: pair[0])
        mine = [(m, term) for m, term in self._marked(filter_) if m.tag == tag]
        policers = read_policers(live(firewall, fw.policer))
        said = [(m.rank, read_term(term, family, policers), active(term)) for m, term in mine]
        if not _say(said, wanted):
            freed = self._drop(filter_, [term for _, term in mine])
            for number, (rank, rule) in enumerate(wanted):
                ensure_policer(firewall, fw, rule)
                write_term(filter_, fw, str(Mark(rank, tag, number)), rule, family)
            drop_unused_policers(firewall, fw, freed)
        start = next((k for k, child in enumerate(filter_) if child.tag == fw.term), len(filter_))
        for index, (_, term) in enumerate(sorted(self._marked(filter_), key=lambda pair: pair[0]), start):
            if filter_[index] is not term:
                move(filter_, index, term)

    def _settle_rest(self, device: Device, host: Element, family: Family) -> None:
        """A filter of ours ends in an accept exactly where nothing is attached behind it."""
        fw = self.n.fw
        name = leaf(host, fw.name) or ""
        if not is_own_acl(name):
            return
        rests = [t for t in host.iterfind(fw.term) if leaf(t, fw.name) == PERMIT_REST]
        hung = [(a.element.getparent(), a.place.direction) for a in device.hung(name, family)]
        followed = any(c is not None and device.names_in(c, direction)[-1] != name for c, direction in hung)
        for rest in rests[0 if followed else 1 :]:
            host.remove(rest)
        if not followed and not rests:
            write_permit(host, fw, PERMIT_REST)
        elif not followed and rests[0] is not host[-1]:
            move(host, len(host), rests[0])


@dataclass(frozen=True)
class _Reading:
    """Reads the model of filters and attachments."""

    device: Device

    def model(self) -> DeviceModel:
        """Everything that has an effect."""
        firewall, fw = self.device.firewall, self.device.n.fw
        policers = read_policers(live(firewall, fw.policer)) if firewall is not None else {}
        acls: dict[tuple[str, Family], AclModel] = {}
        notes = [f"interface-range {r} is not looked at" for r in self.device.ranges()]
        for family in FAMILIES:
            for host in (f for f in self.device.filters(family) if active(f)):
                name = leaf(host, fw.name) or "?"
                label = f"{n.FAMILY[family]}/{name}" if (name, 10 - family) in acls else name
                terms = [read_term(term, family, policers) for term in live(host, fw.term)]
                acls[name, family] = AclModel(name=label, family=family, rules=tuple(r for t in terms for r in t.rules))
                notes += [f"filter {label}: {note}" for term in terms for note in term.notes]
                notes += [f"filter {label}: {odd} is not looked at" for odd in self._inherited(host)]
        attached = self._attached(acls, notes)
        ends = {end.name: end for end in (_end(f) for f in FAMILIES)}
        used = {name for a in attached for name in a.acls}
        return DeviceModel(
            acls=(*acls.values(), *(end for name, end in ends.items() if name in used)),
            attachments=attached,
            notes=tuple(notes),
        )

    def _inherited(self, host: Element) -> list[str]:
        odd = [str(c.tag).rpartition("}")[2] for c in host]
        return [kind for kind in dict.fromkeys(odd) if kind in ("apply-groups", "apply-groups-except")]

    def _attached(self, acls: dict[tuple[str, Family], AclModel], notes: list[str]) -> tuple[AclAttachment, ...]:
        places: dict[Place, list[str]] = defaultdict(list)
        for attached in self.device.attached():
            if active(attached.element):
                places[attached.place].append(attached.name)
        sides: dict[tuple[str, Direction], list[str]] = defaultdict(list)
        for place, names in places.items():
            family = place.family
            found = [acls[name, family] for name in names if (name, family) in acls]
            notes += [f"{place}: there is no filter {name}" for name in names if (name, family) not in acls]
            labels = [acl.name for acl in found]
            decided = any(_takes_all(rule) for acl in found for rule in acl.rules)
            sides[place.unit, place.direction] += labels if decided else [*labels, _end(family).name]
        return tuple(AclAttachment(interface=i, direction=d, acls=tuple(a)) for (i, d), a in sides.items())


def _end(family: Family) -> AclModel:
    """What happens to a packet that no term of what is attached matches."""
    rule = PacketRule(name=IMPLICIT_DENY, action=RuleAction.DROP)
    return AclModel(name=f"{IMPLICIT_DENY}-{n.FAMILY[family]}", family=family, rules=(rule,))


def _takes_all(rule: PacketRule) -> bool:
    return rule.protocol is None and rule.source is None and rule.destination is None


def _say(said: Sequence[tuple[int, Term, bool]], wanted: Sequence[tuple[int, PacketRule]]) -> bool:
    """Whether terms, with their ranks and whether they are active, are exactly the rules wanted."""
    return [rank for rank, _, _ in said] == [rank for rank, _ in wanted] and all(
        is_active and term.says(rule) for (_, term, is_active), (_, rule) in zip(said, wanted, strict=True)
    )


def _own(op: FilterOp) -> str:
    return own_acl(op.interface, op.direction, op.family)


def _place(op: FilterOp) -> Place:
    return Place(op.interface, op.direction, op.family)


def _drop_element(element: Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
