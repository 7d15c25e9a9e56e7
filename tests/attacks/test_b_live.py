"""Means B on real packets: each succeeds where the weakness is, fails where it is not, and is seen by its rule."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from labs.attacks.base import Receipt
from labs.attacks.red import LabRed
from labs.attacks.registry import means, missing_tools
from labs.lab import Lab
from labs.lab.topology import port_of
from labs.scenario import Stage
from labs.services.base import ServiceOrder, program
from tests.lab.support import eventually, lab_name

from .ground import Ground

pytestmark = [pytest.mark.lab, pytest.mark.slow, pytest.mark.timeout(240)]

OUTSIDE = ("web", "attacker")
"""An implant on a server calls out."""
INSIDE = ("web", "client")
FROM_OUTSIDE = ("attacker", "client")
CASES = {
    "vuln-scan": FROM_OUTSIDE,
    "wordlist-scan": FROM_OUTSIDE,
    "dns-axfr": FROM_OUTSIDE,
    "banner-grab": FROM_OUTSIDE,
    "ftp-brute-force": FROM_OUTSIDE,
    "http-brute-force": FROM_OUTSIDE,
    "password-spray": FROM_OUTSIDE,
    "credential-stuffing": FROM_OUTSIDE,
    "dhcp-spoof": FROM_OUTSIDE,
    "ssh-pivot": INSIDE,
    "worm-spread": INSIDE,
    "lateral-tool-transfer": INSIDE,
    "authorized-keys": FROM_OUTSIDE,
    "vnc-login": INSIDE,
    "smb-share-discovery": INSIDE,
    "smb-share-loot": INSIDE,
    "snmp-mib-dump": INSIDE,
    "netconf-config-dump": FROM_OUTSIDE,
    "firewall-off": FROM_OUTSIDE,
    "logging-off": FROM_OUTSIDE,
    "heartbleed": FROM_OUTSIDE,
    "fuzzing": FROM_OUTSIDE,
    "shellcode-marker": FROM_OUTSIDE,
    "web-shell-command": FROM_OUTSIDE,
    "default-account": FROM_OUTSIDE,
    "port-knock": FROM_OUTSIDE,
    "valid-accounts": FROM_OUTSIDE,
    "http-beacon": OUTSIDE,
    "tool-transfer": OUTSIDE,
    "nonstandard-port-c2": OUTSIDE,
    "mqtt-c2": OUTSIDE,
    "dns-tunnel": OUTSIDE,
    "exfil-dns": OUTSIDE,
    "stratum-miner": OUTSIDE,
    "exfil-ftp": OUTSIDE,
    "exfil-scp": OUTSIDE,
    "internal-proxy": INSIDE,
    "slow-http": FROM_OUTSIDE,
    "http-flood": FROM_OUTSIDE,
    "goldeneye": FROM_OUTSIDE,
    "syn-half-open": FROM_OUTSIDE,
    "reflection": FROM_OUTSIDE,
    "service-stop": FROM_OUTSIDE,
}
USUAL = {"http": 8080, "tomcat": 8080}
UNREACHABLE = ip_address("192.0.2.99")


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """A lab with a sensor that has these rules."""
    with TemporaryDirectory(prefix="sl-") as folder, Lab(lab_name("b"), Path(folder) / "run") as lab:
        os.chmod(folder, 0o755)  # noqa: PTH101 - services run as nobody
        made = Ground(lab, Path(folder))
        with made.sensor("b.rules"):
            yield made


def stage_of(name: str, source: str, target: str, *, weak: bool, **more: object) -> Stage:
    """A stage between two hosts of the lab."""
    plugin = means(name)
    kind = plugin.service_kinds[0] if plugin.service_kinds else None
    port = USUAL.get(kind or "", getattr(plugin, "port", None) or 80)
    fields: dict[str, object] = {
        "index": 0,
        "means": name,
        "seed": 11,
        "weak": weak,
        "params": {},
        "source": port_of(source).host_v4.ip,
        "source_host": None if source == "attacker" else source,
        "target": port_of(target).host_v4.ip,
        "target_host": None if target == "attacker" else target,
        "service": "svc" if kind else None,
        "port": port if kind else None,
    }
    return Stage.model_validate(fields | more)


def attempt(ground: Ground, stage: Stage, source: str, target: str) -> Receipt:
    """Run the stage against its service."""
    plugin = means(stage.means)
    folder = ground.folder / f"{stage.means}-{time.monotonic_ns()}"
    folder.mkdir()
    canaries = {stage.means: f"canary-{os.urandom(6).hex()}"}
    red = LabRed(ground.lab, folder, canaries, source)
    if not plugin.service_kinds:
        return plugin.run(red, stage)
    order = ServiceOrder(
        kind=plugin.service_kinds[0],
        address=port_of(target).host_v4.ip,
        port=stage.port or 0,
        weaknesses=(stage.means,) if stage.weak else (),
        canaries=canaries,
        root=folder / "svc",
    )
    with ground.service(order, target):
        return plugin.run(red, stage)


@pytest.mark.parametrize("name", CASES)
def test_it_succeeds_where_the_weakness_is_and_is_seen(ground: Ground, name: str) -> None:
    plugin, (source, target) = means(name), CASES[name]
    if lacking := missing_tools(plugin):
        pytest.skip(", ".join(f"{tool.program} ({tool.package})" for tool in lacking))
    stage = stage_of(name, source, target, weak=True)
    # a kernel that knows its peers would let them past a full queue
    ground.lab.exec(target, ["ip", "tcp_metrics", "flush", "all"])
    since = ground.eve.stat().st_size
    got = attempt(ground, stage, source, target)
    assert got.succeeded, got.detail
    wanted = {o.sid: o for o in plugin.observables(stage)}
    assert eventually(lambda: wanted.keys() <= ground.sids(since)), (ground.sids(since), got.detail)
    for sid, expected in wanted.items():
        events = [e for e in ground.alerts(since) if "alert" in e and e["alert"]["signature_id"] == sid]  # type: ignore[index]
        assert {e["alert"]["severity"] for e in events} == {expected.severity}  # type: ignore[index]
        assert {e["direction"] == "to_server" for e in events if "direction" in e} <= {expected.to_server}
        # the first alert of a flow may come before its protocol is known
        protocols = {e.get("app_proto") for e in events} - {"failed"} or {None}
        assert expected.app_protocol in protocols, protocols


@pytest.mark.parametrize("name", CASES)
def test_it_fails_where_the_weakness_is_not(ground: Ground, name: str) -> None:
    source, target = CASES[name]
    if missing_tools(means(name)):
        pytest.skip("a tool is missing")
    got = attempt(ground, stage_of(name, source, target, weak=False), source, target)
    assert got.attempted
    assert not got.succeeded, got.detail
    assert program(means(name).service_kinds[0]) is not None


@pytest.mark.parametrize(("name", "source", "target"), [("host-sweep", *FROM_OUTSIDE), ("icmp-tunnel", *OUTSIDE)])
def test_what_is_measured_tells_presence_from_absence(ground: Ground, name: str, source: str, target: str) -> None:
    if missing_tools(means(name)):
        pytest.skip("a tool is missing")
    since = ground.eve.stat().st_size
    stage = stage_of(name, source, target, weak=False)
    assert attempt(ground, stage, source, target).succeeded
    assert eventually(lambda: {o.sid for o in means(name).observables(stage)} <= ground.sids(since))
    nobody = stage.model_copy(update={"target": UNREACHABLE})
    assert not attempt(ground, nobody, source, target).succeeded


def test_arp_spoof_catches_nothing_across_a_gateway(ground: Ground) -> None:
    if missing_tools(means("arp-spoof")):
        pytest.skip("a tool is missing")
    got = attempt(ground, stage_of("arp-spoof", *FROM_OUTSIDE, weak=False), *FROM_OUTSIDE)
    assert not got.succeeded
