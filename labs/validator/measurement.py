"""What the policy execution validator measures of one strategy on one case."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from labs.scenario import Kind
from secloop_ai.contracts.base import Frozen


class StageOutcome(Frozen):
    """A stage as the red side reports it."""

    index: int
    means: str
    attempted: bool
    succeeded: bool
    detail: str = ""


class Measurement(Frozen):
    """The validator's report (arXiv 2512.09485, validator section; our choices are named).

    Attributes:
        valid: the attack succeeded in the undefended twin of the same seed; otherwise the case proves nothing.
        executed: the guard allowed the strategy and every tool call executed.
        rs_exe: share of tool calls that executed without error; 0 for a refused strategy (our choice).
        rs_attack: share of the chain's stages that succeeded: the attacker's success.
        rs_service: share of legitimate tries that were served, the mean over all uses (client and service).
        collateral: service -> share of its legitimate tries lost that the undefended twin served.
        time_to_contain_s: last success of the attacker after the first alert, in mid-attack runs; None when apart.
        fault: why an allowed strategy was not executed: a plan that does not fit, or a change that was undone.
        rollback_exact: undo left the devices byte-equal; None where it was not tried.
        phases_s: what took how many seconds, live: building the clone, applying, the attack, the probes, removing.
    """

    case_id: str
    backend: Literal["live", "fast"]
    kind: Kind
    valid: bool
    quiet_strategy: bool
    executed: bool
    rs_exe: float = Field(ge=0, le=1)
    rs_attack: float = Field(ge=0, le=1)
    rs_service: float = Field(ge=0, le=1)
    stages: tuple[StageOutcome, ...] = ()
    collateral: dict[str, float] = Field(default_factory=dict)
    tries: int = 0
    time_to_contain_s: float | None = None
    sensor_alive: bool = True
    rollback_exact: bool | None = None
    refusals: tuple[str, ...] = ()
    fault: str = ""
    seconds: float = 0.0
    phases_s: dict[str, float] = Field(default_factory=dict)

    @property
    def served(self) -> bool:
        """rs_service as 0/1: every legitimate try was served."""
        return self.rs_service == 1.0

    @property
    def correct(self) -> bool:
        """The method's accuracy for one case. On a false alarm or in a quiet period only `observe` is correct."""
        if self.kind is not Kind.ATTACK:
            return self.quiet_strategy and self.served
        return self.executed and self.rs_exe == 1.0 and self.rs_attack == 0.0 and self.served and self.sensor_alive
