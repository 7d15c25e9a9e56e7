"""A device's running state as far as SecLoop changes it, whatever its dialect."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from .acl import AclModel, FilterResult, IPNetwork, Packet, RuleAction
from .base import Frozen


class Direction(StrEnum):
    """Seen from the device: `ingress` enters it through the interface, `egress` leaves it."""

    INGRESS = "ingress"
    EGRESS = "egress"


class AclAttachment(Frozen):
    """The ACLs that filter one direction of one interface, in order."""

    interface: str
    direction: Direction
    acls: tuple[str, ...]


class InterfaceState(Frozen):
    """Administrative state. `explicit` says whether the device's configuration spells it out."""

    name: str
    enabled: bool = True
    explicit: bool = False


class StaticDiscard(Frozen):
    """A static route that throws its traffic away; `tag` is the mitigation it stands for, each of several its own."""

    prefix: IPNetwork
    tag: str | None = None


class DeviceModel(Frozen):
    """What the filters, links and discard routes of a device do.

    A packet goes through the ingress ACLs of the interface it enters and the egress ACLs of the one it
    leaves. Where no ACL matches, it passes: RFC 8519 has no implicit deny, and dialects whose ACLs do end
    with one render it as an explicit last rule.
    """

    acls: tuple[AclModel, ...] = ()
    attachments: tuple[AclAttachment, ...] = ()
    interfaces: tuple[InterfaceState, ...] = ()
    discards: tuple[StaticDiscard, ...] = ()
    notes: tuple[str, ...] = Field(default=(), description="what the parser could not express, said aloud")

    def acl(self, name: str) -> AclModel | None:
        """The ACL of that name."""
        return next((a for a in self.acls if a.name == name), None)

    def attached(self, interface: str, direction: Direction) -> tuple[AclModel, ...]:
        """The ACLs on that side of the interface, in order; a dangling name is left out."""
        for attachment in self.attachments:
            if (attachment.interface, attachment.direction) == (interface, direction):
                return tuple(acl for name in attachment.acls if (acl := self.acl(name)))
        return ()

    def filter(self, packet: Packet, interface: str, direction: Direction) -> FilterResult:
        """What the ACLs on that side of the interface do with the packet."""
        for acl in self.attached(interface, direction):
            if decision := acl.decide(packet):
                return decision
        return FilterResult(action=RuleAction.PERMIT)

    def is_up(self, interface: str) -> bool:
        """Administrative state; an interface the configuration does not mention is up."""
        return next((i.enabled for i in self.interfaces if i.name == interface), True)

    def discards_to(self, packet: Packet) -> bool:
        """Whether a discard route takes the packet's destination (the lab has no more specific routes)."""
        return any(packet.destination in d.prefix for d in self.discards)
