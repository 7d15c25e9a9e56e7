"""Faults on demand: what the device does wrong, at which operation, how many times."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from secloop_ai.contracts.base import Frozen

from .errors import ERROR_TAGS


class Step(StrEnum):
    """Where a fault can strike. `confirm` is the commit that settles a pending one; `commit` is any other."""

    CONNECT = "connect"
    AUTH = "auth"
    HELLO = "hello"
    LOCK = "lock"
    DISCARD = "discard"
    EDIT = "edit"
    VALIDATE = "validate"
    COMMIT = "commit"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    UNLOCK = "unlock"
    GET_CONFIG = "get-config"


class FaultKind(StrEnum):
    """What goes wrong.

    `drop` closes the TCP connection instead of doing the operation, `drop-after` does it and closes before
    the reply, `truncate` does it and closes in the middle of the reply, `framing` does it and frames the reply
    (the banner, the hello) wrongly, `delay` waits and then does it, `error` answers with an rpc-error instead,
    `lock-denied` with the one that names another session, `access-denied` with NACM's. `partial` applies a part
    of the change and answers with an error. `warning` does it and adds a warning to the `<ok/>`. `clock-jump`
    does it and sets the clock forward by `seconds`, so that a confirmed commit ends early (negative: late).
    `reboot` restarts the device instead of doing the operation, `reboot-after` once it is done: the connections
    break, the candidate is lost, a pending commit is undone, and nobody gets in for `seconds`.
    """

    DROP = "drop"
    DROP_AFTER = "drop-after"
    DELAY = "delay"
    ERROR = "error"
    TRUNCATE = "truncate"
    LOCK_DENIED = "lock-denied"
    ACCESS_DENIED = "access-denied"
    FRAMING = "framing"
    PARTIAL = "partial"
    WARNING = "warning"
    CLOCK_JUMP = "clock-jump"
    REBOOT = "reboot"
    REBOOT_AFTER = "reboot-after"


_POSSIBLE_BEFORE_RPC = {
    Step.CONNECT: frozenset({FaultKind.DROP, FaultKind.DELAY, FaultKind.TRUNCATE, FaultKind.FRAMING, FaultKind.REBOOT}),
    Step.AUTH: frozenset({FaultKind.DROP, FaultKind.DROP_AFTER, FaultKind.DELAY, FaultKind.ERROR}),
    Step.HELLO: frozenset(
        {
            FaultKind.DROP,
            FaultKind.DROP_AFTER,
            FaultKind.DELAY,
            FaultKind.TRUNCATE,
            FaultKind.FRAMING,
            FaultKind.REBOOT,
        }
    ),
}
_CHANGING = frozenset({Step.EDIT, Step.COMMIT})


def kinds_at(step: Step) -> frozenset[FaultKind]:
    """The faults that mean something at a step."""
    if step in _POSSIBLE_BEFORE_RPC:
        return _POSSIBLE_BEFORE_RPC[step]
    return frozenset(FaultKind) if step in _CHANGING else frozenset(FaultKind) - {FaultKind.PARTIAL}


class Fault(Frozen):
    """One fault. `times` None lasts until it is cleared; `error_tag` belongs to `error`.

    `seconds` is how long a `delay` or the way down of a `reboot` lasts, and how far a `clock-jump` goes. At
    `auth`, `error` refuses the key.
    """

    step: Step
    kind: FaultKind
    times: int | None = Field(default=1, ge=1)
    seconds: float = 0.0
    error_tag: str = "operation-failed"

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.kind not in kinds_at(self.step):
            raise ValueError(f"the fault {self.kind!s} means nothing at {self.step!s}")
        if self.seconds < 0 and self.kind is not FaultKind.CLOCK_JUMP:
            raise ValueError(f"the fault {self.kind!s} cannot last {self.seconds:g} seconds")
        if self.error_tag not in ERROR_TAGS:
            raise ValueError(f"no such error-tag: {self.error_tag!r}")
        return self


class Faults:
    """The faults in force; those of one step strike in the order they were set."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        self._waiting.append(fault)

    def clear(self) -> None:
        """Take all faults back."""
        self._waiting.clear()

    def strike(self, step: Step | None) -> Fault | None:
        """The fault that this operation meets, counted down."""
        for index, fault in enumerate(self._waiting):
            if fault.step is step:
                self._count_down(index, fault)
                return fault
        return None

    def _count_down(self, index: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times == 1:
            del self._waiting[index]
        else:
            self._waiting[index] = fault.model_copy(update={"times": fault.times - 1})
