"""What an entry was found to say, and the packet rules that stand for it.

What goes beyond a packet rule is noted, and the entry is read so that the model never lets a packet pass that the
device might stop: such a permit is left out, such a drop is taken as if that condition were not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from pydantic import ValidationError

from secloop_ai.contracts import IPNetwork, PacketRule, PortRange, RuleAction
from secloop_ai.contracts.acl import WITH_PORTS

_TOP_PORT = 65535


class Meaning(NamedTuple):
    """An entry as it was read.

    Attributes:
        rules: none when it was left out; several where one condition stands for several ranges or networks.
        notes: what could not be expressed.
    """

    rules: tuple[PacketRule, ...] = ()
    notes: tuple[str, ...] = ()

    def says(self, rule: PacketRule) -> bool:
        """Whether it is exactly this rule, apart from its name."""
        return len(self.rules) == 1 and not self.notes and self.rules[0].same_effect(rule)


@dataclass
class Found:
    """What the parts of one entry say; filled by an adapter.

    Attributes:
        action: drop until it is known better.
        protocol: IP protocol number, or None.
        protocols: several of them, of which one must hold.
        sources, destinations: networks of which one must hold; none: any.
        source_ports, destination_ports: likewise; without a protocol they mean tcp and udp.
        rate_bytes_per_s: of a permit with a limit.
        never: no packet can match it (two conditions exclude each other).
        unread: conditions that were not understood, for people.
        notes: anything else that could not be expressed.
    """

    action: RuleAction = RuleAction.DROP
    protocol: int | None = None
    protocols: tuple[int, ...] = ()
    sources: tuple[IPNetwork, ...] = ()
    destinations: tuple[IPNetwork, ...] = ()
    source_ports: tuple[PortRange, ...] = ()
    destination_ports: tuple[PortRange, ...] = ()
    rate_bytes_per_s: float | None = None
    never: bool = False
    unread: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def meaning(self, name: str) -> Meaning:
        """The rules of that name; several are told apart by ``~2``, ``~3``."""
        said = [f"condition {x} is not looked at" for x in self.unread] + self.notes
        if self.never:
            return Meaning((), (f"entry {name}: matches nothing", *said))
        if self.unread and self.action is RuleAction.PERMIT:
            return Meaning((), (f"entry {name}: {'; '.join(said)}; permit left out",))
        try:
            rules = tuple(self._expanded(name))
        except ValidationError as error:
            said.append(f"{error.errors()[0]['msg']}; taken to drop everything")
            rules = (PacketRule(name=name, action=RuleAction.DROP),)
        return Meaning(rules, (f"entry {name}: {'; '.join(said)}",) if said else ())

    def _expanded(self, name: str) -> Iterator[PacketRule]:
        """One rule per combination of protocols, networks and ports."""
        anything = (None,)
        ported = bool(self.source_ports or self.destination_ports)
        one = WITH_PORTS if ported and self.protocol is None else (self.protocol,)
        choices = product(
            self.protocols or one,
            self.sources or anything,
            self.destinations or anything,
            self.source_ports or anything,
            self.destination_ports or anything,
        )
        for count, (protocol, source, destination, source_port, destination_port) in enumerate(choices, start=1):
            yield PacketRule(
                name=name if count == 1 else f"{name[:59]}~{count}",
                action=self.action,
                protocol=protocol,
                source=source,
                destination=destination,
                source_port=source_port,
                destination_port=destination_port,
                rate_bytes_per_s=self.rate_bytes_per_s,
            )


def port_ranges(operator: str, low: int, high: int | None = None) -> tuple[PortRange, ...]:
    """The ranges a port condition stands for: ``eq``, ``neq``, ``lt``, ``gt``, ``le``, ``ge`` or ``range``.

    Raises:
        ValueError: another operator, or numbers that are no ports. Nothing is returned for what no port can match.
    """
    spans = {
        "eq": [(low, low)],
        "neq": [(0, low - 1), (low + 1, _TOP_PORT)],
        "lt": [(0, low - 1)],
        "gt": [(low + 1, _TOP_PORT)],
        "le": [(0, low)],
        "ge": [(low, _TOP_PORT)],
        "range": [(low, low if high is None else high)],
    }
    if operator not in spans:
        raise ValueError(f"port operator {operator}")
    return tuple(PortRange(low=a, high=b) for a, b in spans[operator] if a <= b)
