"""The inventory's schema: what ``secloop_device``, ``secloop_host`` and ``secloop_limits`` may say."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator

from secloop_ai.contracts import CATALOGUE, Criticality, Frozen, IPNetwork, Name, Plane, ServiceCheck, Slug

from .findings import did_you_mean

DEVICES, HOSTS = "secloop_devices", "secloop_hosts"
DEVICE, HOST, PROTECTED, LIMITS = "secloop_device", "secloop_host", "secloop_protected", "secloop_limits"
NETCONF_PORT = 830
HOST_ACTIONS = tuple(name for name, kind in CATALOGUE.items() if kind.spec.plane is Plane.HOST)


def parse_address(value: Any) -> IPv4Address | IPv6Address:
    """An address from the text an inventory holds."""
    if isinstance(value, str):
        try:
            return ip_address(value.strip())
        except ValueError:
            pass
    raise ValueError(f"{value!r} is not an IP address")


def parse_interface(value: Any) -> IPv4Interface | IPv6Interface:
    """An interface address; without a prefix length it would silently be a network of one."""
    if isinstance(value, str) and "/" in value:
        try:
            return ip_interface(value.strip())
        except ValueError:
            pass
    raise ValueError(f"{value!r} is not an address with its prefix length, such as 192.0.2.1/24")


def parse_prefix(value: Any) -> IPNetwork:
    """A prefix, or an address as the prefix that holds it alone."""
    if isinstance(value, str):
        try:
            return ip_network(value.strip())
        except ValueError:
            pass
        try:
            meant = ip_network(value.strip(), strict=False)
        except ValueError:
            pass
        else:
            raise ValueError(f"{value!r} has bits set behind its prefix length; did you mean {str(meant)!r}?")
    raise ValueError(f"{value!r} is not a prefix such as 192.0.2.0/24")


def parse_host_action(value: Any) -> str:
    """The name of an action of the host plane."""
    if value in HOST_ACTIONS:
        return str(value)
    if value in CATALOGUE:
        raise ValueError(f"{value} is done on devices, not on a host; host actions: {', '.join(HOST_ACTIONS)}")
    hint = did_you_mean(str(value), HOST_ACTIONS)
    raise ValueError(f"{value!r} is no host action ({', '.join(HOST_ACTIONS)}){hint}")


HostAction = Annotated[str, PlainValidator(parse_host_action)]
Address = Annotated[IPv4Address | IPv6Address, PlainValidator(parse_address)]
InterfaceAddress = Annotated[IPv4Interface | IPv6Interface, PlainValidator(parse_interface)]
Prefix = Annotated[IPNetwork, PlainValidator(parse_prefix)]
HostText = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:%-]{1,255}$")]
PortNumber = Annotated[int, Field(ge=1, le=65535)]


class ConnectionVars(Frozen):
    """Ansible's own connection variables, as far as they matter here."""

    ansible_host: HostText | None = None
    ansible_port: PortNumber | None = None
    ansible_user: str | None = None
    ansible_ssh_private_key_file: str | None = None


class InterfaceVars(Frozen):
    """A device's port."""

    zone: Slug = "default"
    addresses: tuple[InterfaceAddress, ...] = ()
    networks: tuple[Prefix, ...] = ()
    management: bool = False


class DeviceVars(Frozen):
    """``secloop_device``."""

    dialect: Slug
    known_hosts: str | None = None
    verify_host_key: bool = True
    timeout_s: float = Field(default=30.0, gt=0, allow_inf_nan=False)
    lock_running: bool = False
    cli_port: PortNumber = 22
    confirm_timeout_unit: Literal["s", "min"] = "s"
    interfaces: dict[Name, InterfaceVars] = Field(default_factory=dict)


class ServiceVars(Frozen):
    """One of a host's services; its clients are looked up once all hosts are known."""

    name: Slug
    protocol: Literal["tcp", "udp"] = "tcp"
    port: PortNumber
    clients: tuple[str, ...] = ()
    criticality: Criticality = Criticality.MEDIUM
    check: ServiceCheck | None = None


class AttachmentVars(Frozen):
    """Where a host hangs on the network."""

    device: str
    interface: str


class ProbeVars(Frozen):
    """Where probes on behalf of a host start."""

    via: Literal["controller", "netns", "ssh"] = "controller"
    netns: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    address: HostText | None = None


class AccessVars(Frozen):
    """What roles may do on a host; how they log in there is Ansible's own variables' matter."""

    actions: tuple[HostAction, ...] = ()
    accounts: tuple[Name, ...] = ()
    processes: tuple[Name, ...] = ()
    packages: tuple[Name, ...] = ()
    resolver: Literal["dnsmasq", "unbound"] | None = None


class HostVars(Frozen):
    """``secloop_host``."""

    addresses: tuple[Address, ...] = ()
    zone: Slug = "default"
    role: Slug = "host"
    attached_to: AttachmentVars | None = None
    criticality: Criticality = Criticality.MEDIUM
    services: tuple[ServiceVars, ...] = ()
    probe: ProbeVars | None = None
    access: AccessVars | None = None


class LimitVars(Frozen):
    """``secloop_limits``; None leaves a limit at its default."""

    max_prefix_v4: int | None = Field(default=None, ge=8, le=32)
    max_prefix_v6: int | None = Field(default=None, ge=32, le=128)
    max_actions: int | None = Field(default=None, ge=1)
