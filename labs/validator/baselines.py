"""The strategies every figure is set against: they need no learning, and each implements the Policy port."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

from secloop_ai.contracts import (
    TTLS_S,
    ActionCall,
    Candidate,
    IPAddress,
    ObserveReason,
    Policy,
    PolicyError,
    PolicyRequest,
    Role,
    incident_id,
    sha256_json,
)
from secloop_ai.policies import Choices, choices, load_policy

VERSION = 1
BAN_S = 14_400
"""How long a source is blocked, in seconds: the usual four hours."""
MOST_CALLS = 3
"""Calls of a random strategy, at most."""
Writer = Callable[[PolicyRequest, random.Random], Iterable[ActionCall]]


class Baseline:
    """A policy that is one function of the request."""

    def __init__(self, name: str, write: Writer) -> None:
        self._name = name
        self._write = write

    @property
    def name(self) -> str:
        """Name and version, for the audit."""
        return f"{self._name}/{VERSION}"

    def digest(self) -> str:
        """SHA-256 (hex) of the name: the code decides."""
        return sha256_json(self.name)

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
        """One candidate, or of the random baseline up to `n`; equal request and seed give equal candidates.

        Raises:
            PolicyError: `n` is less than one.
        """
        if n < 1:
            raise PolicyError(f"{self._name}: asked for {n} candidates")
        found: dict[tuple[str, ...], tuple[ActionCall, ...]] = {}
        evidence = incident_id(request.summaries)
        for turn in range(n):
            dice = random.Random(f"{self.name} {seed} {turn} {evidence}")
            calls = tuple(self._write(request, dice)) or (_observe(),)
            found.setdefault(tuple(c.model_dump_json() for c in calls), calls)
        drawn = enumerate(found.values())
        return tuple(Candidate(calls=calls, rationale=self._name, score=-float(k)) for k, calls in drawn)


def _observe(reason: ObserveReason = ObserveReason.INSUFFICIENT_EVIDENCE) -> ActionCall:
    return ActionCall(tool="observe", params={"reason": reason.value}, ttl_s=TTLS_S[0])


def no_op(_request: PolicyRequest, _dice: random.Random) -> Iterable[ActionCall]:
    """Nothing, whatever the alerts say."""
    yield _observe(ObserveReason.INFORMATIONAL)


def block_all(request: PolicyRequest, _dice: random.Random) -> Iterable[ActionCall]:
    """Every host isolated and every address blocked that an alert names; without alerts, every host there is."""
    named = {a for s in request.summaries for a in (s.source, s.destination)}
    hosts = request.pointers.of(Role.HOST)
    reach = [s for s in hosts if s.address in named] or hosts
    inside = {h.address for h in hosts}
    outside = [s for s in request.pointers.of(Role.SOURCE) if s.address not in inside]
    calls = [*(("block_ip", "source", s.slot) for s in outside), *(("isolate_host", "host", s.slot) for s in reach)]
    for tool, param, slot in calls[: request.environment.max_actions]:
        if tool in request.offered:
            yield ActionCall(tool=tool, params={param: slot}, ttl_s=TTLS_S[-1])


def block_source(request: PolicyRequest, _dice: random.Random) -> Iterable[ActionCall]:
    """Every alert's source blocked for some hours, where its handshake was seen: what log watchers do."""
    sources: dict[IPAddress, None] = dict.fromkeys(s.source for s in request.summaries if s.handshake)
    slots = {s.address: s.slot for s in request.pointers.of(Role.HOST, Role.SOURCE)}
    for address in list(sources)[: request.environment.max_actions]:
        if address in slots and "block_ip" in request.offered:
            yield ActionCall(tool="block_ip", params={"source": slots[address]}, ttl_s=BAN_S)


def random_valid(request: PolicyRequest, dice: random.Random) -> Iterable[ActionCall]:
    """A few calls that fit the closed schema, drawn at random: no other rule of the guard is asked."""
    tools = {name: sets for name in request.offered if (sets := list(choices(name, request)))}
    acting = [name for name in tools if name != "observe"]
    drawn = dice.choice(list(tools))
    if drawn == "observe" or not acting:
        return [_observe(dice.choice(list(ObserveReason)))]
    names = [drawn, *(dice.choice(acting) for _ in range(dice.randint(0, MOST_CALLS - 1)))]
    calls = [_random_call(name, dice.choice(tools[name]), dice) for name in names]
    return {(c.tool, *sorted(c.params.items())): c for c in calls}.values()


def _random_call(tool: str, fits: Choices, dice: random.Random) -> ActionCall:
    return ActionCall(tool=tool, params={p: dice.choice(v) for p, v in fits.items()}, ttl_s=dice.choice(TTLS_S))


WRITERS: dict[str, Writer] = {
    "no-op": no_op,
    "block-all": block_all,
    "block-source": block_source,
    "random-valid": random_valid,
}
EXPERT = "expert-table"
BASELINES = (*WRITERS, EXPERT)
"""Names of all baselines."""


def baseline(name: str) -> Policy:
    """The baseline of that name.

    Raises:
        PolicyError: there is none; names those there are.
    """
    if name == EXPERT:
        return load_policy("playbook")
    if name not in WRITERS:
        raise PolicyError(f"no baseline {name!r}; known: {', '.join(BASELINES)}")
    return Baseline(name, WRITERS[name])
