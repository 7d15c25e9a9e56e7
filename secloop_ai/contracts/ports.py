"""What the rooms ask of one another without importing one another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

from .device import DeviceModel
from .plan import ChangePlan, HostPlan, TaggedOp
from .report import CommitReport, Feedback, Mitigation, MitigationState, PendingCommit, ProbeResult
from .safeguard import Watched
from .strategy import Candidate, Decision, PolicyRequest, Strategy


@runtime_checkable
class Policy(Protocol):
    """A back end that writes strategies."""

    @property
    def name(self) -> str:
        """Name and version, for the audit."""

    def digest(self) -> str:
        """SHA-256 (hex) of what decides: weights, table or model id."""

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
        """Up to `n` candidates, best first; the same request and seed give the same answer.

        Raises:
            PolicyError: the back end could not answer.
        """


@runtime_checkable
class Confident(Protocol):
    """A policy that knows how sure it is."""

    def probability(self, candidate: Candidate) -> float:
        """How likely the policy itself holds a candidate of its own to be, 0 to 1."""


class Rendered(NamedTuple):
    """An edit and what the device holds once it is applied.

    Attributes:
        edit: children of ``<config>`` for edit-config (default-operation merge), or None when nothing changes.
        after: the whole readable configuration afterwards, like the ``data`` it was rendered from.
    """

    edit: str | None
    after: str


class AclParser(Protocol):
    """Reads a device's configuration into the neutral model."""

    def parse(self, data: str) -> DeviceModel:
        """The model of a configuration.

        Raises:
            DialectError: not XML, or not of this dialect.
        """


class Dialect(AclParser, Protocol):
    """One vendor's way to say it. Pure: text in, text out.

    `data` is always the ``<data>`` element of a get-config reply with :meth:`read_filter`.
    """

    @property
    def name(self) -> str:
        """Name used in the inventory."""

    @property
    def tag_place(self) -> str:
        """Where the incident tag and prior state live on the device, or that only the ledger knows, for people."""

    def read_filter(self) -> str:
        """Children of ``<filter type="subtree">``: everything this dialect reads or changes."""

    def not_offered(self, capabilities: Iterable[str]) -> dict[str, str]:
        """Actions this device cannot take, by its hello's capability URIs, each with the reason."""

    def apply(self, data: str, ops: Sequence[TaggedOp]) -> Rendered:
        """The edit that makes the operations hold; nothing to do when they do already.

        Raises:
            DialectError: an operation this dialect or this configuration cannot take.
        """

    def remove(self, data: str, ops: Sequence[TaggedOp], *, tidy: bool = True) -> Rendered:
        """The edit that takes exactly these operations' entries away and leaves everything else as it is.

        With `tidy` it also takes the containers away that it empties, so that the device answers byte-equal to
        before. Without, it touches nothing that others share: for an edit that may be sent without reading again.
        """

    def between(self, before: str, after: str) -> str | None:
        """The edit that turns one configuration into another; None when they are equal in what this dialect reads."""

    def tags(self, data: str) -> frozenset[str]:
        """Mitigation ids whose mark is in the configuration."""

    def digests(self, data: str, ops: Sequence[TaggedOp]) -> dict[str, str]:
        """SHA-256 of the canonical XML of every subtree the operations touch, by a readable path."""

    def pretty(self, data: str) -> str:
        """The configuration as stable, indented text for a document diff."""


class ServiceWatch(Protocol):
    """Legitimate use of the network, tried over and over from the data plane."""

    def start(self) -> None:
        """Begin; results until :meth:`commit_sent` count as ``before``."""

    def commit_sent(self) -> None:
        """From now on results count as ``during``."""

    def wait(self, *, rounds: int, timeout_s: float) -> None:
        """Return once every check has run `rounds` more times, or after `timeout_s` seconds."""

    def results(self) -> tuple[ProbeResult, ...]:
        """What was seen so far."""

    def stop(self) -> None:
        """End; safe to call twice."""


class CommitJournal(Protocol):
    """Where a transaction writes down what it is about to do: before it does it."""

    def begin_commit(self, pending: PendingCommit, mitigations: Sequence[Mitigation]) -> None:
        """Store the open commit with its persist id, and its mitigations as pending."""

    def settle_commit(self, report: CommitReport, *, now: datetime) -> None:
        """Store how it ended and move its mitigations accordingly."""


class DeadMan(Protocol):
    """Takes a change back from devices that cannot do so themselves, should its controller be gone when time is up."""

    def arm(self, transaction_id: str, watched: Sequence[Watched], *, timeout_s: float) -> str:
        """Start watching these devices; returns, once the watch stands, where others find it.

        Side effects: a process that outlives this one and, `timeout_s` seconds from now, undoes the change on these
        devices, unless told to stand down.

        Raises:
            WatchdogError: it did not come up; nothing watches.
        """

    def stand_down(self, where: str, *, settled: str) -> bool:
        """Have the watch at `where` end without undoing anything; False when it has begun to undo. Safe to repeat.

        Args:
            where: what :meth:`arm` returned.
            settled: how the change ended: ``confirmed`` or ``undone``; kept for recovery.
        """

    def verdict(self, where: str) -> str:
        """How the watch at `where` was ended: ``confirmed``, ``undone``, ``fired``; empty while it goes on."""


class LedgerPort(CommitJournal, Protocol):
    """What happened, kept."""

    def record_decision(self, decision: Decision, request: PolicyRequest, *, now: datetime) -> None:
        """Keep incident, summaries, strategy, verdict and digests."""

    def record_plan(self, plan: ChangePlan, *, now: datetime) -> None:
        """Keep a plan."""

    def pending_commits(self) -> tuple[PendingCommit, ...]:
        """Commits begun and not settled, oldest first."""

    def mitigations(
        self, *, incident_id: str | None = None, states: Sequence[MitigationState] | None = None
    ) -> tuple[Mitigation, ...]:
        """Mitigations, oldest first."""

    def renew(self, mitigation_ids: Sequence[str], *, expires_at: datetime, now: datetime) -> None:
        """Move the expiry of active mitigations later; never earlier."""

    def close_mitigations(self, mitigation_ids: Sequence[str], state: MitigationState, *, now: datetime) -> None:
        """Mark mitigations as no longer on the network."""

    def record_feedback(self, feedback: Feedback, *, now: datetime) -> None:
        """Keep what a run really did."""

    def heartbeat(self, worker: str, *, interval_s: float, now: datetime) -> None:
        """Say that a worker (the expirer) is alive and will be heard of again within `interval_s` seconds."""

    def alive(self, worker: str, *, now: datetime) -> bool:
        """Whether that worker's last heartbeat is not overdue."""

    def audit(self, event: str, subject: str, *, digests: Mapping[str, str], detail: str, now: datetime) -> None:
        """Append a line to the audit, chained to the one before."""


class HostStep(StrEnum):
    """What a role is asked to do: the file of its tasks.

    ``apply`` makes the action hold and remembers the state before; ``verify`` reads the effect back; ``undo`` restores
    that state exactly, and changes nothing where there is nothing of ours.
    """

    APPLY = "apply"
    VERIFY = "verify"
    UNDO = "undo"


class HostResult(NamedTuple):
    """What became of one host.

    Attributes:
        ok: every task of every role ran.
        task, message: of the failure.
        changed: whether a task changed anything (in check mode: would).
        diff: lines that say what, where a task told.
        began: whether a task may have reached the host; False: it is surely as it was.
    """

    host: str
    ok: bool
    changed: bool
    seconds: float
    task: str = ""
    message: str = ""
    diff: tuple[str, ...] = ()
    began: bool = True


class HostRunner(Protocol):
    """Runs roles on hosts, side by side."""

    def run(
        self, plans: Sequence[HostPlan], steps: Sequence[HostStep], *, check: bool = False
    ) -> tuple[HostResult, ...]:
        """Run every role of every plan, step by step; one result per plan, in order. A failing host keeps no other.

        Side effects: on the hosts; none with `check`.

        Raises:
            InputError: Ansible itself could not run (no ansible-playbook, an inventory it cannot read).
        """


class Rehearsal(Protocol):
    """Tries strategies before they are used; `labs` implements it on battlefields."""

    def score(self, request: PolicyRequest, strategies: Sequence[Strategy]) -> tuple[float, ...]:
        """A figure per strategy, higher is better."""
