"""The `playbook` policy: the expert table every operations centre starts from.

It reads typed features of the summaries only, never a signature's text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from secloop_ai.contracts import (
    TTLS_S,
    ActionCall,
    AlertSummary,
    Candidate,
    IPAddress,
    ObserveReason,
    PolicyError,
    PolicyRequest,
    sha256_json,
)

from .ends import ends_of, rank
from .facts import Facts
from .host_moves import Subject
from .moves import Made, make
from .table import BUILT_IN, Entry, load_table

_TRIES = 8
"""Combinations looked at per candidate wanted, before giving up on finding another that differs."""


_Crowd = tuple[str, IPAddress]


class _Option(NamedTuple):
    """One way to answer a summary: moves, or none with the reason; and what is done on hosts after them."""

    label: str
    moves: tuple[Made, ...]
    reason: ObserveReason
    also: tuple[Made, ...] = ()


class PlaybookPolicy:
    """Looks every summary up and merges the answers into one strategy."""

    def __init__(self, path: Path = BUILT_IN) -> None:
        self._table, self._digest = load_table(path)

    @property
    def name(self) -> str:
        """Name and version, for the audit."""
        return f"playbook/{self._table.version}"

    def digest(self) -> str:
        """SHA-256 (hex) of the table."""
        return self._digest

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
        """Up to `n` different candidates, best first: the table's choice, then milder rows, at last to observe.

        The order of the summaries does not matter; equal request and seed give equal candidates.

        Raises:
            PolicyError: `n` is less than one.
        """
        if n < 1:
            raise PolicyError(f"playbook: asked for {n} candidates")
        facts = Facts(request)
        ranked = rank(request.summaries)
        crowds = self._crowds(ranked, facts)
        options = [self._options(s, facts, crowds) for s in ranked]
        found: list[Candidate] = []
        for picks in _combinations([len(o) for o in options], n, seed):
            candidate = _compose([o[p] for o, p in zip(options, picks, strict=True)], picks, request)
            if all(candidate.calls != c.calls for c in found):
                found.append(candidate)
            if len(found) == n:
                break
        return (found[0], *sorted(found[1:], key=lambda c: -c.score))

    def _options(self, summary: AlertSummary, facts: Facts, crowds: frozenset[_Crowd]) -> tuple[_Option, ...]:
        """Everything that can be done about a summary, best first; to observe is always the last."""
        if quiet := self._table.quiet_for(summary):
            return (_Option(f"quiet ({quiet})", (), quiet),)
        entry = self._table.entry_for(summary)
        if not entry.forged and (own := _one_of_us(entry, summary, facts)):
            return (_Option(f"{entry.name} from one of us", (), own),)
        rows = list(_rows(entry, summary, facts))
        if (entry.name, ends_of(summary, facts.environment).server) in crowds:
            rows.sort(key=_per_client)
        return (*rows, _Option(entry.name, (), entry.otherwise))

    def _crowds(self, summaries: Sequence[AlertSummary], facts: Facts) -> frozenset[_Crowd]:
        """Attacks by more clients on one server than the budget could answer one by one."""
        clients: dict[_Crowd, set[IPAddress]] = {}
        for summary in summaries:
            ends = ends_of(summary, facts.environment)
            clients.setdefault((self._table.entry_for(summary).name, ends.server), set()).add(ends.client)
        return frozenset(c for c, who in clients.items() if len(who) > facts.environment.max_actions)


def _per_client(option: _Option) -> bool:
    return any(m.call.tool in ("block_ip", "block_flow") for m in option.moves)


def _one_of_us(entry: Entry, summary: AlertSummary, facts: Facts) -> ObserveReason | None:
    """Why nothing is done where the actor is protected or a device: it acts as it should, or is being forged."""
    ends = ends_of(summary, facts.environment)
    actor = ends.source if entry.actor == "source" else ends.client
    if facts.free(actor):
        return None
    if actor not in facts.proven:
        return ObserveReason.INSUFFICIENT_EVIDENCE
    other = ends.server if actor == ends.client else ends.client
    ours = facts.environment.host_at(other) is not None
    return ObserveReason.FALSE_ALARM if ours else ObserveReason.NO_SAFE_ACTION


def _rows(entry: Entry, summary: AlertSummary, facts: Facts) -> Iterator[_Option]:
    also = tuple(m for move in entry.also if (m := make(move, summary, facts, entry.ttl_s)))
    for number, row in enumerate(entry.rows, 1):
        made = [make(move, summary, facts, entry.ttl_s) for move in row]
        fits = tuple(m for m in made if m)
        if len(fits) == len(row):
            yield _Option(f"{entry.name}#{number}", fits, entry.otherwise, also)


def _combinations(sizes: Sequence[int], n: int, seed: int) -> Iterator[tuple[int, ...]]:
    """Which option of each summary: the first of all, the second of all, the last of all, mixtures by seed."""
    yield tuple(0 for _ in sizes)
    yield tuple(min(1, size - 1) for size in sizes)
    yield tuple(size - 1 for size in sizes)
    for turn in range(n * _TRIES):
        yield tuple(int(sha256_json([seed, turn, place])[:8], 16) % size for place, size in enumerate(sizes))


_Key = tuple[str, tuple[tuple[str, str], ...]]
_Calls = dict[_Key, ActionCall]


def _compose(options: Sequence[_Option], picks: Sequence[int], request: PolicyRequest) -> Candidate:
    """One strategy from an answer per summary: each entity once, the most urgent first, within the budget.

    What is done on hosts comes last, with whatever room is left.
    """
    calls: _Calls = {}
    covered: set[Subject] = set()
    labels: dict[str, None] = {}
    after: list[Made] = []
    over = 0
    most = request.environment.max_actions
    for option in options:
        fresh = _keyed(option.moves)
        if fresh and all(key in calls for key in fresh):
            calls |= {k: _longer(calls[k], m.call) for k, m in fresh.items()}
        elif not option.moves:
            continue
        elif all(_covers(covered, m.subject) for m in option.moves):
            pass
        elif len(calls.keys() | fresh.keys()) > most:
            over += 1
            continue
        else:
            calls |= {k: _longer(calls.get(k, m.call), m.call) for k, m in fresh.items()}
            covered |= {m.subject for m in option.moves}
            labels[option.label] = None
        after += option.also
    over += _append(calls, after, labels, most)
    told = ", ".join(labels) + (f"; {over} more left out by the budget" if over else "")
    score = -sum(picks) / max(len(picks), 1)
    return Candidate(calls=tuple(calls.values()) or (_observe(options),), score=score, rationale=_short(told, options))


def _append(calls: _Calls, after: Iterable[Made], labels: dict[str, None], most: int) -> int:
    """Put the moves on hosts behind the others; how many there was no room for."""
    over: set[object] = set()
    for key, made in _keyed(after).items():
        if key in calls:
            calls[key] = _longer(calls[key], made.call)
        elif len(calls) < most:
            calls[key] = made.call
            labels[f"then {made.call.tool}"] = None
        else:
            over.add(key)
    return len(over)


def _keyed(moves: Iterable[Made]) -> dict[_Key, Made]:
    found: dict[_Key, Made] = {}
    for made in moves:
        key = (made.call.tool, tuple(sorted(made.call.params.items())))
        kept = found.get(key)
        found[key] = made if kept is None or made.call.ttl_s > kept.call.ttl_s else kept
    return found


def _covers(covered: set[Subject], subject: Subject) -> bool:
    return any(subject[:n] in covered for n in range(1, len(subject) + 1))


def _longer(one: ActionCall, other: ActionCall) -> ActionCall:
    return one if one.ttl_s >= other.ttl_s else other


def _observe(options: Sequence[_Option]) -> ActionCall:
    reason = options[0].reason if options else ObserveReason.INSUFFICIENT_EVIDENCE
    return ActionCall(tool="observe", params={"reason": reason.value}, ttl_s=TTLS_S[0])


def _short(told: str, options: Sequence[_Option]) -> str:
    return (told or f"observe: {options[0].label if options else 'no alerts'}")[:400]


def load(argument: str) -> PlaybookPolicy:
    """The policy of ``playbook`` or ``playbook:PATH`` with a table of one's own.

    Raises:
        PolicyError: the table cannot be read or is wrong.
    """
    return PlaybookPolicy(Path(argument)) if argument else PlaybookPolicy()
