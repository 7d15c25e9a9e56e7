"""What the ledger says is on a device, held against what is there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from secloop_ai.contracts import (
    AdminOp,
    DeviceModel,
    DiscardOp,
    FilterOp,
    Frozen,
    Mitigation,
    MitigationState,
    Operation,
    TaggedOp,
)

from .drift_rules import Departure, DriftKind, departures

REPAIRABLE = frozenset(DriftKind) - {DriftKind.ORPHAN, DriftKind.UNREACHABLE, DriftKind.UNREADABLE}
"""What applying the mitigation again puts right."""


class Finding(Frozen):
    """One way in which a device is not as the ledger has it.

    Attributes:
        mitigation_id: None where no mitigation is concerned (a device that cannot be reached).
        where: interface and direction, port, prefix or ACL; empty for a whole device.
        detail: what is there and what should be, as a sentence without its subject.
    """

    device: str
    kind: DriftKind
    mitigation_id: str | None = None
    where: str = ""
    detail: str

    @property
    def incident_id(self) -> str:
        """The incident whose mitigation it is; empty without one."""
        return (self.mitigation_id or "").rpartition("-")[0]

    def __str__(self) -> str:
        subject = " ".join(part for part in (self.where, self.mitigation_id and f"({self.mitigation_id})") if part)
        return f"{self.device}: {self.kind}: {subject + ': ' if subject else ''}{self.detail}"


def drift_of(device: str, model: DeviceModel, held: Sequence[TaggedOp]) -> tuple[Finding, ...]:
    """Everything of these operations that the device's running configuration does not hold as it was put there.

    Args:
        device: its inventory name.
        model: parsed from its running configuration.
        held: the operations of all active mitigations on it, in the order of the ledger.
    """
    by_tag: dict[str, list[Operation]] = {}
    for tagged in held:
        by_tag.setdefault(tagged.tag, []).append(tagged.op)
    return tuple(
        Finding(device=device, mitigation_id=tag, **found._asdict())
        for tag, ops in by_tag.items()
        for found in (
            *departures(model, tag, [o for o in ops if isinstance(o, FilterOp)]),
            *_ports(model, ops),
            *_routes(model, tag, ops),
        )
    )


def _ports(model: DeviceModel, ops: Iterable[Operation]) -> Iterator[Departure]:
    for op in ops:
        if isinstance(op, AdminOp) and model.is_up(op.interface) != op.enabled:
            is_, put = ("up", "down") if model.is_up(op.interface) else ("down", "up")
            yield Departure(DriftKind.REENABLED, f"port {op.interface}", f"is {is_}, was put {put}")


def _routes(model: DeviceModel, tag: str, ops: Iterable[Operation]) -> Iterator[Departure]:
    for op in (o for o in ops if isinstance(o, DiscardOp)):
        same = [d.tag for d in model.discards if d.prefix == op.prefix]
        if not same:
            yield Departure(DriftKind.UNROUTED, f"to {op.prefix}", "the discard route is gone")
        elif tag not in same:
            said = "a discard route is there, but without this mitigation's mark"
            yield Departure(DriftKind.CHANGED, f"to {op.prefix}", said)


def orphans_of(
    device: str, marks: Iterable[str], known: Mapping[str, Mitigation], *, settled: bool
) -> tuple[Finding, ...]:
    """Marks on the device that no active mitigation stands behind.

    Args:
        device: its inventory name.
        marks: the mitigation ids on it.
        known: every mitigation of the ledger, by id.
        settled: whether no transaction on this device is open; with an open one its own marks are not orphans.
    """
    return tuple(
        Finding(device=device, kind=DriftKind.ORPHAN, mitigation_id=tag, detail=why)
        for tag in sorted(marks)
        if (why := _stray(device, known.get(tag), settled=settled))
    )


def _stray(device: str, mitigation: Mitigation | None, *, settled: bool) -> str | None:
    if mitigation is None:
        return "entries of ours that this ledger does not know"
    if mitigation.state is MitigationState.ACTIVE and device not in mitigation.operations:
        return "entries of a mitigation that the ledger has on other devices only"
    unsettled = mitigation.state in (MitigationState.PENDING, MitigationState.IN_DOUBT)
    if mitigation.state is MitigationState.ACTIVE or (unsettled and not settled):
        return None
    return f"entries of a mitigation that the ledger has as {mitigation.state.value.replace('_', ' ')}"
