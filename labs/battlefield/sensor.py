"""One Suricata a battlefield, started when it is wanted: every gateway mirrors what its hosts send to it.

A copy is taken where a packet enters the network (at the ports of hosts and at the outside port, not at cables between
gateways), so that each packet is seen once, also one that a filter drops, also between two hosts of one switch.

Suricata decodes no ARP: a second program (arpwatch.py) listens beside it and appends to the same log. Both append line
by line. Suricata's lines beyond 4 KiB, which it writes in pieces, are its statistics: those have a file of their own.
The log lies in the memory of the sensor's own node, of bounded size: a flood of alerts fills that and nothing else.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from labs.lab.kernel import Nftables
from labs.lab.netns import run_in
from labs.lab.processes import tail
from labs.lab.sensor import RULES, STARTED
from secloop_ai.contracts.errors import LabError

from . import arpwatch, oddities
from .atlas import RED, Atlas, Node, mac, netns
from .nodes import Nodes
from .services import Place, Serving
from .surroundings import HTTP_KINDS
from .wiring import batch

NAME = "ids"
MIRROR, IN, OUT = "span0", "mon0", "mon1"
LOG = Path("/var/log/ids")
"""Folder of the event log, on the sensor's node."""
EVE, STATS = "eve.json", "stats.json"
KNOWN, WATCHER = "stations.json", "arpwatch.py"
SURICATA, ARPWATCH = "suricata", "arpwatch"
"""Names of the two programs among the daemons."""
STATS_EVERY_S = 2
IN_EVE = """\
        - stats:
            totals: yes
            threads: no
"""
APART = f"""\
  - eve-log:
      enabled: yes
      filetype: regular
      filename: {STATS}
      types:
{IN_EVE}"""
READY_S = 20.0
POLL_S = 0.01
MORE_RULES = Path(__file__).resolve().parents[1] / "attacks" / "rules"
FALLBACK = {"HTTP_PORTS": {80, 8080}, "SSH_PORTS": {22}, "SERVICE_PORTS": {22, 53, 80, 8080}}


def node(index: int) -> Node:
    """The sensor's node."""
    return Node(NAME, "host", netns(index, NAME))


def cable_lines(atlas: Atlas) -> Iterator[str]:
    """``ip -batch`` lines, run in this machine's own namespace: a mirror port from every gateway to the sensor."""
    for number, gateway in enumerate(atlas.gateways()):
        far = f"name span{number} netns {node(atlas.number).netns}"
        yield f"link add name {MIRROR} netns {gateway.netns} type veth peer {far}"


def inside_lines(atlas: Atlas) -> Iterator[str]:
    """``ip -batch`` lines for the sensor's namespace."""
    yield "link set lo up"
    yield f"link add {IN} type veth peer name {OUT}"
    for name in (IN, *(f"span{n}" for n in range(len(atlas.gateways())))):
        yield f"link set {name} up"
    yield f"link set {OUT} up promisc on"


def gather_script(gateways: int) -> str:
    """nftables: what comes from the gateways goes to the one port that is listened on."""
    chains = "".join(
        f"  chain from{n} {{ type filter hook ingress device span{n} priority 0; fwd to {IN}; }}\n"
        for n in range(gateways)
    )
    return f"table netdev gather {{\n{chains}}}\n"


def mirror_script(atlas: Atlas, device: str) -> str:
    """nftables: a copy of every packet that a host or the outside sends into the gateway."""
    links = [link for port in atlas.ports_of(device) for link in port.links()]
    chains = "".join(
        f"  chain from_{n} {{ type filter hook ingress device {link} priority -500; dup to {MIRROR}; }}\n"
        for n, link in enumerate(links)
    )
    return f"table netdev span {{\n{chains}}}\n"


def wire(atlas: Atlas, env: Mapping[str, str]) -> None:
    """Mirror ports and the sensor's own links; its namespace is there.

    Raises:
        LabError: the kernel refused.
    """
    batch(None, cable_lines(atlas), env)
    batch(node(atlas.number).netns, inside_lines(atlas), env)
    _nft(node(atlas.number).netns, gather_script(len(atlas.gateways())))
    for gateway in atlas.gateways():
        batch(gateway.netns, iter((f"link set {MIRROR} up",)), env)
        _nft(gateway.netns, mirror_script(atlas, gateway.name))


def _nft(where: str, script: str) -> None:
    run_in(where, lambda: Nftables().run(script, check_only=False))


def write_config(atlas: Atlas, kinds: Mapping[Place, Serving], folder: Path) -> Path:
    """What both programs read for this case, all of Suricata's rules in one file; returns its configuration's path."""
    folder.mkdir(mode=0o700, exist_ok=True)
    text = (RULES / "suricata.yaml").read_text(encoding="utf-8")
    text = text.replace("@RUN@", str(LOG)).replace("@RULES@", str(folder))
    text = text.replace(IN_EVE, APART)
    text = re.sub(r"^  interval: \d+$", f"  interval: {STATS_EVERY_S}", text, flags=re.MULTILINE)
    text = oddities.configured(text)
    for name, value in variables(atlas, kinds).items():
        text = re.sub(rf"^( +){name}: .*$", rf'\g<1>{name}: "{value}"', text, flags=re.MULTILINE)
    for name in ("classification.config", "reference.config"):
        (folder / name).write_bytes((RULES / name).read_bytes())
    rules = [*sorted(RULES.glob("*.rules")), *sorted(MORE_RULES.glob("*.rules"))]
    (folder / "secloop.rules").write_text("\n".join(r.read_text(encoding="utf-8") for r in rules), encoding="utf-8")
    (folder / WATCHER).write_bytes(Path(arpwatch.__file__).read_bytes())
    (folder / KNOWN).write_text(json.dumps(stations(atlas)), encoding="utf-8")
    target = folder / "suricata.yaml"
    target.write_text(text, encoding="utf-8")
    return target


def stations(atlas: Atlas) -> dict[str, str]:
    """Address → hardware address of the gateways' own ports, as the gateways know them."""
    found = {}
    for port in atlas.ports:
        found.update({str(a.ip): mac(port.device, port.interface.name) for a in port.interface.addresses})
    return found


def variables(atlas: Atlas, kinds: Mapping[Place, Serving]) -> dict[str, str]:
    """Suricata's address and port groups for the case: HOME_NET is all that lies inside."""
    home = {str(a.network) for p in atlas.ports if RED not in p.members for a in p.interface.addresses}
    servers = {str(h.addresses[0]) for h in atlas.case.environment.hosts if h.services}
    ports = {name: set(values) for name, values in FALLBACK.items()}
    for host in atlas.case.environment.hosts:
        for service in host.services:
            kind = kinds[host.name, service.name].kind
            ports["SERVICE_PORTS"].add(service.port)
            if kind in HTTP_KINDS:
                ports["HTTP_PORTS"].add(service.port)
            elif kind == "ssh":
                ports["SSH_PORTS"].add(service.port)
    groups = {"HOME_NET": home, "SERVERS": servers or home}
    found = {name: f"[{','.join(sorted(values))}]" for name, values in groups.items()}
    return found | {name: f"[{','.join(map(str, sorted(values)))}]" for name, values in ports.items()}


def start(atlas: Atlas, nodes: Nodes, config: Path) -> None:
    """Boot the sensor's node, start both programs there and wait until they listen.

    Raises:
        LabError: one ended, or was not ready in time; with the end of its log.
    """
    nodes.boot([node(atlas.number)], {NAME: [f"{config.parent}:{config.parent}"]})
    log = nodes.inside(NAME) / LOG.relative_to("/")
    log.mkdir(mode=0o700)
    suricata = ["/usr/bin/suricata", "-c", str(config), "-l", str(LOG), f"--af-packet={OUT}", "-k", "none"]
    watcher = [sys.executable, "-I", "-S", str(config.parent / WATCHER)]
    watch = [*watcher, OUT, str(LOG / EVE), str(config.parent / KNOWN)]
    nodes.settle(
        [
            nodes.start(SURICATA, NAME, suricata, rights="admin", folder=str(LOG)),
            nodes.start(ARPWATCH, NAME, watch, rights="red", folder=str(LOG)),
        ]
    )
    for name in (SURICATA, ARPWATCH):
        _await(nodes, name)


def _await(nodes: Nodes, name: str) -> None:
    log, pid = nodes.log(name), nodes.daemons[name]
    deadline = time.monotonic() + READY_S
    while STARTED not in tail(log, 50):
        if not Path(f"/proc/{pid}/root/proc").exists() or time.monotonic() > deadline:
            raise LabError(f"{name}: not ready\n{tail(log)}")
        time.sleep(POLL_S)


def logs(nodes: Nodes) -> Path:
    """The log's folder, as this process sees it; it goes with the sensor's node."""
    return nodes.inside(NAME) / LOG.relative_to("/")
