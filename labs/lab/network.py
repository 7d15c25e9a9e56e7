"""Namespaces, links, addresses and routes of a lab."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from secloop_ai.contracts.errors import LabError

from .topology import (
    GATEWAY,
    MANAGEMENT_PORT,
    MAX_INDEX,
    PORTS,
    Port,
    controller_address,
    device_address,
    management_link,
    namespace,
)

SPAN_IN, SPAN_OUT = "span0", "span1"
HOST_PORT = "eth0"
SETUP_TIMEOUT_S = 20.0
GATEWAY_SYSCTLS = {
    "net/ipv4/ip_forward": "1",
    "net/ipv6/conf/all/forwarding": "1",
    "net/ipv6/conf/all/accept_dad": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    # a port that goes down and up again keeps its addresses
    "net/ipv6/conf/all/keep_addr_on_down": "1",
    "net/ipv6/conf/default/keep_addr_on_down": "1",
    # spoofed packets are the filter's business
    "net/ipv4/conf/all/rp_filter": "0",
    "net/ipv4/conf/default/rp_filter": "0",
}
HOST_SYSCTLS = {
    "net/ipv6/conf/all/accept_dad": "0",
    "net/ipv6/conf/default/accept_dad": "0",
    "net/ipv6/conf/eth0/accept_dad": "0",
    "net/ipv6/conf/all/accept_ra": "0",
}


def gateway_batch(lab: str) -> str:
    """The `ip -batch` lines that build the gateway; each veth's far end appears in its host's namespace."""
    lines = ["link set lo up"]
    for port in PORTS:
        far = f"peer name {HOST_PORT} netns {namespace(lab, port.host)}"
        lines += [
            f"link add {port.name} type veth {far}",
            f"addr add {port.v4} dev {port.name}",
            f"addr add {port.v6} dev {port.name} nodad",
            f"link set {port.name} up",
        ]
    lines += [
        f"link add {SPAN_IN} type veth peer name {SPAN_OUT}",
        f"link set {SPAN_IN} up",
        f"link set {SPAN_OUT} up promisc on",
    ]
    return "\n".join(lines) + "\n"


def host_batch(port: Port) -> str:
    """The `ip -batch` lines that give a host its addresses and its way out."""
    lines = [
        "link set lo up",
        f"addr add {port.host_v4} dev {HOST_PORT}",
        f"addr add {port.host_v6} dev {HOST_PORT} nodad",
        f"link set {HOST_PORT} up",
        f"route add default via {port.v4.ip}",
        f"route add default via {port.v6.ip}",
    ]
    return "\n".join(lines) + "\n"


def span_script() -> str:
    """nftables: a copy of every packet that enters a port goes to the sensor, also of one dropped later."""
    chains = [
        f"  chain from_{port.name} {{ type filter hook ingress device {port.name} priority -500; dup to {SPAN_IN}; }}"
        for port in PORTS
    ]
    return "\n".join(["table netdev span {", *chains, "}"]) + "\n"


def run(argv: list[str], env: Mapping[str, str], stdin: str = "") -> str:
    """Run a set-up command to its end; returns its output.

    Raises:
        LabError: it failed, with what it said.
    """
    try:
        done = subprocess.run(
            argv, input=stdin, env=dict(env), capture_output=True, text=True, timeout=SETUP_TIMEOUT_S, check=False
        )
    except FileNotFoundError as error:
        raise LabError(f"{argv[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{' '.join(argv)}: no end after {SETUP_TIMEOUT_S:g} s") from error
    if done.returncode:
        raise LabError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def build(lab: str, names: tuple[str, ...], env: Mapping[str, str]) -> None:
    """Make the namespaces and everything between them; needs root.

    Raises:
        LabError: the kernel or a tool refused a part of it.
    """
    run(["ip", "-batch", "-"], env, "".join(f"netns add {name}\n" for name in names))
    gateway = namespace(lab, GATEWAY)
    _inside(gateway, GATEWAY_SYSCTLS, gateway_batch(lab), env)
    run(["ip", "netns", "exec", gateway, "nft", "-f", "-"], env, span_script())
    for port in PORTS:
        _inside(namespace(lab, port.host), HOST_SYSCTLS, host_batch(port), env)


def _inside(name: str, sysctls: Mapping[str, str], batch: str, env: Mapping[str, str]) -> None:
    script = "".join(f"echo {value} > /proc/sys/{key}; " for key, value in sysctls.items())
    # a batch has no family of its own: the lines tell it by their addresses
    run(["ip", "netns", "exec", name, "sh", "-ec", f"{script}exec ip -batch -"], env, batch)


def connect_management(lab: str, env: Mapping[str, str]) -> int:
    """Join the gateway to this machine by a link of its own; returns the index of the free subnet it took.

    Raises:
        LabError: none is free, or the kernel refused.
    """
    gateway = namespace(lab, GATEWAY)
    taken = run(["ip", "-o", "-4", "addr", "show"], env)
    for index in range(MAX_INDEX):
        link, near, far = management_link(index), controller_address(index), device_address(index)
        if f" {near}/" in taken:
            continue
        peer = f"type veth peer name {MANAGEMENT_PORT} netns {gateway}"
        try:
            run(["ip", "link", "add", link, *peer.split()], env)
        except LabError as error:
            if "File exists" in str(error):
                continue
            raise
        run(["ip", "-batch", "-"], env, f"addr add {near}/30 dev {link}\nlink set {link} up\n")
        inner = f"addr add {far}/30 dev {MANAGEMENT_PORT}\nlink set {MANAGEMENT_PORT} up\n"
        run(["ip", "-n", gateway, "-batch", "-"], env, inner)
        return index
    raise LabError(f"no free management subnet among 10.254.0.0/30 .. 10.254.{MAX_INDEX - 1}.0/30")


def existing(env: Mapping[str, str]) -> set[str]:
    """Names of the network namespaces of this machine."""
    return {line.split()[0] for line in run(["ip", "netns", "list"], env).splitlines() if line.strip()}


def demolish(lab: str, names: tuple[str, ...], env: Mapping[str, str]) -> None:
    """Delete what `build` and `connect_management` made, as far as it is there.

    Raises:
        LabError: a namespace could not be deleted.
    """
    present = existing(env) & set(names)
    gateway = namespace(lab, GATEWAY)
    if gateway in present:
        # at once, with its far end: a namespace's own links go some time after its name
        batch = f"link del {MANAGEMENT_PORT}\n"
        subprocess.run(
            ["ip", "-n", gateway, "-batch", "-"],
            input=batch,
            env=dict(env),
            capture_output=True,
            text=True,
            check=False,
        )
    if present:
        run(["ip", "-batch", "-"], env, "".join(f"netns del {name}\n" for name in sorted(present)))
