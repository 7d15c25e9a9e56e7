"""Links, addresses and routes of a battlefield."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Interface

from secloop_ai.contracts import Interface
from secloop_ai.contracts.errors import LabError

from .atlas import HOST_PORT, MANAGEMENT_PORT, Atlas, Node, Port, mac

TIMEOUT_S = 20.0


def cable_lines(atlas: Atlas) -> Iterator[str]:
    """``ip -batch`` lines, run in this machine's own namespace: every cable, both ends where they belong."""
    for port in atlas.ports:
        gateway = atlas.nodes[port.device].netns
        for link, member in zip(port.links(), port.members, strict=True):
            node = atlas.nodes[member]
            near = f"name {link} address {mac(port.device, link)} netns {gateway}"
            yield f"link add {near} type veth peer name {HOST_PORT} address {mac(member)} netns {node.netns}"
    for cable in atlas.case.links:
        one = f"name {cable.one_port} address {mac(cable.one, cable.one_port)} netns {atlas.nodes[cable.one].netns}"
        other = (
            f"{cable.other_port} address {mac(cable.other, cable.other_port)} netns {atlas.nodes[cable.other].netns}"
        )
        yield f"link add {one} type veth peer name {other}"
    for device, m in atlas.management.items():
        yield f"link add name {m.link} type veth peer name {MANAGEMENT_PORT} netns {atlas.nodes[device].netns}"
        yield f"addr add {m.controller} dev {m.link}"
        yield f"link set {m.link} up"


def gateway_lines(atlas: Atlas, device: str) -> Iterator[str]:
    """``ip -batch`` lines for the inside of a gateway."""
    yield "link set lo up"
    for port in atlas.ports_of(device):
        yield from _port_lines(port)
    for interface in _interfaces(atlas, device):
        for address in interface.addresses:
            yield f"addr add {address} dev {interface.name}"
        yield f"link set {interface.name} up"
    yield f"addr add {atlas.management[device].device} dev {MANAGEMENT_PORT}"
    yield f"link set {MANAGEMENT_PORT} up"
    yield from _routes(atlas, device)


def _interfaces(atlas: Atlas, device: str) -> Iterator[Interface]:
    found = atlas.case.environment.device(device)
    yield from (i for i in (found.interfaces if found else ()) if not i.management)


def _port_lines(port: Port) -> Iterator[str]:
    links = port.links()
    if len(port.members) == 1:
        return
    name = port.interface.name
    yield f"link add {name} address {mac(port.device, name)} type bridge forward_delay 0 mcast_snooping 0"
    for link in links:
        yield f"link set {link} master {name}"
        yield f"link set {link} up"


def _routes(atlas: Atlas, device: str) -> Iterator[str]:
    """Behind a cable by the other gateway's address; the outside is reached straight from its port."""
    far = {(x.one, x.one_port): (x.other, x.other_port) for x in atlas.case.links}
    far |= {other: one for one, other in list(far.items())}
    for interface in _interfaces(atlas, device):
        for network in interface.networks:
            peer = far.get((device, interface.name))
            via = f"via {_own(atlas, *peer).ip}" if peer else ""
            yield f"route replace {network} {via} dev {interface.name}"


def _own(atlas: Atlas, device: str, interface: str) -> IPv4Interface:
    found = atlas.case.environment.device(device)
    port = found.interface(interface) if found else None
    if port is None or not port.addresses:
        raise LabError(f"{atlas.case.case_id}: {device} {interface} has no address")
    return IPv4Interface(str(port.addresses[0]))


def node_lines(node: Node) -> Iterator[str]:
    """``ip -batch`` lines for the inside of a host, or of the attacker's node."""
    yield "link set lo up"
    for address in (node.address, *node.others):
        yield f"addr add {address} dev {HOST_PORT}"
    yield f"link set {HOST_PORT} up"
    yield from source_lines(node, str(node.address.ip) if node.address else "")


def source_lines(node: Node, address: str) -> Iterator[str]:
    """Routes by which the node's packets bear that source address."""
    if node.address is not None:
        yield f"route replace {node.address.network} dev {HOST_PORT} src {address}"
    yield f"route replace default via {node.gateway} dev {HOST_PORT} src {address}"


def build(atlas: Atlas, env: Mapping[str, str]) -> None:
    """Lay the cables and set the addresses; the namespaces are there.

    Raises:
        LabError: the kernel refused a part of it.
    """
    batch(None, cable_lines(atlas), env)
    inside = {n.netns: "\n".join(_lines(atlas, n)) + "\n" for n in atlas.nodes.values()}
    running = [(name, text, _ip(name, env)) for name, text in inside.items()]
    for name, text, process in running:
        _finish(process, text, name)


def _lines(atlas: Atlas, node: Node) -> Iterator[str]:
    return gateway_lines(atlas, node.name) if node.kind == "gateway" else node_lines(node)


def batch(netns: str | None, lines: Iterator[str], env: Mapping[str, str], *, force: bool = False) -> None:
    """Run ``ip -batch`` in the namespace, or in this machine's own.

    Raises:
        LabError: a line was refused; with `force` the others are still run and nothing is raised.
    """
    process = _ip(netns, env, force=force)
    _finish(process, "\n".join(lines) + "\n", netns or "this machine", quiet=force)


def _ip(netns: str | None, env: Mapping[str, str], *, force: bool = False) -> subprocess.Popen[str]:
    argv = ["ip", *(["-n", netns] if netns else []), *(["-force"] if force else []), "-batch", "-"]
    return subprocess.Popen(
        argv, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _finish(process: subprocess.Popen[str], text: str, where: str, *, quiet: bool = False) -> None:
    try:
        _, said = process.communicate(text, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise LabError(f"ip in {where}: no end after {TIMEOUT_S:g} s") from None
    if process.returncode and not quiet:
        raise LabError(f"ip in {where}: {' '.join(said.split())[:400]}")
