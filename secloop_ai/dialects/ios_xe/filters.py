"""Packet filters and their rate limits, as one section: the shared engine for the lists, policy maps for the rates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from secloop_ai.contracts import DeviceModel, FilterOp, TaggedOp
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.numbered import NumberedFilters, Place
from secloop_ai.dialects.numbered.reading import model_names
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element

from . import policing
from .acls import AccessLists
from .limits import Asked, Rates, Spot, bits_of, classes, permits, with_rates
from .rules import normal

LISTS = AccessLists()
_ENGINE = NumberedFilters(LISTS)


class Filters:
    """Access lists and policy maps, as a section of the dialect."""

    kind: ClassVar = FilterOp
    tables: tuple[Node, ...] = LISTS.tables

    def read(self, root: Element) -> DeviceModel:
        """ACLs and attachments; a permit of ours whose class is policed wherever its list is attached has its rate."""
        model, held = _ENGINE.read(root), policing.policed(root)
        if not held:
            return model
        keys = {name: key for key, name in model_names(list(LISTS.acls(root))).items()}
        here: dict[str, list[Place]] = {}
        for attached in model.attachments:
            for name in attached.acls:
                here.setdefault(name, []).append(Place(attached.interface, attached.direction))
        acls = []
        for acl in model.acls:
            at_work = [set(policing.classes_at(root, place)) for place in here.get(acl.name, ())]
            known = set.intersection(*at_work) if at_work else set()
            acls.append(with_rates(acl, keys[acl.name], {name: held[name] for name in known & held.keys()}))
        return model.model_copy(update={"acls": tuple(acls)})

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Put the operations' rules in place, then their rates.

        Raises:
            DialectError: a rule or a rate the device cannot express, a list without room or one that other places
                share, somebody else's policy map where a limit is wanted.
        """
        rates, plain = _without_rates(ops)
        _ENGINE.put(root, plain)
        for place in dict.fromkeys(spot.place for spot in rates):
            asked = any(one.bits_per_s for spot, listed in rates.items() if spot.place == place for one in listed)
            if asked or policing.served(root, place) == policing.policy_name(place):
                _settle(root, place, rates)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take our entries with these tags out, our own lists that are left without any, and the tags' limits."""
        tags = {tag for tag, _ in of_kind(ops, FilterOp)}
        places = [place for place in policing.limited(root) if tags & policing.tags_at(root, place)]
        _ENGINE.remove(root, ops)
        for place in places:
            _settle(root, place, {})

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our entries."""
        yield from _ENGINE.tags(root)

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """What the engine names, and the policy maps where there are rate limits."""
        yield from _ENGINE.subtrees(root, ops)
        mine = of_kind(ops, FilterOp)
        tags = {tag for tag, _ in mine}
        places = {Place(op.interface, op.direction) for _, op in mine if any(r.rate_bytes_per_s for r in op.rules)}
        places |= {place for place in policing.limited(root) if tags & policing.tags_at(root, place)}
        for place in sorted(places):
            yield from policing.parts(root, place)


def _without_rates(ops: Sequence[TaggedOp]) -> tuple[Rates, list[tuple[str, FilterOp]]]:
    """The rates of the filter operations, and these without them, as the device can say them."""
    rates: dict[Spot, list[tuple[int, Asked]]] = {}
    plain = []
    for tag, op in of_kind(ops, FilterOp):
        spot = Spot(Place(op.interface, op.direction), op.family, tag)
        rules = tuple(normal(rule) for rule in op.rules)
        asked = (Asked(said, bits_of(rule)) for said, rule in zip(rules, op.rules, strict=True))
        rates.setdefault(spot, []).extend((op.rank, one) for one in asked)
        plain.append((tag, op if rules == op.rules else op.model_copy(update={"rules": rules})))
    ordered = {spot: sorted(found, key=lambda pair: pair[0]) for spot, found in rates.items()}
    return {spot: [one for _, one in found] for spot, found in ordered.items()}, plain


def _settle(root: Element, place: Place, rates: Rates) -> None:
    """Bring the classes at a place in line with our entries there."""
    held = policing.policed(root)
    keys = {a.key for a in LISTS.attachments(root) if a.place == place}
    found = [
        one
        for acl in list(LISTS.acls(root))
        if acl.key in keys
        for one in permits(LISTS, root, acl, place, rates, held)
    ]
    policing.settle(root, place, classes(found))
