"""From what a policy uttered to typed actions: slots through the PointerTable, enumerations by their values.

A candidate that does not fit is not an exception: it is what a policy said, and the loop hands the problems to the
guard, which refuses the candidate under its rule ``closed-schema``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_network
from typing import Any, NamedTuple

from pydantic import ValidationError

from secloop_ai.contracts import (
    CATALOGUE,
    TTLS_S,
    Action,
    ActionCall,
    AlertSummary,
    BaseAction,
    Candidate,
    Environment,
    IPAddress,
    IPNetwork,
    PointerError,
    PolicyRequest,
    Role,
    Slot,
    Strategy,
)

from .pointers import OWNED, SINKHOLE

ROLES = frozenset(r.value for r in Role)

Problem = tuple[int, str]
"""Index of the call (-1: the candidate as a whole) and a sentence that names tool and parameter."""


class Resolution(NamedTuple):
    """What a candidate resolves to; `strategy` holds the calls that did resolve."""

    strategy: Strategy
    problems: tuple[Problem, ...]


def resolve(candidate: Candidate, request: PolicyRequest, policy_name: str) -> Resolution:
    """The candidate as a strategy of this request, with everything that is wrong with it.

    The evidence is every summary that names an entity the strategy acts on, or carries a name it acts on; of a strategy
    that acts on none (``observe``), all summaries.
    """
    actions: list[Action] = []
    touched: set[IPAddress] = set()
    spoken: set[str] = set()
    problems: list[Problem] = [] if candidate.calls else [(-1, "the candidate holds no call: observe does nothing")]
    for index, call in enumerate(candidate.calls):
        try:
            action, slots = _action(call, request)
        except PointerError as error:
            problems.append((index, str(error)))
        else:
            actions.append(action)
            touched.update(a for s in slots for a in _addresses(s, request.environment))
            spoken.update(s.value for s in slots if s.role is Role.NAME and s.value)
    strategy = Strategy(
        actions=tuple(actions),
        evidence=_evidence(request.summaries, touched, spoken),
        policy=policy_name,
        rationale=candidate.rationale,
    )
    return Resolution(strategy, tuple(problems))


def takes_slots(values: Iterable[str]) -> bool:
    """Whether a parameter of the catalogue takes a slot of these roles, rather than one of these words."""
    return ROLES.issuperset(values)


def _action(call: ActionCall, request: PolicyRequest) -> tuple[Action, list[Slot]]:
    kind = CATALOGUE.get(call.tool)
    if kind is None:
        raise PointerError(f"{call.tool}: no such tool")
    if call.tool not in request.offered:
        raise PointerError(f"{call.tool}: not offered in this request")
    if call.ttl_s not in TTLS_S:
        raise PointerError(f"{call.tool}: ttl_s {call.ttl_s} is none of {', '.join(map(str, TTLS_S))}")
    _check_names(call, kind)
    slots: list[Slot] = []
    fields: dict[str, Any] = {"ttl_s": call.ttl_s}
    for name, allowed in kind.spec.params.items():
        if takes_slots(allowed):
            slot = _slot(call, name, allowed, request)
            slots.append(slot)
            _check_owner(call, name, slot, slots)
            fields |= _FROM_SLOT[name](slot, kind)
        else:
            fields |= _word(call, name, allowed)
    if call.tool == SINKHOLE:
        _check_resolver(call, slots, request.environment)
    return _build(call, kind, fields), slots


def _check_owner(call: ActionCall, name: str, slot: Slot, slots: Sequence[Slot]) -> None:
    """An account, process or package is one of the host that the call names beside it."""
    host = next((s for s in slots if s.role is Role.HOST), None)
    if slot.role in OWNED and host is not None and host.host != slot.host:
        raise PointerError(f"{call.tool}: {name}: {slot.slot} belongs to another host than {host.slot}")


def _check_resolver(call: ActionCall, slots: Sequence[Slot], environment: Environment) -> None:
    found = next((h for s in slots if s.role is Role.HOST for h in environment.hosts if h.name == s.host), None)
    if found is None or found.access is None or found.access.resolver is None:
        raise PointerError(f"{call.tool}: host: {call.params['host']} is no resolver")


def _check_names(call: ActionCall, kind: type[BaseAction]) -> None:
    wanted, given = set(kind.spec.params), set(call.params)
    if missing := sorted(wanted - given):
        raise PointerError(f"{call.tool}: missing parameter {', '.join(missing)}")
    if extra := sorted(given - wanted):
        raise PointerError(f"{call.tool}: has no parameter {', '.join(map(_shown, extra))}")


def _slot(call: ActionCall, name: str, roles: tuple[str, ...], request: PolicyRequest) -> Slot:
    try:
        return request.pointers.resolve(call.params[name], roles)
    except PointerError as error:
        raise PointerError(f"{call.tool}: {name}: {error}") from None


def _word(call: ActionCall, name: str, allowed: tuple[str, ...]) -> dict[str, Any]:
    word = call.params[name]
    if word not in allowed:
        raise PointerError(f"{call.tool}: {name}: {word} is none of {', '.join(allowed)}")
    return {"rate_bytes_per_s": int(word)} if name == "rate" else {name: word}


def _build(call: ActionCall, kind: type[BaseAction], fields: dict[str, Any]) -> Action:
    ends = [fields[n] for n in ("source", "destination") if n in fields]
    if len({e.version for e in ends}) > 1:
        raise PointerError(f"{call.tool}: source and destination are of different address families")
    try:
        return kind(**fields)  # type: ignore[return-value]  # the catalogue's types are the union's members
    except ValidationError as error:
        first = error.errors()[0]
        raise PointerError(f"{call.tool}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _address(slot: Slot) -> IPAddress:
    if slot.address is None:
        raise PointerError(f"slot {slot.slot} stands for a host whose address the inventory does not know")
    return slot.address


def _single(slot: Slot) -> IPNetwork:
    return ip_network(_address(slot))


def _destination(slot: Slot, kind: type[BaseAction]) -> dict[str, Any]:
    wide = kind is CATALOGUE["blackhole_route"]
    return {"destination": _single(slot) if wide else _address(slot)}


_FROM_SLOT: dict[str, Callable[[Slot, type[BaseAction]], dict[str, Any]]] = {
    "source": lambda slot, _: {"source": _single(slot)},
    "destination": _destination,
    "port": lambda slot, _: {"protocol": slot.protocol, "port": slot.port},
    "host": lambda slot, _: {"host": slot.host},
    "service": lambda slot, _: {"host": slot.host, "service": slot.value},
    "device": lambda slot, _: {"device": slot.device},
    "interface": lambda slot, _: {"device": slot.device, "interface": slot.value},
    "process": lambda slot, _: {"process": slot.value},
    "package": lambda slot, _: {"package": slot.value},
    "account": lambda slot, _: {"account": slot.value},
    "name": lambda slot, _: {"name": slot.value},
}
"""Parameter name → the action's fields that its slot gives."""


def _addresses(slot: Slot, environment: Environment) -> list[IPAddress]:
    """The addresses of the entity, as the alerts may name it."""
    found = [slot.address] if slot.address else []
    if slot.role is Role.INTERFACE:
        behind = [h for h in environment.hosts if h.attached_to and h.attached_to.device == slot.device]
        hosts = [h for h in behind if h.attached_to and h.attached_to.interface == slot.value]
    else:
        hosts = [h for h in environment.hosts if slot.host == h.name]
    return [*found, *(a for h in hosts for a in h.addresses)]


def _evidence(summaries: tuple[AlertSummary, ...], touched: set[IPAddress], spoken: set[str]) -> tuple[str, ...]:
    named = [
        s for s in summaries if s.source in touched or s.destination in touched or not spoken.isdisjoint(s.domains)
    ]
    return tuple(s.summary_id for s in (named or summaries))


def _shown(name: str) -> str:
    """A parameter's name as a policy wrote it, short and harmless."""
    return name[:40] if name.isascii() and name.isidentifier() else "of a form that none has"
