"""RFC 8519 access control entries read as packet rules.

What an entry says beyond a packet rule (a TCP flag, a MAC address, an unknown augmentation) is noted, and the entry
is read so that the model never lets a packet pass that the device might stop: such an accept is left out, such a
drop or reject is taken as if that condition were not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from itertools import product
from typing import NamedTuple

from pydantic import ValidationError

from secloop_ai.contracts import Family, IPNetwork, PacketRule, PortRange, RuleAction
from secloop_ai.dialects.xml import Element, identity_name, leaf, local

from . import names as n

ANYWHERE: dict[Family, IPNetwork] = {4: ip_network("0.0.0.0/0"), 6: ip_network("::/0")}
_TOP_PORT = 65535
_FAMILY_OF = {tag: family for family, tag in n.L3.items()}
_PROTOCOL_OF = {tag: protocol for protocol, tag in n.L4.items()}
_PORT_FIELDS = {n.SOURCE_PORT: "source_port", n.DESTINATION_PORT: "destination_port"}


class Entry(NamedTuple):
    """An access control entry as it was read.

    Attributes:
        rules: none when it was left out; several where one port condition stands for two ranges (``neq``).
        notes: what could not be expressed.
    """

    rules: tuple[PacketRule, ...]
    notes: tuple[str, ...]

    def says(self, rule: PacketRule) -> bool:
        """Whether it is exactly this rule, apart from its name."""
        return len(self.rules) == 1 and not self.notes and self.rules[0].same_effect(rule)


@dataclass
class _Found:
    """What the parts of one entry say."""

    fields: dict[str, object] = field(default_factory=dict)
    ports: dict[str, tuple[PortRange, ...]] = field(default_factory=dict)
    action: RuleAction = RuleAction.DROP
    family: Family | None = None
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def pinned(rule: PacketRule, family: Family) -> PacketRule:
    """The rule as it must stand in an ACL of mixed type: bound to one family by an address."""
    return rule if rule.source or rule.destination else rule.model_copy(update={"source": ANYWHERE[family]})


def entry_family(ace: Element) -> Family | None:
    """The address family whose header the entry looks at."""
    matches = ace.find(n.MATCHES)
    parts = matches if matches is not None else ()
    return next((_FAMILY_OF[str(p.tag)] for p in parts if p.tag in _FAMILY_OF and len(p)), None)


def read_entry(ace: Element, kind: n.AclType) -> Entry:
    """The rules an entry of an ACL of that type stands for."""
    name = leaf(ace, n.ACL_NAME) or "?"
    found = _Found()
    for part in ace.iterfind(f"{n.MATCHES}/*"):
        _read_match(part, found)
    _settle_family(found, kind)
    _read_actions(ace.find(n.ACTIONS), found)
    found.notes[:0] = [f"condition {x} is not looked at" for x in found.unread]
    if found.unread and found.action is RuleAction.PERMIT:
        return Entry((), (f"entry {name}: {'; '.join(found.notes)}; accept left out",))
    rules = _rules(name, found)
    return Entry(rules, (f"entry {name}: {'; '.join(found.notes)}",) if found.notes else ())


def _rules(name: str, found: _Found) -> tuple[PacketRule, ...]:
    try:
        return tuple(_expanded(name, found))
    except ValidationError as error:
        found.notes.append(f"{error.errors()[0]['msg']}; taken to drop everything")
        return (PacketRule(name=name, action=RuleAction.DROP),)


def _expanded(name: str, found: _Found) -> Iterator[PacketRule]:
    """One rule per combination of port ranges."""
    choices = [[(key, value) for value in values] for key, values in found.ports.items()]
    for number, chosen in enumerate(product(*choices), start=1):
        label = name if number == 1 else f"{name[:62]}~{number}"
        fields = {"name": label, "action": found.action, **found.fields, **dict(chosen)}
        yield PacketRule.model_validate(fields)


def _settle_family(found: _Found, kind: n.AclType) -> None:
    """Bind an entry of a mixed ACL to its family; an entry of the wrong one is not understood."""
    if found.family is None:
        return
    if kind.family is None and not {"source", "destination"} & found.fields.keys():
        found.fields["source"] = ANYWHERE[found.family]
    if kind.family is not None and kind.family != found.family:
        found.unread.append(f"ipv{found.family}")


def _read_match(part: Element, found: _Found) -> None:
    tag = str(part.tag)
    if tag in _FAMILY_OF:
        for item in part:
            found.family = _FAMILY_OF[tag]
            if not _read_l3(item, found.family, found):
                found.unread.append(local(item))
    elif tag in _PROTOCOL_OF:
        for item in part:
            if (len(item) or item.text) and not _read_l4(item, _PROTOCOL_OF[tag], found):
                found.unread.append(f"{local(part)} {local(item)}")
    elif len(part) or part.text:
        found.unread.append(local(part))


def _read_l3(item: Element, family: Family, found: _Found) -> bool:
    text = (item.text or "").strip()
    try:
        if item.tag == n.PROTOCOL:
            return found.fields.setdefault("protocol", int(text)) == int(text)
        if item.tag in (n.SOURCE[family], n.DESTINATION[family]):
            key = "source" if item.tag == n.SOURCE[family] else "destination"
            found.fields[key] = ip_network(text, strict=False)
            return True
    except ValueError:
        return False
    return False


def _read_l4(item: Element, protocol: int, found: _Found) -> bool:
    """A port condition; it implies its protocol."""
    if found.fields.setdefault("protocol", protocol) != protocol or item.tag not in _PORT_FIELDS:
        return False
    try:
        ranges = _ranges(item)
    except ValueError:
        return False
    if ranges:
        found.ports[_PORT_FIELDS[str(item.tag)]] = ranges
    return bool(ranges)


def _ranges(item: Element) -> tuple[PortRange, ...]:
    """The ranges a port condition stands for; none when it is of no known form."""
    low, high, port = (leaf(item, tag) for tag in (n.LOWER, n.UPPER, n.PORT))
    if low is not None and high is not None:
        return (PortRange(low=int(low), high=int(high)),)
    if port is None:
        return ()
    number = int(port)
    spans = {
        "eq": [(number, number)],
        "lte": [(0, number)],
        "gte": [(number, _TOP_PORT)],
        "neq": [(0, number - 1), (number + 1, _TOP_PORT)],
    }.get(leaf(item, n.OPERATOR) or "eq", [])
    return tuple(PortRange(low=a, high=b) for a, b in spans if a <= b)


def _read_actions(actions: Element | None, found: _Found) -> None:
    parts = list(actions) if actions is not None else []
    forwarding = next((p for p in parts if p.tag == n.FORWARDING), None)
    word = identity_name(forwarding, n.ACL) if forwarding is not None else None
    if word in n.FORWARDS:
        found.action = n.FORWARDS[word]
    else:
        found.notes.append(f"forwarding action {word or 'unknown'} is taken as drop")
    for part in parts:
        if part.tag == n.RATE_LIMIT:
            found.fields["rate_bytes_per_s"] = part.text
        elif part.tag not in (n.FORWARDING, n.LOGGING):
            found.notes.append(f"action {local(part)} is not looked at")
