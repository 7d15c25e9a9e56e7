"""Terms of a firewall filter read as packet rules.

A term matches where, of each kind of condition, one value does; so it stands for one rule per combination. What it
says beyond that (a TCP flag, a prefix list, ``except``) is noted, and the term is read so that the model never lets a
packet pass that the device might stop: such an accept is left out, such a discard or reject is taken as if that
condition were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product
from math import prod
from typing import Any, NamedTuple

from secloop_ai.contracts import WITH_PORTS, Family, PacketRule, RuleAction
from secloop_ai.dialects.xml import Element, local

from . import names as n
from . import values
from .activity import parts

_NAME_LIMIT, _MOST = 64, 4096
Fields = dict[str, Any]
Choice = list[Fields]
Policers = Mapping[str, float | None]
"""Policer → its rate in bytes per second; None for one that does something else."""

_PROTOCOLS = ("protocol", "next-header", "payload-protocol")
_TERMINAL = {word: action for action, word in n.DECISIONS.items()}
_ELSEWHERE = frozenset({
    "logical-system", "redirect", "routing-instance", "topology", "next-ip", "next-ip6", "next-interface",
    "ipsec-sa", "next-hop-group", "decapsulate", "encapsulate", "load-balance",
})  # fmt: skip
"""Decisions that send the packet another way; whether it arrives is not known here."""
_ASIDE = frozenset({
    "count", "traffic-class-count", "log", "syslog", "sample", "port-mirror", "port-mirror-instance",
    "l2-mirror", "packet-capture", "dscp", "traffic-class", "outer-dscp", "loss-priority", "forwarding-class",
    "service-accounting", "service-accounting-deferred", "accounting", "inline-monitoring-instance",
    "exclude-accounting", "packet-mode",
})  # fmt: skip
"""Actions that do not decide whether a packet passes."""


class Term(NamedTuple):
    """A term as it was read.

    Attributes:
        rules: none where it was left out or passes its packets on.
        notes: what could not be expressed.
    """

    rules: tuple[PacketRule, ...]
    notes: tuple[str, ...]

    def says(self, rule: PacketRule) -> bool:
        """Whether it is exactly this rule, apart from its name."""
        return len(self.rules) == 1 and not self.notes and self.rules[0].same_effect(rule)


@dataclass
class _Found:
    """What the parts of one term say."""

    family: Family
    choices: dict[str, Choice] = field(default_factory=dict)
    action: RuleAction = RuleAction.PERMIT
    goes_on: bool = False
    blind: list[str] = field(default_factory=list)
    rate: float | None = None
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_term(term: Element, family: Family, policers: Policers) -> Term:
    """The rules a term of a filter of that family stands for."""
    found, name = _Found(family), "?"
    for part in parts(term):
        kind = local(part)
        if kind == "name":
            name = (part.text or "").strip() or "?"
        elif kind == "from":
            _read_from(part, found)
        elif kind == "then":
            _read_then(part, found, policers)
        elif kind != "apply-macro":
            found.blind.append(kind)
    return _settled(name, found)


def short(name: str) -> str:
    """A name that a packet rule may have: one that is too long is cut and told apart by a hash."""
    return name if len(name) <= _NAME_LIMIT else f"{name[:50]}~{sha256(name.encode()).hexdigest()[:8]}"


def _settled(name: str, found: _Found) -> Term:
    if found.blind:
        said = f"term {name}: {', '.join(found.blind)} is not looked at; taken to discard everything"
        return Term((PacketRule(name=short(name), action=RuleAction.DROP),), (said,))
    choices = _with_protocols(found)
    if prod(len(c) for c in choices) > _MOST:
        found.unread.append(f"with more than {_MOST} combinations")
        choices = []
    notes = [f"condition {x} is not looked at" for x in dict.fromkeys(found.unread)] + found.notes
    if found.goes_on:
        return Term((), (f"term {name}: {'; '.join(notes)}",) if notes else ())
    if found.unread and found.action is RuleAction.PERMIT:
        return Term((), (f"term {name}: {'; '.join(notes)}; accept left out",))
    rules = tuple(_rules(short(name), found, choices))
    return Term(rules, (f"term {name}: {'; '.join(notes)}",) if notes else ())


def _with_protocols(found: _Found) -> list[Choice]:
    """The choices; a term on ports without a protocol is read as one of TCP and UDP."""
    choices = dict(found.choices)
    vague = {key for kind in found.unread for key in _about(kind)}
    for kind in [k for k, choice in choices.items() if any(vague & part.keys() for part in choice)]:
        del choices[kind]
    protocols = next((c for c in choices.values() if "protocol" in c[0]), None)
    if any(kind.endswith("port") for kind in choices):
        if protocols is None:
            choices["protocol"] = [{"protocol": number} for number in WITH_PORTS]
            found.notes.append("ports without a protocol are read as those of tcp and udp")
        elif any(p["protocol"] not in WITH_PORTS for p in protocols):
            found.notes.append("ports are looked at for tcp and udp only")
    return list(choices.values())


def _about(kind: str) -> set[str]:
    """The fields that a condition which was not understood may speak of: other values for them widen the term."""
    kind = kind.removesuffix("-except")
    if kind in _PROTOCOLS:
        return {"protocol", "source_port", "destination_port"}
    ends = [end for end in ("source", "destination") if kind.startswith(end)] or ["source", "destination"]
    if kind.endswith("port"):
        return {f"{end}_port" for end in ends}
    return set(ends) if kind.endswith(("address", "prefix-list")) else set()


def _rules(name: str, found: _Found, choices: list[Choice]) -> Iterator[PacketRule]:
    """One rule per combination."""
    made: dict[tuple[Any, ...], None] = {}
    for chosen in product(*choices):
        fields: Fields = {key: value for part in chosen for key, value in part.items()}
        if {"source_port", "destination_port"} & fields.keys() and fields["protocol"] not in WITH_PORTS:
            if found.action is RuleAction.PERMIT:
                continue
            fields = {key: value for key, value in fields.items() if not key.endswith("_port")}
        made[tuple(sorted(fields.items(), key=lambda item: item[0]))] = None
    for number, fixed in enumerate(made, start=1):
        label = name if number == 1 else f"{name[:58]}~{number}"
        yield PacketRule(name=label, action=found.action, rate_bytes_per_s=found.rate, **dict(fixed))


def _read_from(conditions: Element, found: _Found) -> None:
    for part in parts(conditions):
        kind = local(part)
        reader = _CONDITIONS.get(kind)
        if kind == "apply-macro":
            continue
        choice = reader(part, found.family) if reader else None
        if choice is None:
            found.unread.append(kind)
        else:
            _one_more(kind, choice, found)


def _one_more(kind: str, choice: Choice, found: _Found) -> None:
    """Add a value; a condition on what another kind of condition decides already is not understood."""
    mine = {key for part in choice for key in part}
    others = {key for name, c in found.choices.items() if name != kind for part in c for key in part}
    if mine & others:
        found.unread.append(kind)
    else:
        found.choices.setdefault(kind, []).extend(choice)


def _prefixed(*keys: str) -> Callable[[Element, Family], Choice | None]:
    def read(part: Element, family: Family) -> Choice | None:
        children = {local(child): (child.text or "").strip() for child in parts(part)}
        if children.keys() != {"name"}:
            return None  # except, apply-path: not a set of packets this can say
        try:
            network = values.prefix(children["name"], family)
        except ValueError:
            return None
        return [{key: network} for key in keys]

    return read


def _ported(*keys: str) -> Callable[[Element, Family], Choice | None]:
    def read(part: Element, family: Family) -> Choice | None:  # noqa: ARG001 - the reader's shape
        try:
            ports = values.ports((part.text or "").strip())
        except ValueError:
            return None
        return [{key: ports} for key in keys]

    return read


def _protocol(part: Element, family: Family) -> Choice | None:  # noqa: ARG001 - the reader's shape
    try:
        return [{"protocol": values.protocol((part.text or "").strip())}]
    except ValueError:
        return None


_CONDITIONS: Mapping[str, Callable[[Element, Family], Choice | None]] = {
    "source-address": _prefixed("source"),
    "destination-address": _prefixed("destination"),
    "address": _prefixed("source", "destination"),
    **dict.fromkeys(_PROTOCOLS, _protocol),
    "source-port": _ported("source_port"),
    "destination-port": _ported("destination_port"),
    "port": _ported("source_port", "destination_port"),
}


def _read_then(actions: Element, found: _Found, policers: Policers) -> None:
    for part in parts(actions):
        kind, text = local(part), (part.text or "").strip()
        if kind in _TERMINAL:
            found.action = _TERMINAL[kind]
        elif kind == "next" and text == "term":
            found.goes_on = True
        elif kind in _ELSEWHERE or kind == "next":
            found.action = RuleAction.DROP
            found.notes.append(f"action {kind} is taken as discard")
        elif kind == "policer" and policers.get(text) is not None:
            found.rate = policers[text]
        elif kind == "policer":
            found.notes.append(f"policer {text} is not looked at")
        elif kind not in _ASIDE and kind != "apply-macro":
            found.notes.append(f"action {kind} is not looked at")
    if found.rate is not None and (found.goes_on or found.action is not RuleAction.PERMIT):
        if found.goes_on:
            found.notes.append("a policer before the next term is not looked at")
        found.rate = None


def read_policers(policers: Iterator[Element]) -> dict[str, float | None]:
    """The rates of the policers that discard what exceeds them."""
    return {_named(p): _rate(p) for p in policers}


def _named(element: Element) -> str:
    return next(((c.text or "").strip() for c in element if local(c) == "name"), "")


def _rate(policer: Element) -> float | None:
    held = {local(p): p for p in parts(policer)}
    then = {local(p) for p in parts(held.get("then"))}
    limits = {local(p): (p.text or "").strip() for p in parts(held.get("if-exceeding"))}
    if "discard" not in then or "bandwidth-limit" not in limits:
        return None
    try:
        return values.bits_per_second(limits["bandwidth-limit"]) / 8 or None
    except ValueError:
        return None
