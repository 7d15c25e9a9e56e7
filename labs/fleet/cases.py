"""Which faults are tried: every operation, every kind that means something there, once and for good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from labs.emulator import FaultKind, Step, kinds_at
from secloop_ai.contracts import LabError

T = TypeVar("T", Step, FaultKind)
SECONDS: dict[FaultKind, float] = {FaultKind.DELAY: 4.0, FaultKind.REBOOT: 1.0, FaultKind.REBOOT_AFTER: 1.0}
"""How long a fault lasts; a delay is longer than the time limit of an RPC."""
CLOCK_JUMP_S = 3600.0
LASTING = frozenset(
    {FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.TRUNCATE, FaultKind.ERROR, FaultKind.DELAY, FaultKind.FRAMING}
)
"""Kinds that are tried, too, as a device that never does better until somebody sees to it."""


class Case(NamedTuple):
    """One fault.

    Attributes:
        pending: whether it comes into force only once the commit is on its way (else from the start).
        victim: place of the device among those of the transaction.
        lasting: until the device is seen to; else the next such operation alone.
    """

    step: Step
    kind: FaultKind
    victim: int
    lasting: bool
    pending: bool = False

    @property
    def seconds(self) -> float:
        """How long the fault lasts, or how far the clock goes."""
        return CLOCK_JUMP_S if self.kind is FaultKind.CLOCK_JUMP else SECONDS.get(self.kind, 0.0)

    @property
    def operation(self) -> str:
        """For a table."""
        return f"{self.step.value} (pending)" if self.pending else self.step.value

    def __str__(self) -> str:
        return f"{self.operation} {self.kind.value}{' for good' if self.lasting else ''}"


def every_case(victims: int, *, steps: Sequence[str] = (), kinds: Sequence[str] = ()) -> tuple[Case, ...]:
    """All cases in which one of the first so many devices of a transaction fails, or those of these steps and kinds.

    Raises:
        LabError: no such step or kind; names those there are.
    """
    chosen_steps = tuple(_one(Step, s) for s in steps) or tuple(Step)
    chosen_kinds = frozenset(_one(FaultKind, k) for k in kinds) or frozenset(FaultKind)
    return tuple(
        Case(step, kind, victim, lasting, pending)
        for step in chosen_steps
        for kind in FaultKind
        if kind in chosen_kinds & kinds_at(step)
        for lasting in ((False, True) if kind in LASTING else (False,))
        for pending in ((False, True) if step is Step.GET_CONFIG else (False,))
        for victim in range(victims)
    )


def _one(kind: type[T], name: str) -> T:
    try:
        return kind(name)
    except ValueError:
        raise LabError(f"no {kind.__name__.lower()} {name!r}; there are: {', '.join(k.value for k in kind)}") from None
