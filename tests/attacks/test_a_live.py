"""Every means of the published method, run against a weak and a sound service in the lab, with Suricata looking on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from labs.attacks.registry import all_means, means, missing_tools
from labs.lab import Lab
from labs.lab.topology import port_of
from labs.services.base import ServiceOrder
from tests.attacks.ground import Ground, attempt, stage_of
from tests.attacks.test_a_means import IDS
from tests.lab.support import eventually, lab_name, needs_lab

pytestmark = [*needs_lab, pytest.mark.slow]
LACKING = {m.id: missing_tools(m) for m in all_means()}
PORTS = {
    "http": 3000, "nextjs": 3001, "vite": 5173, "tomcat": 8888, "jenkins": 9000, "redis": 6379, "smb": 445, "dns": 53,
    "c2": 8443, "ssh": 2222,
}  # fmt: skip


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """One lab, and a sensor with our rules."""
    with TemporaryDirectory(prefix="sl-") as folder:
        base = Path(folder)
        base.chmod(0o755)  # services run as nobody and read their files below it
        with Lab(lab_name("m"), base / "run") as lab:
            made = Ground(lab, base)
            with made.sensor("a.rules"):
                yield made


def places(service: str) -> dict[str, str]:
    """An implant calls out from a server; everything else comes from the attacker."""
    return {"host": "attacker", "source": "web"} if service == "c2" else {"host": "web", "source": "attacker"}


def skip_without_tools(name: str) -> None:
    if LACKING[name]:
        pytest.skip(f"{name} needs {', '.join(f'{t.program} ({t.package})' for t in LACKING[name])}")


@pytest.mark.parametrize("name", [i for i in IDS if i not in {"port-scan", "zero-day"}])
def test_the_means_gets_the_canary_of_a_weak_service_alone_and_is_seen_each_time(ground: Ground, name: str) -> None:
    skip_without_tools(name)
    service = means(name).service_kinds[0]
    for weak in (True, False):
        since = ground.mark()
        where = places(service)
        receipt = attempt(ground, name, service=service, port=PORTS[service], weak=weak, **where)
        assert receipt.succeeded is weak, receipt.detail
        assert (receipt.canary is not None) is (weak and name != "dos-flood")
        wanted = {a.sid for a in means(name).observables(ground.last)}
        assert eventually(lambda s=since, w=wanted: ground.sids(s) == w, 3.0), (wanted, ground.sids(since))  # type: ignore[misc]
        if weak:
            expected = sum(a.count for a in means(name).observables(ground.last))
            assert expected / 2 <= len(ground.alerts(since)) <= expected * 2


def test_a_udp_flood_starves_a_slow_name_server(ground: Ground) -> None:
    skip_without_tools("dos-flood")
    since = ground.mark()
    assert attempt(ground, "dos-flood", service="dns", port=53, weak=True, kind="udp").succeeded
    assert 9001003 in ground.sids(since)
    assert not attempt(ground, "dos-flood", service="dns", port=53, weak=False, kind="udp").succeeded


def test_a_zero_day_gets_its_canary_and_no_signature_names_it(ground: Ground) -> None:
    skip_without_tools("zero-day")
    since = ground.mark()
    assert attempt(ground, "zero-day", service="http", port=3000, weak=True).succeeded
    assert eventually(lambda: [e["event_type"] for e in ground.alerts(since)] == ["anomaly"], 3.0)
    assert not attempt(ground, "zero-day", service="http", port=3000, weak=False).succeeded


def test_a_scan_succeeds_where_something_is_open(ground: Ground) -> None:
    skip_without_tools("port-scan")
    since = ground.mark()
    assert attempt(ground, "port-scan", service="http", port=3000, weak=False).succeeded
    assert eventually(lambda: ground.sids(since) == {9001001}, 3.0)


def test_a_scan_fails_where_the_gateway_lets_nothing_through(ground: Ground) -> None:
    skip_without_tools("port-scan")
    rule = f"ip daddr {port_of('app').host_v4.ip} drop"
    drop = f"table ip t {{\nchain c {{\ntype filter hook forward priority 0;\n{rule}\n}}\n}}\n"
    ground.lab.exec("gw", ["nft", "-f", "-"], stdin=drop)
    try:
        scan = means("port-scan")
        stage = stage_of(scan, port=8080, weak=False, source="attacker", target="app", ports=200)
        assert not scan.run(ground.red({}), stage).succeeded
    finally:
        ground.lab.exec("gw", ["nft", "delete", "table", "ip", "t"])


def test_a_flooded_server_recovers_and_a_hardened_one_is_not_starved(ground: Ground) -> None:
    skip_without_tools("dos-flood")
    flood, address = means("dos-flood"), str(port_of("web").host_v4.ip)
    stage = stage_of(flood, port=3000, weak=True, source="attacker", target="web")
    order = ServiceOrder.model_validate(
        {
            "kind": "http",
            "address": address,
            "port": 3000,
            "weaknesses": [flood.id],
            "canaries": {flood.id: "none"},
            "root": ground.folder / "recovering",
        }
    )
    with ground.service(order, "web"):
        assert flood.run(ground.red({}), stage).succeeded
        assert eventually(lambda: ground.lab.can_serve("client", address, 3000), 10.0)
        ground.sysctl("web", "net/ipv4/tcp_syncookies", "1")  # what harden_kernel does
        assert not flood.run(ground.red({}), stage).succeeded
