"""The lab's network: who hangs where, under which addresses."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

NAME = re.compile(r"[a-z][a-z0-9]{0,11}")
GATEWAY = "gw"
MANAGEMENT_PORT = "mgmt0"
NETCONF_PORT = 830
NETCONF_USER = "netconf"
MAX_INDEX = 250


class Port(Frozen):
    """A port of the gateway and the one host behind it.

    Attributes:
        routes: prefixes reached through the port beside its own.
    """

    name: str
    zone: str
    host: str
    v4: IPv4Interface
    v6: IPv6Interface
    host_v4: IPv4Interface
    host_v6: IPv6Interface
    routes: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """What an inventory calls the port's networks."""
        return self.routes or (self.v4.network, self.v6.network)


def _port(name: str, zone: str, host: str, v4: str, host_v4: str, v6_net: str, host_id: str) -> Port:
    outside = zone == "outside"
    everything = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
    return Port(
        name=name,
        zone=zone,
        host=host,
        v4=IPv4Interface(v4),
        v6=IPv6Interface(f"{v6_net}1/64"),
        host_v4=IPv4Interface(host_v4),
        host_v6=IPv6Interface(f"{v6_net}{host_id}/64"),
        routes=everything if outside else (),
    )


PORTS = (
    _port("ge0", "outside", "attacker", "203.0.113.1/24", "203.0.113.66/24", "2001:db8:66::", "66"),
    _port("ge1", "access", "client", "198.51.100.1/24", "198.51.100.10/24", "2001:db8:10::", "10"),
    _port("ge2", "dmz", "web", "192.0.2.1/25", "192.0.2.10/25", "2001:db8:20::", "10"),
    _port("ge3", "dmz", "app", "192.0.2.129/25", "192.0.2.138/25", "2001:db8:30::", "138"),
)
PORT_NAMES = (*(port.name for port in PORTS), MANAGEMENT_PORT)
HOSTS = (GATEWAY, *(port.host for port in PORTS))


def port_of(host: str) -> Port:
    """The gateway port that the host hangs on.

    Raises:
        LabError: the lab has no such host.
    """
    for port in PORTS:
        if port.host == host:
            return port
    raise LabError(f"the lab has no host {host!r}; it has {', '.join(p.host for p in PORTS)}")


def namespace(lab: str, host: str) -> str:
    """The network namespace of the lab's host.

    Raises:
        LabError: the lab has no such host, or the lab's name is no name.
    """
    if not NAME.fullmatch(lab):
        raise LabError(f"lab name {lab!r}: a lower-case letter, then up to 11 lower-case letters or digits")
    if host not in HOSTS:
        raise LabError(f"the lab has no host {host!r}; it has {', '.join(HOSTS)}")
    return f"sl-{lab}-{host}"


def namespaces(lab: str) -> tuple[str, ...]:
    """Every namespace of the lab."""
    return tuple(namespace(lab, host) for host in HOSTS)


def management_link(index: int) -> str:
    """The controller's end of the management link, in the root namespace."""
    return f"sl-m{index}"


def management_subnet(index: int) -> IPv4Network:
    """The /30 between controller and gateway; every lab that is up has its own."""
    return IPv4Network(f"10.254.{index}.0/30")


def controller_address(index: int) -> IPv4Address:
    """The controller's end of the management subnet."""
    return management_subnet(index)[1]


def device_address(index: int) -> IPv4Address:
    """Where the gateway's NETCONF server listens."""
    return management_subnet(index)[2]
