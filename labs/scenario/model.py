"""The scenario file's schema. What is a range here becomes a number when a seed draws a case from it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from secloop_ai.contracts import Criticality, Slug
from secloop_ai.contracts.base import Frozen

Scalar = int | float | str
MeansId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]


class Suite(StrEnum):
    """The data sets whose attacks are re-enacted."""

    CIC_IDS2017 = "cic-ids2017"
    CSE_CIC_IDS2018 = "cse-cic-ids2018"
    UNSW_NB15 = "unsw-nb15"
    CCDC_2018 = "ccdc-2018"
    AUTOATTACK = "autoattack"


class Split(StrEnum):
    """What a scenario may be used for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Kind(StrEnum):
    """Whether there is anything to defend against. On a false alarm and in a quiet period only `observe` is right."""

    ATTACK = "attack"
    FALSE_ALARM = "false-alarm"
    QUIET = "quiet"


class Choice(Frozen):
    """One of these, each as likely."""

    choice: tuple[Scalar, ...] = Field(min_length=1)


class Between(Frozen):
    """A whole number from the first to the second, both included."""

    between: tuple[int, int]

    @field_validator("between")
    @classmethod
    def _rising(cls, given: tuple[int, int]) -> tuple[int, int]:
        if given[0] > given[1]:
            raise ValueError("the smaller number comes first")
        return given


Draw = Scalar | Choice | Between
"""A value, or how a seed finds one."""


class ZoneSpec(Frozen):
    """A part of the network under one trust.

    Attributes:
        outside: the rest of the world; attackers that are not inside live here.
        switched: its hosts share one segment behind one port (they see each other's ARP); else each has a port.
    """

    name: Slug
    outside: bool = False
    switched: bool = False


class GatewaySpec(Frozen):
    """A NETCONF device between zones.

    Attributes:
        zones: its hosts hang on this gateway. The outside zone hangs on the gateway without an uplink.
        uplink: another gateway towards the outside; None: it has the outside port itself.
    """

    name: Slug
    zones: tuple[Slug, ...] = Field(min_length=1)
    uplink: Slug | None = None


class ServiceSpec(Frozen):
    """A service of a host.

    Attributes:
        kind: which program serves (``http``, ``ssh``, ``ftp``, ``dns``, ``smb``, ``redis`` ...).
        weaknesses: means that find something here; without them the same exchange ends in a refusal.
        clients: host names of the scenario that use it legitimately.
    """

    name: Slug
    kind: Slug
    port: Annotated[int, Field(ge=1, le=65535)]
    protocol: Literal["tcp", "udp"] = "tcp"
    weaknesses: tuple[MeansId, ...] = ()
    clients: tuple[Slug, ...] = ()
    criticality: Criticality = Criticality.MEDIUM


class HostSpec(Frozen):
    """A host, or `count` like ones (named ``name1`` and so on).

    Attributes:
        infected: an implant of the attacker runs here from the beginning (stages may start from it).
        protected: no action may touch it.
    """

    name: Slug
    zone: Slug
    role: Slug = "server"
    count: Between | int = 1
    criticality: Criticality = Criticality.MEDIUM
    services: tuple[ServiceSpec, ...] = ()
    infected: bool = False
    protected: bool = False


class FlowSpec(Frozen):
    """Legitimate use of a service: how often each of its clients calls."""

    service: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*/[a-z0-9][a-z0-9._-]*$")]
    per_minute: Draw = 30


class ChainStep(Frozen):
    """One stage of the attack.

    Attributes:
        means: plugin of labs/attacks.
        source: ``attacker``, or a host of the scenario (lateral movement, an implant).
        target: ``host/service`` or ``host`` of the scenario, or ``outside`` (command and control, exfiltration).
        params: of the plugin.
        optional: drawn in or out by the seed.
    """

    means: MeansId
    source: Slug = "attacker"
    target: str
    params: dict[str, Draw] = Field(default_factory=dict)
    optional: bool = False


class Scenario(Frozen):
    """A network, its use, and what goes wrong in it.

    Attributes:
        family: scenarios of one family are never split apart.
        chain: of an attack; of a false alarm, the legitimate actions that look like one; empty when quiet.
        persistent: the attacker comes back after a block: from a new address, slower, or by another protocol.
    """

    name: Slug
    suite: Suite
    family: Slug
    split: Split
    kind: Kind = Kind.ATTACK
    about: str = Field(default="", max_length=400)
    zones: tuple[ZoneSpec, ...] = Field(min_length=2)
    gateways: tuple[GatewaySpec, ...] = Field(min_length=1)
    hosts: tuple[HostSpec, ...] = Field(min_length=1)
    flows: tuple[FlowSpec, ...] = ()
    chain: tuple[ChainStep, ...] = ()
    persistent: bool = False

    def host(self, name: str) -> HostSpec | None:
        """The host of that name."""
        return next((h for h in self.hosts if h.name == name), None)
