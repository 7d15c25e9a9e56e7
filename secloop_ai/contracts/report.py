"""What happened: per device, per probe, per mitigation, per run."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from .actions import Action
from .base import Frozen
from .plan import Operation
from .safeguard import Safeguard


class Outcome(StrEnum):
    """How a transaction ended.

    `unchanged`: nothing to do. `confirmed`: on every device, verified. `undone`: on no device. `in_doubt`: some
    device could not be settled; it is named, and recovery settles it.
    """

    UNCHANGED = "unchanged"
    CONFIRMED = "confirmed"
    UNDONE = "undone"
    IN_DOUBT = "in_doubt"


class DeviceState(StrEnum):
    """Where one device stands after a transaction.

    `left_out`: it failed before anything had an effect, and the transaction was allowed to go on without it.
    """

    UNCHANGED = "unchanged"
    CONFIRMED = "confirmed"
    UNDONE = "undone"
    IN_DOUBT = "in_doubt"
    LEFT_OUT = "left_out"


class DeviceReport(Frozen):
    """One device's part in a transaction.

    Attributes:
        path: the way it takes a change (``persist``, ``confirmed``, ``candidate``, ``running``); empty when its hello
            was not read.
        operation, error_tag, message: of the failure, empty when there was none.
        timings_ms: step → milliseconds spent in it.
    """

    device: str
    state: DeviceState
    path: str = ""
    operation: str = ""
    error_tag: str = ""
    message: str = ""
    timings_ms: dict[str, float] = Field(default_factory=dict)


class HostReport(Frozen):
    """One host's part in a change.

    Attributes:
        task, message: of the failure, empty when there was none.
        changed: whether a role changed anything.
        seconds: spent in its roles.
    """

    host: str
    state: DeviceState
    task: str = ""
    message: str = ""
    changed: bool = False
    seconds: float = 0.0


class ProbeResult(Frozen):
    """One legitimate use of a service, tried.

    Attributes:
        phase: ``before`` the commit, ``during`` the pending one.
        tries, failures: how often it ran and failed.
    """

    client: str
    service: str
    target: str
    phase: str
    tries: int
    failures: int
    detail: str = ""

    @property
    def green(self) -> bool:
        """Whether every try succeeded."""
        return self.tries > 0 and self.failures == 0


class CommitReport(Frozen):
    """The network-wide transaction, told to a person."""

    transaction_id: str
    plan_id: str
    outcome: Outcome
    devices: tuple[DeviceReport, ...] = ()
    hosts: tuple[HostReport, ...] = ()
    probes: tuple[ProbeResult, ...] = ()
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    timings_ms: dict[str, float] = Field(default_factory=dict)

    @property
    def netconf_ms(self) -> float:
        """Milliseconds in NETCONF, the slowest device's (devices run side by side)."""
        return max((sum(d.timings_ms.values()) for d in self.devices), default=0.0)


class MitigationState(StrEnum):
    """A mitigation's life."""

    PENDING = "pending"
    ACTIVE = "active"
    IN_DOUBT = "in_doubt"
    UNDONE = "undone"
    EXPIRED = "expired"
    ROLLED_BACK = "rolled_back"


class Mitigation(Frozen):
    """An action as it stands (or stood) on the network, with the time it leaves by itself."""

    mitigation_id: str
    incident_id: str
    action: Action
    operations: dict[str, tuple[Operation, ...]]
    state: MitigationState
    installed_at: datetime
    expires_at: datetime

    def left_s(self, now: datetime) -> float:
        """Seconds until it expires; negative once overdue."""
        return (self.expires_at - now).total_seconds()


class PendingCommit(Frozen):
    """A commit that the ledger knows to be open: written before the device hears of it.

    Attributes:
        safeguard: what takes it back when its controller is gone.
    """

    transaction_id: str
    plan_id: str
    incident_id: str
    persist_id: str
    devices: tuple[str, ...]
    mitigation_ids: tuple[str, ...]
    purpose: str
    started_at: datetime
    timeout_s: float
    state: str
    safeguard: Safeguard = Safeguard()


class Feedback(Frozen):
    """What a run really did, collected from ansible-runner's events: the reward's raw material.

    Attributes:
        strategy_sha256: digest of the strategy that the guard let through; empty where none was, or an older
            release collected.
        rs_exe: share of the strategy's tool calls that executed without error (arXiv 2512.09485, section on
            the validator); a refused strategy has not executed.
        rs_attack: share of attack stages that succeeded afterwards; None where no red side reported.
        rs_service: share of legitimate probes that succeeded; None where none is declared.
    """

    run_id: str
    incident_id: str | None
    strategy_sha256: str = ""
    status: str
    rc: int
    changed: bool
    rs_exe: float | None = Field(default=None, ge=0, le=1)
    rs_attack: float | None = Field(default=None, ge=0, le=1)
    rs_service: float | None = Field(default=None, ge=0, le=1)
    outcome: str | None = None
    task_seconds: dict[str, float] = Field(default_factory=dict)
    failed_tasks: tuple[str, ...] = ()
    seconds: float = Field(default=0.0, ge=0)
