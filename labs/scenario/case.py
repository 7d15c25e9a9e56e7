"""A scenario with a seed applied: everything concrete. The live battlefield and the fast model run the same case."""

from __future__ import annotations

from secloop_ai.contracts import Environment, IPAddress, Name, Packet, Port, Slug
from secloop_ai.contracts.base import Frozen

from .model import Kind, MeansId, Scalar


class Link(Frozen):
    """A cable between two gateways."""

    one: Name
    one_port: Name
    other: Name
    other_port: Name


class AttackerPlace(Frozen):
    """An address the attacker may use, and the port its packets enter by. It is not in the inventory."""

    address: IPAddress
    device: Name
    interface: Name


class LegitFlow(Frozen):
    """A client that uses a service, and how often."""

    client: Name
    server: Name
    service: Slug
    packet: Packet
    per_minute: int


class Stage(Frozen):
    """One stage, concrete.

    Attributes:
        source_host, target_host: inventory names; None is the attacker, or the outside.
        seed: of the stage's own randomness.
    """

    index: int
    means: MeansId
    source: IPAddress
    source_host: Name | None
    target: IPAddress
    target_host: Name | None
    service: Slug | None = None
    protocol: Slug = "tcp"
    port: Port | None = None
    weak: bool = False
    params: dict[str, Scalar]
    seed: int


class Case(Frozen):
    """One battlefield's worth of a scenario.

    Attributes:
        environment: what SecLoop is told; nothing in it comes from the attack.
        attackers: the attacker's addresses, the first one used first.
        names: host of the scenario file → its drawn name here (the first, of several like it).
        infected: hosts with an implant.
    """

    scenario: Slug
    suite: Slug
    family: Slug
    kind: Kind
    seed: int
    environment: Environment
    links: tuple[Link, ...] = ()
    attackers: tuple[AttackerPlace, ...]
    stages: tuple[Stage, ...] = ()
    flows: tuple[LegitFlow, ...] = ()
    names: dict[Slug, Name]
    infected: tuple[Name, ...] = ()
    persistent: bool = False

    @property
    def case_id(self) -> str:
        """Scenario and seed."""
        return f"{self.scenario}#{self.seed}"
