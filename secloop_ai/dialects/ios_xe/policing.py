"""Rate limits: classes of traffic, each with a policer, in the policy map of one side of an interface.

An access list has no rate. A limit of ours is a permit in the list, where it has its place among our other entries,
and a class that polices what that entry matches; packets an earlier entry drops never get there. What an earlier
entry permits without a limit gets a class without a policer before it. The classes of a side of an interface follow
from our entries there and their rates alone, so that undo in any order leaves what the entries that stay ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from secloop_ai.contracts import Direction, Family
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.marks import own_acl
from secloop_ai.dialects.numbered import Place
from secloop_ai.dialects.xml import Element, add, below, ensure, first, leaf, reach, text_of

from . import interfaces
from . import names as n
from .acls import CLASS_NAME
from .entries import read_rule
from .limits import Limited, Policed
from .rules import write_rule

_BURST_S = 0.25
_LEAST_BURST, _MOST_BURST = 4_500, 512_000_000
"""Bytes; the least is three full frames."""
_POLICY_MAPS, _CLASS_MAPS = ((n.NATIVE, n.POLICIES, tag) for tag in (n.POLICY_MAP, n.CLASS_MAP))
_LISTS: dict[Family, str] = {
    family: f"{n.NATIVE}/{n.FAMILY_TAG[family]}/{n.ACCESS_LIST}/{tag}" for family, tag in n.ACL_TAG.items()
}
_DROPS = "/".join((n.ACTIONS, n.TARGET_BITRATE, n.POLICE, n.POLICE_ACTIONS, *n.EXCEED))
_RATE = f"{n.ACTIONS}/{n.TARGET_BITRATE}/{n.POLICE}/{n.BIT_RATE}"


def policy_name(place: Place) -> str:
    """Name of our policy map at a place."""
    return own_acl(place.interface, place.direction, n.V4).removesuffix("-v4")


def limited(root: Element) -> list[Place]:
    """Places with a policy map of ours."""
    found = []
    for name, interface in interfaces.listed(root):
        if interface.find(n.SERVICE_POLICY) is not None:
            places = (Place(name, direction) for direction in Direction)
            found += [place for place in places if served(root, place) == policy_name(place)]
    return found


def served(root: Element, place: Place) -> str | None:
    """Name of the policy map at a place."""
    interface = interfaces.find(root, place.interface)
    service = None if interface is None else first(interface, n.SERVICE_POLICY)
    return None if service is None else leaf(service, n.SERVICE[place.direction])


def classes_at(root: Element, place: Place) -> list[str]:
    """Names of the classes at work at a place."""
    name = served(root, place)
    policy = _policy_map(root, name) if name else None
    return [] if policy is None else _classes(policy)


def tags_at(root: Element, place: Place) -> set[str]:
    """Mitigations with classes at a place."""
    return {found[1] for name in classes_at(root, place) if (found := CLASS_NAME.fullmatch(name))}


def policed(root: Element) -> dict[str, Policed]:
    """Classes of ours with a policer, by name."""
    rates: dict[str, int] = {}
    if reach(root, n.NATIVE, n.POLICIES) is None:
        return {}
    for held in below(root, *_POLICY_MAPS, n.CLASS):
        text = leaf(held, _RATE)
        if text and text.isdecimal() and held.find(_DROPS) is not None:
            rates[leaf(held, n.POLICY_NAME) or ""] = int(text)
    found = {}
    for name, bits in rates.items():
        if CLASS_NAME.fullmatch(name) and (policed := _matched(root, name, bits)):
            found[name] = policed
    return found


def settle(root: Element, place: Place, wanted: Sequence[Limited]) -> None:
    """Make the classes at a place exactly these; none: without our policy map.

    Raises:
        DialectError: somebody else's policy map is there, or the interface cannot have one.
    """
    name, at_work = policy_name(place), served(root, place)
    if wanted and at_work not in (None, name):
        raise DialectError(
            f"{place} already has the policy map {at_work}, and takes only one: our rate limits need it removed there"
        )
    policy = _policy_map(root, name)
    for gone in set(_classes(policy) if policy is not None else ()) - {one.name for one in wanted}:
        _remove_class(root, gone)
    if wanted:
        for one in wanted:
            _put_class(root, one)
        _put_policy(root, policy, name, wanted)
        _serve(root, place, name)
    else:
        _stop(root, place, name)
        _remove(policy)


def parts(root: Element, place: Place) -> Iterator[tuple[str, list[Element]]]:
    """What the rate limits at a place depend on, by readable paths."""
    name = policy_name(place)
    policy, interface = _policy_map(root, name), interfaces.find(root, place.interface)
    names = [] if policy is None else _classes(policy)
    lists = [e for path in _LISTS.values() for e in root.iterfind(path) if leaf(e, n.ACL_NAME) in names]
    maps = [c for c in below(root, *_CLASS_MAPS) if leaf(c, n.POLICY_NAME) in names]
    service = [] if interface is None else interface.findall(n.SERVICE_POLICY)
    yield f"{interfaces.path(place.interface)}/service-policy", service
    yield f"/native/policy/policy-map[name='{name}']", [*maps, *lists, *([] if policy is None else [policy])]


def _policy_map(root: Element, name: str) -> Element | None:
    return next((p for p in below(root, *_POLICY_MAPS) if leaf(p, n.POLICY_NAME) == name), None)


def _classes(policy: Element) -> list[str]:
    return [leaf(held, n.POLICY_NAME) or "" for held in policy.iterchildren(n.CLASS)]


def _list(root: Element, name: str, family: Family) -> Element | None:
    lists = reach(root, n.NATIVE, n.FAMILY_TAG[family], n.ACCESS_LIST)
    every = lists.iterchildren(n.ACL_TAG[family]) if lists is not None else ()
    return next((e for e in every if leaf(e, n.ACL_NAME) == name), None)


def _matched(root: Element, name: str, bits: int) -> Policed | None:
    """A class with what its access list matches, where that is one rule."""
    for family in _LISTS:
        held = _list(root, name, family)
        rules = held.findall(f"{n.ENTRY}/{n.RULE}") if held is not None else []
        said = read_rule(rules[0], family, name) if len(rules) == 1 else None
        if said and len(said.rules) == 1 and not said.notes:
            return Policed(said.rules[0], bits)
    return None


def _put_class(root: Element, one: Limited) -> None:
    """Make the access list and the class map of a class what they have to be."""
    held = _list(root, one.name, one.family)
    said = _matched(root, one.name, 0) if held is not None else None
    if held is None or said is None or not said.rule.same_effect(one.rule):
        _remove(held)
        parent = ensure(ensure(ensure(root, n.NATIVE), n.FAMILY_TAG[one.family]), n.ACCESS_LIST)
        made = add(parent, n.ACL_TAG[one.family])
        add(made, n.ACL_NAME, one.name)
        entry = add(made, n.ENTRY)
        add(entry, n.NUMBER, "10")
        write_rule(entry, one.rule, one.family)
    if not any(leaf(c, n.POLICY_NAME) == one.name for c in below(root, *_CLASS_MAPS)):
        made = _add_policy(root, n.CLASS_MAP, one.name)
        add(made, n.PREMATCH, "match-all")
        add(add(add(made, n.MATCH), n.MATCH_GROUP), n.POLICY_NAME, one.name)


def _remove_class(root: Element, name: str) -> None:
    if CLASS_NAME.fullmatch(name):
        for family in _LISTS:
            _remove(_list(root, name, family))
        _remove(next((c for c in below(root, *_CLASS_MAPS) if leaf(c, n.POLICY_NAME) == name), None))


def _put_policy(root: Element, held: Element | None, name: str, wanted: Sequence[Limited]) -> None:
    made = _add_policy(root, n.POLICY_MAP, name)
    for one in wanted:
        _write_class(made, one)
    if held is not None:
        same = text_of(held) == text_of(made)
        _remove(made)
        if not same and (parent := held.getparent()) is not None:
            parent.replace(held, made)


def _write_class(policy: Element, one: Limited) -> None:
    held = add(policy, n.CLASS)
    add(held, n.POLICY_NAME, one.name)
    if one.bits_per_s is None:
        return
    actions = add(held, n.ACTIONS)
    add(actions, n.ACTION_TYPE, "police")
    police = add(add(actions, n.TARGET_BITRATE), n.POLICE)
    add(police, n.BIT_RATE, str(one.bits_per_s))
    burst = round(one.bits_per_s / 8 * _BURST_S)
    add(police, n.BURST, str(min(max(burst, _LEAST_BURST), _MOST_BURST)))
    done = add(police, n.POLICE_ACTIONS)
    for path in (n.CONFORM, n.EXCEED):
        place = done
        for tag in path:
            place = add(place, tag)


def _add_policy(root: Element, tag: str, name: str) -> Element:
    """Append a class map or policy map of ours; class maps come before policy maps."""
    policies = ensure(ensure(root, n.NATIVE), n.POLICIES)
    made = add(policies, tag)
    add(made, n.POLICY_NAME, name)
    behind = first(policies, n.POLICY_MAP)
    if tag == n.CLASS_MAP and behind is not None:
        behind.addprevious(made)
    return made


def _serve(root: Element, place: Place, name: str) -> None:
    interface = interfaces.need(root, place.interface, f"policy map {name} cannot be attached there")
    if interfaces.split(place.interface)[0] not in n.POLICED:
        raise DialectError(f"{place}: such an interface takes no policy map, so that it has no rate limits")
    ensure(ensure(interface, n.SERVICE_POLICY), n.SERVICE[place.direction]).text = name


def _stop(root: Element, place: Place, name: str) -> None:
    """Take our policy map off a place."""
    interface = interfaces.find(root, place.interface)
    service = None if interface is None else interface.find(n.SERVICE_POLICY)
    if service is None or leaf(service, n.SERVICE[place.direction]) != name:
        return
    _remove(service.find(n.SERVICE[place.direction]))
    if not len(service):
        _remove(service)


def _remove(element: Element | None) -> None:
    if element is not None and (parent := element.getparent()) is not None:
        parent.remove(element)
