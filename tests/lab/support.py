"""What the lab's tests share: leftovers, configuration snippets, waiting."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from labs.lab import Lab
from labs.lab.processes import members
from labs.lab.requirements import explain

LACKING = explain()
needs_lab = [pytest.mark.lab, pytest.mark.skipif(bool(LACKING), reason=LACKING or "the lab can run")]

NC = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"'
ACLS = (
    'acls xmlns="urn:ietf:params:xml:ns:yang:ietf-access-control-list" '
    f'xmlns:acl="urn:ietf:params:xml:ns:yang:ietf-access-control-list" {NC}'
)
ATTACKER, ATTACKER_6 = "203.0.113.66", "2001:db8:66::66"
CLIENT = "198.51.100.10"
WEB, WEB_6 = "192.0.2.10", "2001:db8:20::10"
APP, APP_6 = "192.0.2.138", "2001:db8:30::138"
OPERATOR_ACL = "edge-in"


def lab_name(letter: str) -> str:
    """A name no other process uses."""
    return f"{letter}{os.getpid() % 10**7}"


def eventually(condition: Callable[[], bool], within_s: float = 15.0) -> bool:
    """Whether the condition comes true while we wait."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return condition()


def ace(name: str, matches: str = "", action: str = "drop", extra: str = "") -> str:
    """One entry."""
    found = f"<matches>{matches}</matches>" if matches else ""
    return f"<ace><name>{name}</name>{found}<actions><forwarding>acl:{action}</forwarding>{extra}</actions></ace>"


def source(address: str) -> str:
    """A match on one source address."""
    if ":" in address:
        return f"<ipv6><source-ipv6-network>{address}/128</source-ipv6-network></ipv6>"
    return f"<ipv4><source-ipv4-network>{address}/32</source-ipv4-network></ipv4>"


def acl(name: str, entries: str, kind: str = "mixed-eth-ipv4-ipv6") -> str:
    """One whole ACL."""
    return f"<acl><name>{name}</name><type>acl:{kind}-acl-type</type><aces>{entries}</aces></acl>"


def attach(interface: str, names: list[str], direction: str = "ingress") -> str:
    """The ACLs of one side of an interface, replacing what is there."""
    sets = "".join(f"<acl-set><name>{name}</name></acl-set>" for name in names)
    inner = f'<acl-sets nc:operation="replace">{sets}</acl-sets>'
    return (
        f"<attachment-points><interface><interface-id>{interface}</interface-id>"
        f"<{direction}>{inner}</{direction}></interface></attachment-points>"
    )


def acls(content: str) -> str:
    """The top container."""
    return f"<{ACLS}>{content}</acls>"


def block(address: str, name: str = "test-block") -> str:
    """Block a source at the outside port, before the operator's ACL."""
    return acls(acl(name, ace("a", source(address))) + attach("ge0", [name, OPERATOR_ACL]))


def unblock(name: str = "test-block") -> str:
    """The inverse of `block`: detach before delete."""
    gone = f'<acl nc:operation="delete"><name>{name}</name></acl>'
    return acls(attach("ge0", [OPERATOR_ACL]) + gone)


def enabled(interface: str, *, up: bool) -> str:
    """Administrative state of a port."""
    return (
        '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces"><interface>'
        f"<name>{interface}</name><enabled>{str(up).lower()}</enabled></interface></interfaces>"
    )


def discard(prefix: str, *, delete: bool = False) -> str:
    """A static discard route, or its removal."""
    family = "ipv6" if ":" in prefix else "ipv4"
    mark = ' nc:operation="delete"' if delete else ""
    body = (
        ""
        if delete
        else "<description>test</description><next-hop><special-next-hop>blackhole</special-next-hop></next-hop>"
    )
    route = f"<route{mark}><destination-prefix>{prefix}</destination-prefix>{body}</route>"
    routing = "urn:ietf:params:xml:ns:yang:ietf-routing"
    return (
        f'<routing xmlns="{routing}" xmlns:rt="{routing}" {NC}><control-plane-protocols><control-plane-protocol>'
        "<type>rt:static</type><name>static</name><static-routes>"
        f'<{family} xmlns="urn:ietf:params:xml:ns:yang:ietf-{family}-unicast-routing">{route}</{family}>'
        "</static-routes></control-plane-protocol></control-plane-protocols></routing>"
    )


def change(lab: Lab, *configs: str) -> None:
    """Edit and commit."""
    with lab.session() as session:
        for config in configs:
            session.edit(config)
        session.commit()


def links() -> str:
    """Links of the root namespace."""
    return subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout


def leftovers(lab: Lab) -> list[str]:
    """Everything of the lab that is still on the machine."""
    names = [lab.netns(host) for host in ("gw", "attacker", "client", "web", "app")]
    found = [f"namespace {name}" for name in names if Path("/run/netns", name).exists()]
    found += [f"process {pid}" for pid in members(names, lab.paths.root)]
    found += [f"file {lab.paths.root}"] if lab.paths.root.exists() else []
    if lab.inventory_dir and lab.inventory_dir.exists():
        found += [f"file {lab.inventory_dir}"]
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8")
    found += [f"mount of {name}" for name in [*names, str(lab.paths.root)] if name in mounts]
    return found
