"""The network a policy acts on: devices, hosts, services, and what must never be touched."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Interface, IPv6Interface, ip_network
from typing import Annotated, Literal

from pydantic import Field

from .acl import WITH_PORTS, IPNetwork, Packet
from .actions import CATALOGUE
from .alerts import IPAddress, Port, Slug
from .base import Frozen, Name

PROTOCOL_NUMBER = {"tcp": 6, "udp": 17}


class Criticality(StrEnum):
    """How much an outage of this host or service hurts."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Interface(Frozen):
    """A device's port.

    Attributes:
        addresses: the device's own, with their prefix length.
        networks: what is reached through it, for finding the port a source comes in by (longest prefix wins);
            the prefixes of `addresses` count too.
        management: carries the controller's own session: never filtered, never shut.
    """

    name: Name
    zone: Slug = "default"
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    networks: tuple[IPNetwork, ...] = ()
    management: bool = False

    def reach(self, address: IPAddress) -> int:
        """Length of the longest of its prefixes that holds the address; -1 for none."""
        nets = [*self.networks, *(a.network for a in self.addresses)]
        return max((n.prefixlen for n in nets if n.version == address.version and address in n), default=-1)


class Connection(Frozen):
    """How a device is reached over NETCONF. Secrets are not here: they are handed to the session apart.

    Attributes:
        key_file: SSH private key; None leaves it to the agent or the password.
        known_hosts: file of the host keys to trust; None means the user's own known_hosts.
        verify_host_key: False only where a user says so in the inventory.
        timeout_s: for connecting and for each RPC, in seconds.
    """

    address: str
    port: Port = 830
    user: str | None = None
    key_file: str | None = None
    known_hosts: str | None = None
    verify_host_key: bool = True
    timeout_s: float = Field(default=30.0, gt=0)


class Device(Frozen):
    """A network device SecLoop may change."""

    name: Name
    dialect: Slug
    connection: Connection
    interfaces: tuple[Interface, ...] = ()
    # what came later is left out of dumps where it has its usual value: digests of older environments stay
    cli_port: Port = Field(
        default=22,
        exclude_if=lambda port: port == 22,  # noqa: PLR2004 - the default above
        description="of the command line, for show commands; never configured through",
    )
    lock_running: bool = Field(
        default=False,
        description="lock running beside the candidate; off where that hinders rollback",
    )
    confirm_timeout_unit: Literal["s", "min"] = Field(
        default="s",
        exclude_if=lambda unit: unit == "s",
        description="what the device counts confirm-timeout in; the standard says seconds, minutes are rounded up",
    )

    def interface(self, name: str) -> Interface | None:
        """The interface of that name."""
        return next((i for i in self.interfaces if i.name == name), None)

    def own_addresses(self) -> tuple[IPAddress, ...]:
        """Every address the device itself answers on."""
        return tuple(a.ip for i in self.interfaces for a in i.addresses)


class HttpCheck(Frozen):
    """GET `path` and expect the status."""

    type: Literal["http"] = "http"
    path: Annotated[str, Field(pattern=r"^/[\x21-\x7e]*$")] = "/"
    expect_status: int = Field(default=200, ge=100, le=599)


class TcpCheck(Frozen):
    """Connect and hang up."""

    type: Literal["tcp"] = "tcp"


class BannerCheck(Frozen):
    """Connect and expect the server to speak first, beginning with `expect`."""

    type: Literal["banner"] = "banner"
    expect: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,64}$")] = "SSH-"


ServiceCheck = Annotated[HttpCheck | TcpCheck | BannerCheck, Field(discriminator="type")]


class Service(Frozen):
    """A service of a host and who legitimately uses it.

    Attributes:
        clients: names of inventory hosts, or prefixes.
        check: how a probe tells that it serves; None: not probed.
    """

    name: Slug
    protocol: Literal["tcp", "udp"] = "tcp"
    port: Port
    clients: tuple[Annotated[IPNetwork | Name, Field(union_mode="left_to_right")], ...] = ()
    criticality: Criticality = Criticality.MEDIUM
    check: ServiceCheck | None = None


class Attachment(Frozen):
    """Where a host hangs on the network."""

    device: Name
    interface: Name


class ProbeVantage(Frozen):
    """Where probes on behalf of a host start.

    ``controller``: a socket of this machine. ``netns``: inside the named network namespace of this machine (the
    lab). ``ssh``: on the host itself, over SSH as `address` with the user's own SSH configuration.
    """

    via: Literal["controller", "netns", "ssh"] = "controller"
    netns: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] | None = None
    address: str | None = None


class HostAccess(Frozen):
    """What host roles may do on a host. How they log in there is Ansible's own inventory's matter.

    Attributes:
        actions: host actions it allows, by their catalogue names.
        accounts, processes, packages: what it has that an action may name.
        resolver: the software that answers names here; None: it is no resolver.
    """

    actions: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], ...] = ()
    accounts: tuple[Name, ...] = ()
    processes: tuple[Name, ...] = ()
    packages: tuple[Name, ...] = ()
    resolver: Literal["dnsmasq", "unbound"] | None = None


class Host(Frozen):
    """A host of the network.

    Attributes:
        access: None: no role may touch it.
    """

    name: Name
    addresses: tuple[IPAddress, ...]
    zone: Slug = "default"
    role: Slug = "host"
    attached_to: Attachment | None = None
    criticality: Criticality = Criticality.MEDIUM
    services: tuple[Service, ...] = ()
    probe: ProbeVantage | None = None
    access: HostAccess | None = None


class Environment(Frozen):
    """Everything the loop knows of the network, built from the Ansible inventory.

    Attributes:
        protected: prefixes that no action may touch (gateways, DNS, management, the SOC itself).
        not_offered: actions this network cannot take now, each with the reason; all others of the catalogue
            are offered.
    """

    devices: tuple[Device, ...] = ()
    hosts: tuple[Host, ...] = ()
    protected: tuple[IPNetwork, ...] = ()
    not_offered: dict[str, str] = Field(default_factory=dict)
    max_prefix_v4: int = Field(default=32, ge=8, le=32, description="an IPv4 target may be no wider than this")
    max_prefix_v6: int = Field(default=64, ge=32, le=128, description="an IPv6 target may be no wider than this")
    max_actions: int = Field(default=8, ge=1, description="budget of disruptive actions in one strategy")

    def device(self, name: str) -> Device | None:
        """The device of that name."""
        return next((d for d in self.devices if d.name == name), None)

    def host(self, name: str) -> Host | None:
        """The host of that name."""
        return next((h for h in self.hosts if h.name == name), None)

    def host_at(self, address: IPAddress) -> Host | None:
        """The host that owns the address."""
        return next((h for h in self.hosts if address in h.addresses), None)

    def zone_of(self, address: IPAddress) -> Slug:
        """The zone the address is in: its host's, else that of the port it is reached through, else ``unknown``."""
        if host := self.host_at(address):
            return host.zone
        ports = [(i.reach(address), i.zone) for d in self.devices for i in d.interfaces if not i.management]
        best = max(ports, default=(-1, "unknown"))
        return best[1] if best[0] >= 0 else "unknown"

    def entries_for(self, address: IPAddress) -> tuple[tuple[Device, Interface], ...]:
        """The port of every device that traffic from the address enters by.

        A known host is where the inventory attaches it; any other address comes in, at each device, by the port
        with the longest matching prefix. Management ports never count.
        """
        host = self.host_at(address)
        if host and host.attached_to:
            device = self.device(host.attached_to.device)
            port = device.interface(host.attached_to.interface) if device else None
            return ((device, port),) if device and port else ()
        found = []
        for device in self.devices:
            ports = [(i.reach(address), -n, i) for n, i in enumerate(device.interfaces) if not i.management]
            length, _, port = max(ports, key=lambda p: p[:2], default=(-1, 0, None))
            if port and length >= 0:
                found.append((device, port))
        return tuple(found)

    def legitimate_packets(self) -> tuple[tuple[Service, Packet], ...]:
        """One packet per (client address, service address) the inventory declares legitimate."""
        found = []
        for server in self.hosts:
            for service in server.services:
                number = PROTOCOL_NUMBER[service.protocol]
                for source in self.client_addresses(service):
                    for target in (a for a in server.addresses if a.version == source.version):
                        packet = Packet(
                            source=source,
                            destination=target,
                            protocol=number,
                            source_port=50000 if number in WITH_PORTS else None,
                            destination_port=service.port,
                        )
                        found.append((service, packet))
        return tuple(found)

    def client_addresses(self, service: Service) -> tuple[IPAddress, ...]:
        """Addresses of the service's declared clients; a prefix is stood for by its first host address."""
        found: list[IPAddress] = []
        for client in service.clients:
            if isinstance(client, str):
                host = self.host(client)
                found.extend(host.addresses if host else ())
            else:
                found.append(client[1] if client.num_addresses > 2 else client[0])  # noqa: PLR2004
        return tuple(found)

    def client_networks(self, service: Service) -> tuple[IPNetwork, ...]:
        """Prefixes of the service's declared clients, a host as a single address."""
        found: list[IPNetwork] = []
        for client in service.clients:
            if isinstance(client, str):
                host = self.host(client)
                found.extend(ip_network(a) for a in (host.addresses if host else ()))
            else:
                found.append(client)
        return tuple(found)

    def offered_actions(self) -> tuple[str, ...]:
        """Names of the actions this network can take now, in catalogue order."""
        return tuple(name for name in CATALOGUE if name not in self.not_offered)
