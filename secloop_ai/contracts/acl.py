"""The one vendor-neutral packet-filter semantics: an ordered list of rules over header fields.

Dialects render from it and parse to it; the lab's applier, the semantic diff and the fast model evaluate it.
"""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import Field, model_validator

from .alerts import IPAddress, Port
from .base import Frozen

IPNetwork = IPv4Network | IPv6Network
Family = Literal[4, 6]
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
WITH_PORTS = (TCP, UDP)


class RuleAction(StrEnum):
    """What happens to a packet that a rule matches."""

    PERMIT = "permit"
    DROP = "drop"
    REJECT = "reject"


class PortRange(Frozen):
    """Ports from `low` to `high`, both included."""

    low: Port
    high: Port

    @model_validator(mode="after")
    def _ordered(self) -> PortRange:
        if self.low > self.high:
            raise ValueError(f"port range {self.low}-{self.high} runs backwards")
        return self

    def __contains__(self, port: int) -> bool:
        return self.low <= port <= self.high

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"

    @classmethod
    def one(cls, port: int) -> PortRange:
        """The range of a single port."""
        return cls(low=port, high=port)


class Packet(Frozen):
    """The header fields a filter can look at."""

    source: IPAddress
    destination: IPAddress
    protocol: Annotated[int, Field(ge=0, le=255)]
    source_port: Port | None = None
    destination_port: Port | None = None

    @property
    def family(self) -> int:
        """4 or 6."""
        return self.source.version


class PacketRule(Frozen):
    """One entry. A field that is None matches anything.

    Attributes:
        name: unique in its ACL.
        protocol: IP protocol number.
        rate_bytes_per_s: a permit that holds only up to this rate; what exceeds it is dropped (RFC 9899's
            ``rate-limit``: bytes per second, only with accept).
    """

    name: Annotated[str, Field(min_length=1, max_length=64)]
    action: RuleAction
    protocol: Annotated[int, Field(ge=0, le=255)] | None = None
    source: IPNetwork | None = None
    destination: IPNetwork | None = None
    source_port: PortRange | None = None
    destination_port: PortRange | None = None
    rate_bytes_per_s: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _consistent(self) -> PacketRule:
        if (self.source_port or self.destination_port) and self.protocol not in WITH_PORTS:
            raise ValueError(f"rule {self.name}: ports need protocol tcp or udp")
        if self.source and self.destination and self.source.version != self.destination.version:
            raise ValueError(f"rule {self.name}: source and destination are of different families")
        if self.rate_bytes_per_s is not None and self.action is not RuleAction.PERMIT:
            raise ValueError(f"rule {self.name}: a rate limit goes with permit only")
        return self

    def matches(self, packet: Packet) -> bool:
        """Whether the packet's headers fit this rule."""
        return (
            (self.protocol is None or self.protocol == packet.protocol)
            and _holds(self.source, packet.source)
            and _holds(self.destination, packet.destination)
            and _has(self.source_port, packet.source_port)
            and _has(self.destination_port, packet.destination_port)
        )

    def overlaps(self, other: PacketRule) -> bool:
        """Whether some packet could match both rules."""
        return (
            (self.protocol is None or other.protocol is None or self.protocol == other.protocol)
            and _meet(self.source, other.source)
            and _meet(self.destination, other.destination)
            and _touch(self.source_port, other.source_port)
            and _touch(self.destination_port, other.destination_port)
        )

    def same_effect(self, other: PacketRule) -> bool:
        """Whether the two differ in nothing but their name."""
        return self.model_copy(update={"name": other.name}) == other

    def __str__(self) -> str:
        names = {None: "ip", TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMPV6: "icmpv6"}
        proto = names.get(self.protocol, f"proto {self.protocol}")
        left = f"{self.source or 'any'}{':' + str(self.source_port) if self.source_port else ''}"
        right = f"{self.destination or 'any'}{':' + str(self.destination_port) if self.destination_port else ''}"
        rate = f" up to {self.rate_bytes_per_s:g} B/s" if self.rate_bytes_per_s else ""
        return f"{self.action} {proto} {left} -> {right}{rate}"


def _holds(network: IPNetwork | None, address: IPAddress) -> bool:
    return network is None or address in network


def _has(ports: PortRange | None, port: int | None) -> bool:
    return ports is None or (port is not None and port in ports)


def _meet(one: IPNetwork | None, other: IPNetwork | None) -> bool:
    if one is None or other is None:
        return True
    return one.version == other.version and one.overlaps(other)


def _touch(one: PortRange | None, other: PortRange | None) -> bool:
    return one is None or other is None or (one.low <= other.high and other.low <= one.high)


class FilterResult(Frozen):
    """What a filter does with a packet, and by which rule (None: no rule matched)."""

    action: RuleAction
    acl: str | None = None
    rule: PacketRule | None = None


class AclModel(Frozen):
    """An ordered filter: the first rule that matches decides; without a match, the next ACL of the attachment.

    Attributes:
        family: 4 or 6; None for an ACL that looks at both (RFC 8519 mixed types).
        rules: in order of evaluation.
    """

    name: Annotated[str, Field(min_length=1)]
    family: Family | None
    rules: tuple[PacketRule, ...] = ()

    def decide(self, packet: Packet) -> FilterResult | None:
        """The first matching rule's decision; None when nothing matches."""
        if self.family is not None and packet.family != self.family:
            return None
        for rule in self.rules:
            if rule.matches(packet):
                return FilterResult(action=rule.action, acl=self.name, rule=rule)
        return None
