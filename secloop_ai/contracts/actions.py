"""The action catalogue: every tool call a strategy may contain, as types.

Adding an action touches this file, one renderer per dialect or one role, and takes a reserved slot of the
embedded policy's vocabulary. ATT&CK mitigation and D3FEND ids are those of ATT&CK v18 and D3FEND 1.2.0.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from .acl import IPNetwork
from .alerts import Domain, IPAddress, Port
from .base import Frozen, Name

TTLS_S = (300, 900, 3600, 14400, 86400)
"""Lifetimes a strategy may choose from, in seconds; no mitigation is for ever."""
RATES_BYTES_PER_S = (12_500, 125_000, 1_250_000, 12_500_000)
"""Rates a strategy may choose from, in bytes per second (100 kbit/s to 100 Mbit/s)."""
RESERVED_TOOL_SLOTS = 16
"""Vocabulary slots of the embedded policy kept free for actions to come."""


class Plane(StrEnum):
    """Where an action takes effect."""

    NETWORK = "network"
    HOST = "host"
    NONE = "none"


class ObserveReason(StrEnum):
    """Why nothing is done."""

    FALSE_ALARM = "false_alarm"
    INFORMATIONAL = "informational"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"
    NO_SAFE_ACTION = "no_safe_action"


class ActionSpec(Frozen):
    """What is known of an action beside its parameters.

    Attributes:
        params: parameter name → the roles of the slots it takes (``src``, ``host``, ``svc``, ``dev``, ``if``, ``port``,
            ``acct``, ``proc``, ``pkg``, ``name``) or, for an enumeration, its values as text.
        mitigation: ATT&CK mitigation id.
        d3fend: D3FEND countermeasure ids.
        openc2: ``action target`` of the OpenC2 language, the duration being the TTL.
        inverse: what undoing it does.
        read_back: how its effect is seen on the device or host.
        blast_radius: who else may feel it.
    """

    plane: Plane
    params: dict[str, tuple[str, ...]]
    mitigation: str
    d3fend: tuple[str, ...]
    openc2: str
    inverse: str
    read_back: str
    blast_radius: str


class BaseAction(Frozen):
    """A tool call with its parameters resolved against one request's Environment."""

    spec: ClassVar[ActionSpec]
    ttl_s: Literal[300, 900, 3600, 14400, 86400]

    @property
    def disruptive(self) -> bool:
        """Whether it can take service from somebody."""
        return self.spec.plane is not Plane.NONE


def _rates() -> tuple[str, ...]:
    return tuple(str(r) for r in RATES_BYTES_PER_S)


class BlockIp(BaseAction):
    """Drop everything that comes from an address, where it enters."""

    spec: ClassVar = ActionSpec(
        plane=Plane.NETWORK,
        params={"source": ("src", "host")},
        mitigation="M1037",
        d3fend=("D3-ITF",),
        openc2="deny ipv4_net|ipv6_net",
        inverse="take our filter entries away",
        read_back="the first entry that a packet from the source meets drops it",
        blast_radius="everything the source does through the device",
    )
    kind: Literal["block_ip"] = "block_ip"
    source: IPNetwork


class BlockFlow(BaseAction):
    """Drop what an address sends to one service of one destination."""

    spec: ClassVar = ActionSpec(
        plane=Plane.NETWORK,
        params={"source": ("src", "host"), "destination": ("host", "src"), "port": ("port",)},
        mitigation="M1037",
        d3fend=("D3-ITF", "D3-NTF"),
        openc2="deny ipv4_connection|ipv6_connection",
        inverse="take our filter entries away",
        read_back="the first entry that a packet of the flow meets drops it",
        blast_radius="the source's use of that one service",
    )
    kind: Literal["block_flow"] = "block_flow"
    source: IPNetwork
    destination: IPAddress
    protocol: Literal["tcp", "udp"]
    port: Port


class RateLimit(BaseAction):
    """Hold traffic towards one service to a rate, at the port its host is attached to."""

    spec: ClassVar = ActionSpec(
        plane=Plane.NETWORK,
        params={"destination": ("host",), "port": ("port",), "rate": _rates()},
        mitigation="M1037",
        d3fend=("D3-ITF",),
        openc2="set ipv4_connection (custom argument: rate)",
        inverse="take our filter entries away",
        read_back="the first entry that a packet to the service meets permits it with that rate",
        blast_radius="every client of the service while the rate is exceeded",
    )
    kind: Literal["rate_limit"] = "rate_limit"
    destination: IPAddress
    protocol: Literal["tcp", "udp"]
    port: Port
    rate_bytes_per_s: Literal[12_500, 125_000, 1_250_000, 12_500_000]
    source: IPNetwork | None = None


class IsolateHost(BaseAction):
    """Cut a host off, both ways, at the port it is attached to."""

    spec: ClassVar = ActionSpec(
        plane=Plane.NETWORK,
        params={"host": ("host",)},
        mitigation="M1030",
        d3fend=("D3-NI",),
        openc2="contain device",
        inverse="take our filter entries away",
        read_back="packets from and to the host meet a drop at its port",
        blast_radius="the host and every client of its services",
    )
    kind: Literal["isolate_host"] = "isolate_host"
    host: Name


class RestrictService(BaseAction):
    """Leave a service to its declared clients and drop everybody else's traffic to it."""

    spec: ClassVar = ActionSpec(
        plane=Plane.NETWORK,
        params={"service": ("svc",)},
        mitigation="M1035",
        d3fend=("D3-ITF", "D3-NAM"),
        openc2="deny ipv4_connection|ipv6_connection",
        inverse="take our filter entries away",
        read_back="a declared client's packet is permitted, a stranger's dropped",
        blast_radius="users of the service that the inventory does not name",
    )
    kind: Literal["restrict_service"] = "restrict_service"
    host: Name
    service: Name


class BlackholeRoute(BaseAction):
    """Throw away what is routed towards an address (destination-based remotely triggered black hole)."""

    spec: ClassVar = ActionSpec(
        plane=Plane.NETWORK,
        params={"destination": ("src", "host"), "device": ("dev",)},
        mitigation="M1037",
        d3fend=("D3-OTF",),
        openc2="deny ipv4_net|ipv6_net (routing)",
        inverse="delete our static route",
        read_back="the static discard route is in the configuration",
        blast_radius="everybody who talks to that address through the device",
    )
    kind: Literal["blackhole_route"] = "blackhole_route"
    destination: IPNetwork
    device: Name


class ShutdownPort(BaseAction):
    """Take a device's port down."""

    spec: ClassVar = ActionSpec(
        plane=Plane.NETWORK,
        params={"interface": ("if",)},
        mitigation="M1030",
        d3fend=("D3-NI",),
        openc2="contain device (port)",
        inverse="restore the port's former administrative state",
        read_back="the port's administrative state is down",
        blast_radius="every host behind the port",
    )
    kind: Literal["shutdown_port"] = "shutdown_port"
    device: Name
    interface: Name


def _host_spec(mitigation: str, d3fend: tuple[str, ...], openc2: str, **extra: tuple[str, ...]) -> ActionSpec:
    return ActionSpec(
        plane=Plane.HOST,
        params={"host": ("host",), **extra},
        mitigation=mitigation,
        d3fend=d3fend,
        openc2=openc2,
        inverse="the role's undo",
        read_back="the role's own check",
        blast_radius="the host",
    )


class SecureSshd(BaseAction):
    """Harden the SSH server of a host."""

    spec: ClassVar = _host_spec("M1042", ("D3-ACH",), "set device (sshd)")
    kind: Literal["secure_sshd"] = "secure_sshd"
    host: Name


class HardenKernel(BaseAction):
    """Set network-hardening sysctls on a host."""

    spec: ClassVar = _host_spec("M1037", ("D3-PH",), "set device (sysctl)")
    kind: Literal["harden_kernel"] = "harden_kernel"
    host: Name


class DeployHids(BaseAction):
    """Put a host intrusion detection agent on a host."""

    spec: ClassVar = _host_spec("M1031", ("D3-NTA",), "start device (hids)")
    kind: Literal["deploy_hids"] = "deploy_hids"
    host: Name


class EnforceApparmor(BaseAction):
    """Put a service under an AppArmor profile in enforce mode."""

    spec: ClassVar = _host_spec("M1048", ("D3-MAC",), "set process (apparmor)", process=("proc",))
    kind: Literal["enforce_apparmor"] = "enforce_apparmor"
    host: Name
    process: Name


class PatchVulnerability(BaseAction):
    """Update a package to the version its vendor has fixed."""

    spec: ClassVar = _host_spec("M1051", ("D3-SU",), "update software", package=("pkg",))
    kind: Literal["patch_vulnerability"] = "patch_vulnerability"
    host: Name
    package: Name


class StopProcess(BaseAction):
    """Stop a process of a host."""

    spec: ClassVar = _host_spec("M1038", ("D3-PT",), "stop process", process=("proc",))
    kind: Literal["stop_process"] = "stop_process"
    host: Name
    process: Name


class ClosePort(BaseAction):
    """Close a listening port with the host's own packet filter."""

    spec: ClassVar = _host_spec("M1042", ("D3-ITF",), "deny ipv4_connection (host)", port=("port",))
    kind: Literal["close_port"] = "close_port"
    host: Name
    protocol: Literal["tcp", "udp"]
    port: Port


class DisableAccount(BaseAction):
    """Lock an account."""

    spec: ClassVar = _host_spec("M1036", ("D3-AL",), "deny account", account=("acct",))
    kind: Literal["disable_account"] = "disable_account"
    host: Name
    account: Name


class DnsSinkhole(BaseAction):
    """Answer a name with nothing on the resolver."""

    spec: ClassVar = _host_spec("M1021", ("D3-DNSDL",), "deny domain_name", name=("name",))
    kind: Literal["dns_sinkhole"] = "dns_sinkhole"
    host: Name
    name: Domain


class Observe(BaseAction):
    """Do nothing, and say why. The right answer to a false alarm."""

    spec: ClassVar = ActionSpec(
        plane=Plane.NONE,
        params={"reason": tuple(ObserveReason)},
        mitigation="M1047",
        d3fend=("D3-NTA",),
        openc2="query features",
        inverse="nothing to undo",
        read_back="nothing changed",
        blast_radius="nobody",
    )
    kind: Literal["observe"] = "observe"
    reason: ObserveReason


Action = Annotated[
    BlockIp | BlockFlow | RateLimit | IsolateHost | RestrictService | BlackholeRoute | ShutdownPort
    | SecureSshd | HardenKernel | DeployHids | EnforceApparmor | PatchVulnerability | StopProcess | ClosePort
    | DisableAccount | DnsSinkhole | Observe,
    Field(discriminator="kind"),
]  # fmt: skip

ACTION_TYPES: tuple[type[BaseAction], ...] = (
    BlockIp, BlockFlow, RateLimit, IsolateHost, RestrictService, BlackholeRoute, ShutdownPort,
    SecureSshd, HardenKernel, DeployHids, EnforceApparmor, PatchVulnerability, StopProcess, ClosePort,
    DisableAccount, DnsSinkhole, Observe,
)  # fmt: skip

CATALOGUE: dict[str, type[BaseAction]] = {str(t.model_fields["kind"].default): t for t in ACTION_TYPES}
"""Action name → its type, in the order of the policy's vocabulary."""
