"""From a case to what has to be built: nodes, ports, cables, routes, names. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Literal, NamedTuple

from labs.scenario import Case
from secloop_ai.contracts import Device, Interface, IPAddress
from secloop_ai.contracts.errors import LabError

RED = "red"
"""The attacker's node."""
HOST_PORT = "eth0"
MANAGEMENT_PORT = "mgmt0"
MANAGEMENT = IPv4Network("10.253.0.0/16")
"""Between controller and gateways: a /30 each. Cases draw their addresses below 10.240.0.0."""
GATEWAYS = 8
"""Most gateways of a case."""
NAME_LENGTH = 64


class Node(NamedTuple):
    """A machine of the battlefield.

    Attributes:
        address: its own, with the prefix length of its port; gateways have theirs on their ports.
        others: more addresses of the same node.
        gateway: the address it sends everything else to.
    """

    name: str
    kind: Literal["gateway", "host", "red"]
    netns: str
    address: IPv4Interface | None = None
    others: tuple[IPv4Interface, ...] = ()
    gateway: IPv4Address | None = None


class Port(NamedTuple):
    """A port of a gateway and who hangs on it.

    Attributes:
        members: names of nodes; one of them is wired straight, several by a switch.
    """

    device: str
    interface: Interface
    members: tuple[str, ...]

    def links(self) -> tuple[str, ...]:
        """Names of the port's own ends of the cables to its members."""
        name = self.interface.name
        return (name,) if len(self.members) == 1 else tuple(f"{name}p{n}" for n in range(len(self.members)))


class Management(NamedTuple):
    """How the controller reaches a gateway."""

    link: str
    controller: IPv4Interface
    device: IPv4Interface


class Atlas(NamedTuple):
    """Everything the builder needs."""

    case: Case
    number: int
    nodes: Mapping[str, Node]
    ports: tuple[Port, ...]
    management: Mapping[str, Management]

    def gateways(self) -> tuple[Node, ...]:
        """The gateways, in the case's order."""
        return tuple(n for n in self.nodes.values() if n.kind == "gateway")

    def hosts(self) -> tuple[Node, ...]:
        """Hosts of the inventory."""
        return tuple(n for n in self.nodes.values() if n.kind == "host")

    def ports_of(self, device: str) -> tuple[Port, ...]:
        """The ports of a gateway."""
        return tuple(p for p in self.ports if p.device == device)


def chart(case: Case, index: int) -> Atlas:
    """Plan the battlefield with that number.

    Raises:
        LabError: the case does not fit here (too many gateways, an address that is not IPv4, a host on no port).
    """
    devices = case.environment.devices
    if len(devices) > GATEWAYS:
        raise LabError(f"{case.case_id}: {len(devices)} gateways; a battlefield has at most {GATEWAYS}")
    nodes = {d.name: Node(d.name, "gateway", netns(index, d.name)) for d in devices}
    for node in _ends(case, index):
        if node.name in nodes:
            raise LabError(f"{case.case_id}: two nodes are named {node.name}")
        nodes[node.name] = node
    return Atlas(
        case, index, nodes, tuple(_ports(case)), {d.name: _management(index, n) for n, d in enumerate(devices)}
    )


def netns(index: int, name: str) -> str:
    """Network namespace of a node."""
    return f"bf{index}-{re.sub('[^A-Za-z0-9._-]', '_', name)}"[:NAME_LENGTH]


def mac(*parts: object) -> str:
    """A locally administered address that depends on these parts alone."""
    digest = hashlib.sha256("\x00".join(map(str, parts)).encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def outside_targets(case: Case) -> tuple[IPv4Address, ...]:
    """Addresses of the attacker's servers: what the stages reach that is no host of the case."""
    return tuple(sorted({_v4(s.target) for s in case.stages if s.target_host is None}))


def _ends(case: Case, index: int) -> Iterator[Node]:
    for host in case.environment.hosts:
        if host.attached_to is None:
            raise LabError(f"{case.case_id}: host {host.name} hangs on no port")
        own, *more = (_inside(case, host.attached_to.device, host.attached_to.interface, a) for a in host.addresses)
        yield Node(host.name, "host", netns(index, host.name), own[0], tuple(m[0] for m in more), own[1])
    first, *rest = case.attackers
    own = _inside(case, first.device, first.interface, first.address)
    spare = [IPv4Interface(f"{p.address}/{own[0].network.prefixlen}") for p in rest]
    servers = [IPv4Interface(f"{a}/32") for a in outside_targets(case) if a not in {p.address for p in case.attackers}]
    yield Node(RED, "red", netns(index, RED), own[0], (*spare, *servers), own[1])


def _inside(case: Case, device: str, interface: str, address: IPAddress) -> tuple[IPv4Interface, IPv4Address]:
    """The address with the prefix length of its port, and the gateway's own address there."""
    gateway = case.environment.device(device)
    port = gateway.interface(interface) if gateway else None
    if port is None or not port.addresses:
        raise LabError(f"{case.case_id}: {address} hangs on {device} {interface}, which has no address")
    own = IPv4Interface(str(port.addresses[0]))
    return IPv4Interface(f"{_v4(address)}/{own.network.prefixlen}"), own.ip


def _v4(address: IPAddress) -> IPv4Address:
    if not isinstance(address, IPv4Address):
        raise LabError(f"{address}: a battlefield speaks IPv4")
    return address


def _ports(case: Case) -> Iterator[Port]:
    linked = {(link.one, link.one_port) for link in case.links} | {(x.other, x.other_port) for x in case.links}
    for device in case.environment.devices:
        for interface in device.interfaces:
            if interface.management or (device.name, interface.name) in linked:
                continue
            yield Port(device.name, interface, tuple(_members(case, device, interface)))


def _members(case: Case, device: Device, interface: Interface) -> Iterable[str]:
    for host in case.environment.hosts:
        if (where := host.attached_to) and (where.device, where.interface) == (device.name, interface.name):
            yield host.name
    first = case.attackers[0]
    if (first.device, first.interface) == (device.name, interface.name):
        yield RED


def _management(index: int, number: int) -> Management:
    base = int(MANAGEMENT.network_address) + 4 * (index * GATEWAYS + number)
    return Management(
        link=f"bf{index}m{number}",
        controller=IPv4Interface((base + 1, 30)),
        device=IPv4Interface((base + 2, 30)),
    )
