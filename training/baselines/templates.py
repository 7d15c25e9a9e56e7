"""What a learner with a fixed list of actions can say: calls over the first slots of each role.

The list is the same in every request; which of its entries a request has room for is a mask. An account, a process or
a package stands beside the host that it is of, as the grammar of the embedded policy wants it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

from secloop_ai.contracts import (
    CATALOGUE,
    RATES_BYTES_PER_S,
    TTLS_S,
    ActionCall,
    ObserveReason,
    PolicyRequest,
    Role,
    Slot,
    sha256_json,
)
from secloop_ai.policies.embedded import Grammar, spell

TTL_S = 3_600
"""Lifetime of every call, in seconds."""
MOST_CALLS = 3
"""Calls of an answer."""
OWNER, ABLE = "owner", "able"
"""In a template: the host of the call's other slot; the first host that allows the tool."""


NOBODY = "@nobody"


class Template(NamedTuple):
    """A call with slots by their number.

    Attributes:
        params: values in the catalogue's order; `OWNER` or `ABLE` for a host.
    """

    tool: str
    params: tuple[str, ...]


def _slots(role: str, count: int) -> tuple[str, ...]:
    return tuple(f"@{role}{n}" for n in range(count))


_ENDS = (*_slots("src", 4), *_slots("host", 3))
_RATES = tuple(str(r) for r in RATES_BYTES_PER_S)
_SHAPES: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("block_ip", (_ENDS,)),
    ("block_flow", (_ENDS, _ENDS, _slots("port", 2))),
    ("rate_limit", (_slots("host", 3), _slots("port", 2), _RATES)),
    ("isolate_host", (_slots("host", 4),)),
    ("restrict_service", (_slots("svc", 4),)),
    ("blackhole_route", (_ENDS, _slots("dev", 2))),
    ("shutdown_port", (_slots("if", 4),)),
    *((tool, (_slots("host", 3),)) for tool in ("secure_sshd", "harden_kernel", "deploy_hids")),
    ("enforce_apparmor", ((OWNER,), _slots("proc", 6))),
    ("patch_vulnerability", ((OWNER,), _slots("pkg", 2))),
    ("stop_process", ((OWNER,), _slots("proc", 6))),
    ("close_port", (_slots("host", 3), _slots("port", 2))),
    ("disable_account", ((OWNER,), _slots("acct", 4))),
    ("dns_sinkhole", ((ABLE,), _slots("name", 1))),
)
"""Tool → what each of its parameters may be."""


@cache
def templates() -> tuple[Template, ...]:
    """Every action but the last one, which is to stop."""
    found = (Template(tool, params) for tool, choices in _SHAPES for params in product(*choices))
    return tuple(t for t in found if len(set(t.params)) == len(t.params))


def stop() -> int:
    """The number of the action that ends an answer; said first, it stands for `observe`."""
    return len(templates())


@cache
def digest() -> str:
    """SHA-256 (hex) of the list: a learner's output fits one alone."""
    return sha256_json([TTL_S, MOST_CALLS, *templates()])


def calls_of(request: PolicyRequest) -> tuple[ActionCall | None, ...]:
    """The templates as calls of a request; None where it lacks a slot or the tool, or where its grammar says no."""
    slots = {s.slot: s for s in request.pointers.slots}
    hosts = _Hosts(request)
    said = _Said(Grammar(request))
    filled = ((t, _params(t, slots, hosts)) for t in templates())
    calls = (ActionCall(tool=t.tool, params=params, ttl_s=TTL_S) if params else None for t, params in filled)
    return tuple(call if call and said.fits(call) else None for call in calls)


def observe() -> ActionCall:
    """What an answer without a call stands for."""
    return ActionCall(tool="observe", params={"reason": ObserveReason.INSUFFICIENT_EVIDENCE.value}, ttl_s=TTLS_S[0])


class _Hosts:
    """The slots of hosts that a template does not number."""

    def __init__(self, request: PolicyRequest) -> None:
        self._slots = request.pointers.of(Role.HOST)
        self._environment = request.environment

    def owner(self, slot: Slot | None) -> str:
        return next((s.slot for s in self._slots if slot and s.host == slot.host), NOBODY)

    def able(self, tool: str) -> str:
        return next((s.slot for s in self._slots if tool in self._allowed(s)), NOBODY)

    def _allowed(self, slot: Slot) -> tuple[str, ...]:
        host = self._environment.host(slot.host or "")
        return tuple(host.access.actions) if host and host.access else ()


def _params(template: Template, slots: dict[str, Slot], hosts: _Hosts) -> dict[str, str]:
    names = CATALOGUE[template.tool].spec.params
    found = dict(zip(names, _filled(template, slots, hosts), strict=True))
    return found if all(v in slots or not v.startswith("@") for v in found.values()) else {}


def _filled(template: Template, slots: dict[str, Slot], hosts: _Hosts) -> Iterator[str]:
    for value in template.params:
        if value == OWNER:
            yield hosts.owner(slots.get(template.params[-1]))
        else:
            yield hosts.able(template.tool) if value == ABLE else value


class _Said:
    """Asks the grammar, each beginning once."""

    def __init__(self, grammar: Grammar) -> None:
        self._grammar = grammar
        self._allowed: dict[tuple[str, ...], frozenset[str]] = {}

    def fits(self, call: ActionCall) -> bool:
        words = tuple(spell((call,)))[:-1]
        return all(word in self._after(words[:n]) for n, word in enumerate(words))

    def _after(self, said: tuple[str, ...]) -> frozenset[str]:
        if said not in self._allowed:
            self._allowed[said] = frozenset(self._grammar.allowed(said))
        return self._allowed[said]
