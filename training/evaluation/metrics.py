"""The figures of a policy over outcomes: shares with their intervals, each with what it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from secloop_ai.contracts.base import Frozen

from .outcome import Outcome
from .stats import Estimate, mean_interval, share

Figures = Mapping[str, Estimate | None]


class About(Frozen):
    """What a figure says, for whoever reads a table."""

    name: str
    about: str
    better: str


ABOUT = (
    About(name="accuracy", about="valid cases answered as the method demands, over all cases alike", better="higher"),
    About(name="accuracy on attacks", about="the same, attacks alone", better="higher"),
    About(name="attack success", about="stages that succeed / stages that succeed undefended (ASR)", better="lower"),
    About(name="contained", about="attacks of which no stage succeeds", better="higher"),
    About(name="availability", about="mean share of legitimate tries that are served, over cases", better="higher"),
    About(name="collateral", about="services that lose tries / services in use", better="lower"),
    About(name="false blocks", about="benign entities acted on / all entities acted on", better="lower"),
    About(name="restraint", about="false alarms and quiet periods answered with `observe` alone", better="higher"),
    About(name="evidence gated", about="disruptive actions whose target a trusted field names / all", better="higher"),
    About(name="guard refusals", about="candidates the guard refuses / candidates it looks at", better="lower"),
    About(name="all refused", about="cases in which the guard allows no candidate", better="lower"),
    About(name="valid candidates", about="candidates that fit the request's closed schema", better="higher"),
    About(name="executed", about="cases whose strategy is executed without error", better="higher"),
)
"""Every figure of `figures`, in order."""


def figures(outcomes: Iterable[Outcome]) -> Figures:
    """Every figure of `ABOUT`; None where nothing was counted. Cases that prove nothing are left out of all of them."""
    valid = [o for o in outcomes if o.valid]
    attacks = [o for o in valid if o.attack]
    calm = [o for o in valid if not o.attack]
    found: list[Estimate | None] = [
        _hits(valid, lambda o: o.correct),
        _hits(attacks, lambda o: o.correct),
        _sums(attacks, lambda o: o.through, lambda o: o.stages),
        _hits(attacks, lambda o: not o.through),
        mean_interval([o.service for o in valid]),
        _sums(valid, lambda o: o.lost, lambda o: o.services),
        _sums(valid, lambda o: o.benign, lambda o: o.acted),
        _hits(calm, lambda o: o.quiet),
        _sums(valid, lambda o: o.gated, lambda o: o.actions),
        _sums(valid, lambda o: o.turned_down, lambda o: o.reviewed),
        _hits(valid, lambda o: o.refused),
        _sums(valid, lambda o: o.fitting, lambda o: o.proposed),
        _hits(valid, lambda o: o.executed),
    ]
    return dict(zip((a.name for a in ABOUT), found, strict=True))


def containment_s(outcomes: Iterable[Outcome]) -> tuple[float | None, int, int]:
    """Median seconds to contain, attacks contained, and attacks met in mid-attack: those that never ended are censored.

    Only runs in mid-attack have any; a trial in which the strategy stands first has no time to measure.
    """
    timed = [o for o in outcomes if o.valid and o.attack and o.mid]
    ended = [o.contain_s for o in timed if o.contain_s is not None]
    return (median(ended) if ended else None, len(ended), len(timed))


def accuracies(outcomes: Sequence[Outcome]) -> list[float]:
    """1 or 0 for each valid case."""
    return [float(o.correct) for o in outcomes if o.valid]


def _hits(outcomes: Sequence[Outcome], test: Callable[[Outcome], bool]) -> Estimate | None:
    return share(sum(map(test, outcomes)), len(outcomes))


def _sums(outcomes: Sequence[Outcome], hits: Callable[[Outcome], int], of: Callable[[Outcome], int]) -> Estimate | None:
    """A share of sums. Wilson's interval takes what is counted as independent, which within a case it is not quite."""
    return share(sum(map(hits, outcomes)), sum(map(of, outcomes)))
