"""A strategy as changes of devices: vendor-neutral operations, rendered edits, and their inverses."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from .acl import Family, IPNetwork, PacketRule
from .actions import Action
from .base import Frozen, Name
from .device import Direction

MitigationId = Annotated[str, Field(pattern=r"^[0-9a-f]{10}-\d{1,2}$")]
"""Incident id and index of the action: what our entries on a device are tagged with."""


RoleValue = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,252}$")] | int
"""No character of it means anything to a shell or a template."""


class FilterOp(Frozen):
    """Put these rules before everything that is not ours, on one side of one interface.

    Attributes:
        rank: order among our own entries: 0 blocks, 1 limits, 2 leaves a service to its clients.
    """

    kind: Literal["filter"] = "filter"
    interface: Name
    direction: Direction
    family: Family
    rank: int = Field(default=0, ge=0, le=9)
    rules: tuple[PacketRule, ...] = Field(min_length=1)


class AdminOp(Frozen):
    """Set a port's administrative state. `prior` is what undo restores: None means the leaf was absent."""

    kind: Literal["admin"] = "admin"
    interface: Name
    enabled: bool = False
    prior: bool | None = None


class DiscardOp(Frozen):
    """Add a static discard route."""

    kind: Literal["discard"] = "discard"
    prefix: IPNetwork


class RoleOp(Frozen):
    """Run a host role.

    Attributes:
        role: name of the role, which is the action's.
        values: its parameters: names the inventory holds, ports, and domains of a strict type; never free text.
    """

    kind: Literal["role"] = "role"
    role: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
    values: dict[str, RoleValue] = Field(default_factory=dict)


DeviceOperation = Annotated[FilterOp | AdminOp | DiscardOp, Field(discriminator="kind")]
"""What is done to a device, over NETCONF."""
Operation = Annotated[FilterOp | AdminOp | DiscardOp | RoleOp, Field(discriminator="kind")]
"""What is done to a device or, by a role over SSH, to a host."""


class TaggedOp(Frozen):
    """A device's operation and the mitigation it belongs to."""

    tag: MitigationId
    op: DeviceOperation


class TaggedRole(Frozen):
    """A host's role and the mitigation it belongs to."""

    tag: MitigationId
    op: RoleOp


class PlannedMitigation(Frozen):
    """One action of the strategy as it will stand on the devices, or on a host.

    Attributes:
        operations: device or host (an inventory name is one or the other) → what is done there.
    """

    mitigation_id: MitigationId
    action: Action
    ttl_s: int
    operations: dict[Name, tuple[Operation, ...]]


class DevicePlan(Frozen):
    """The change of one device.

    Attributes:
        base_digests: touched subtree → SHA-256 of its canonical XML when the plan was made.
        edit: body of ``<config>`` for edit-config; None when the device already holds everything.
        inverse: the body that takes it away again, valid while nobody else changes these subtrees (undo
            itself is rendered from what is on the device then).
        traffic: the semantic diff, one line per kind of packet whose fate changes.
        document: the document diff, unified.
    """

    device: Name
    dialect: str
    base_digests: dict[str, str]
    edit: str | None = None
    inverse: str | None = None
    operations: tuple[TaggedOp, ...] = ()
    traffic: tuple[str, ...] = ()
    document: str = ""


class HostPlan(Frozen):
    """The change of one host: roles to run there, in order; a removal runs their undo."""

    host: Name
    operations: tuple[TaggedRole, ...] = Field(min_length=1)


class ChangePlan(Frozen):
    """What a commit will do, whole: one incident, all its devices and hosts."""

    plan_id: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    incident_id: str
    purpose: Literal["respond", "rollback", "expire"] = "respond"
    created_at: datetime
    devices: tuple[DevicePlan, ...] = ()
    hosts: tuple[HostPlan, ...] = ()
    mitigations: tuple[PlannedMitigation, ...] = ()
    renewed: tuple[str, ...] = Field(default=(), description="mitigations already active with the same effect")

    @property
    def changes(self) -> bool:
        """Whether any device or host would change."""
        return bool(self.hosts) or any(d.edit for d in self.devices)
