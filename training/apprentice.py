"""The apprentice: answers found by search on the fast model, which the policy learns to say before it learns by itself.

It may look into the case, as a teacher may; the policy sees the prompt alone. So a label should follow from what the
prompt says, not from what the case hides: first it tries what each alert by itself calls for (the reflex of
secloop_ai/policies). Where that is not right it searches, and takes the answer that stays right when the attacker comes
back from another address, then the one that takes least from others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from labs.scenario import Kind
from labs.validator.measurement import Measurement
from secloop_ai.contracts import (
    RATES_BYTES_PER_S,
    ActionCall,
    Candidate,
    ObserveReason,
    PolicyRequest,
    Role,
    Slot,
)
from secloop_ai.guard import review
from secloop_ai.policies import resolve
from secloop_ai.policies.embedded import Grammar
from secloop_ai.policies.ends import ends_of, port_of, service_of
from secloop_ai.policies.facts import Facts
from secloop_ai.policies.reflex import call, observe, reflex, slot_of

from .tasks import Task, field_of

NAME = "apprentice"
MOST_JOINED, MOST_CALLS = 10, 3
"""Helpful single actions that are put together, and how many at a time."""


class Label(NamedTuple):
    """An answer.

    Attributes:
        sturdy: also right against an attacker who comes back.
    """

    calls: tuple[ActionCall, ...]
    sturdy: bool


class _Tried(NamedTuple):
    calls: tuple[ActionCall, ...]
    here: Measurement
    back: Measurement


def label(task: Task) -> Label | None:
    """The answer to learn for a task; None where nothing that it tries is right."""
    if task.case.kind is not Kind.ATTACK:
        told = ObserveReason.FALSE_ALARM if task.request.summaries else ObserveReason.INFORMATIONAL
        return Label((observe(told),), sturdy=True)
    return _Search(task).best()


class _Search:
    def __init__(self, task: Task) -> None:
        self._task = task
        self._grammar = Grammar(task.request)
        self._back = field_of(task.case.model_copy(update={"persistent": True}))
        self._before = self._back.undefended().rs_attack

    def _try(self, calls: tuple[ActionCall, ...]) -> _Tried | None:
        """What a strategy does.

        None where it does not hinder the attack, takes from those with a right, or cannot be said.
        The guard is asked last: it costs more than the fast model.
        """
        if not self._grammar.says(calls):
            return None
        strategy, problems = resolve(Candidate(calls=calls), self._task.request, NAME)
        here = self._task.field.evaluate(strategy)
        if problems or not here.executed or here.rs_service < 1.0:
            return None
        back = self._back.evaluate(strategy)
        if min(here.rs_attack, back.rs_attack) >= self._before:
            return None
        return _Tried(calls, here, back) if review(strategy, self._task.request).allowed else None

    def best(self) -> Label | None:
        """The reflex where it is right; else by sturdiness, by the number of calls, by the order of the moves."""
        weak: Label | None = None
        if (calls := reflex(self._task.request)) and (tried := self._try(calls)) and tried.here.correct:
            return Label(calls, sturdy=tried.back.correct)
        for tried in self._answers():
            if tried.here.correct and tried.back.correct:
                return Label(tried.calls, sturdy=True)
            if tried.here.correct and weak is None:
                weak = Label(tried.calls, sturdy=False)
        return weak

    def _answers(self) -> Iterator[_Tried]:
        helpful: list[_Tried] = []
        for move in moves(self._task.request):
            if tried := self._try((move,)):
                yield tried
                helpful.append(tried)
        for number in range(2, MOST_CALLS + 1):
            for chosen in combinations(helpful[:MOST_JOINED], number):
                if tried := self._try(tuple(t.calls[0] for t in chosen)):
                    yield tried


def moves(request: PolicyRequest) -> Iterator[ActionCall]:
    """Single calls that the alerts give reason for, those that take least from others first."""
    seen: set[str] = set()
    for move in _moves(request):
        if move.tool in request.offered and (key := move.model_dump_json()) not in seen:
            seen.add(key)
            yield move


def _moves(request: PolicyRequest) -> Iterator[ActionCall]:
    facts, named = Facts(request), _named(request)
    yield from _on_services(request, facts)
    yield from _on_strangers(request, facts)
    yield from _on_flows(request, facts)
    for slot in named:
        yield from call("secure_sshd", host=slot.slot)
        yield from call("harden_kernel", host=slot.slot)
    for slot in named:
        yield from call("block_ip", source=slot.slot)
        yield from call("isolate_host", host=slot.slot)
        for account in request.pointers.of(Role.ACCOUNT):
            if account.host == slot.host:
                yield from call("disable_account", host=slot.slot, account=account.slot)
    yield from _last(request, named)


def _on_services(request: PolicyRequest, facts: Facts) -> Iterator[ActionCall]:
    for summary in request.summaries:
        if found := service_of(summary, request.environment):
            slot = facts.slots.get((Role.SERVICE, (found[0].name, found[1].name)))
            yield from call("restrict_service", service=slot)


def _on_strangers(request: PolicyRequest, facts: Facts) -> Iterator[ActionCall]:
    """Whoever came to us is blocked; whom we called loses the way there."""
    env, slots = request.environment, facts.slots
    outside = [s for s in request.pointers.of(Role.SOURCE) if s.address and env.host_at(s.address) is None]
    called = {address for _, address in facts.contacted}
    for slot in sorted(outside, key=lambda s: s.address not in called):
        if slot.address not in called:
            yield from call("block_ip", source=slot.slot)
        for device, _ in env.entries_for(slot.address) if slot.address else ():
            yield from call("blackhole_route", destination=slot.slot, device=slots.get((Role.DEVICE, device.name)))
    for slot in outside:
        yield from call("block_ip", source=slot.slot)


def _on_flows(request: PolicyRequest, facts: Facts) -> Iterator[ActionCall]:
    env, slots = request.environment, facts.slots
    for summary in request.summaries:
        ends, port = ends_of(summary, env), port_of(summary, env)
        yield from call(
            "block_flow",
            source=slot_of(ends.client, facts),
            destination=slot_of(ends.server, facts),
            port=slots.get((Role.PORT, port)) if port else None,
        )


def _last(request: PolicyRequest, named: Sequence[Slot]) -> Iterator[ActionCall]:
    """What takes something from everybody, or helps in few cases."""
    for slot in named:
        for port in request.pointers.of(Role.PORT):
            for rate in RATES_BYTES_PER_S:
                yield from call("rate_limit", destination=slot.slot, port=port.slot, rate=str(rate))
            yield from call("close_port", host=slot.slot, port=port.slot)
        for process in request.pointers.of(Role.PROCESS):
            if process.host == slot.host:
                yield from call("stop_process", host=slot.slot, process=process.slot)
        for name in request.pointers.of(Role.NAME):
            yield from call("dns_sinkhole", host=slot.slot, name=name.slot)
    for port in request.pointers.of(Role.INTERFACE)[: len(named)]:
        yield from call("shutdown_port", interface=port.slot)


def _named(request: PolicyRequest) -> list[Slot]:
    ends = {a for s in request.summaries for a in (s.source, s.destination)}
    return [s for s in request.pointers.of(Role.HOST) if s.address in ends]
