"""ARP spoofing on a segment of its own: three hosts on a switch, no gateway between them."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from labs.attacks.base import Red
from labs.attacks.registry import means, missing_tools
from labs.scenario import Stage
from secloop_ai.contracts import IPAddress

pytestmark = [pytest.mark.lab, pytest.mark.slow]

HOSTS = {"gw": "10.77.0.1", "victim": "10.77.0.2", "thief": "10.77.0.3"}


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


class SegmentRed:
    """Hands on one namespace."""

    def __init__(self, netns: str, folder: Path) -> None:
        self._netns, self._folder = netns, folder

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = ["ip", "netns", "exec", self._netns, *argv]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout_s, check=False)

    def canary(self, stage: Stage) -> str:
        return f"canary-{stage.index}"

    def scratch(self) -> Path:
        return self._folder

    def clock_s(self) -> float:
        return time.monotonic()

    def address(self) -> IPAddress:
        return IPv4Address(HOSTS["thief"])


@pytest.fixture
def segment() -> Iterator[str]:
    """A switch with three hosts; the prefix of their namespaces."""
    prefix = f"slb{os.getpid()}"
    names = [f"{prefix}-{name}" for name in ("sw", *HOSTS)]
    try:
        for name in names:
            ip("netns", "add", name)
        ip("-n", names[0], "link", "add", "br0", "type", "bridge")
        ip("-n", names[0], "link", "set", "br0", "up")
        for host, address in HOSTS.items():
            near = ("netns", f"{prefix}-{host}", "name", "eth0")
            ip("-n", names[0], "link", "add", host, "type", "veth", "peer", *near)
            ip("-n", names[0], "link", "set", host, "master", "br0", "up")
            ip("-n", f"{prefix}-{host}", "addr", "add", f"{address}/24", "dev", "eth0")
            ip("-n", f"{prefix}-{host}", "link", "set", "eth0", "up")
            if host != "gw":
                ip("-n", f"{prefix}-{host}", "route", "add", "default", "via", HOSTS["gw"])
        yield prefix
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True, timeout=20)


@pytest.mark.parametrize("trusting", [True, False])
def test_a_host_is_taken_in_unless_it_knows_its_gateway(segment: str, tmp_path: Path, trusting: bool) -> None:
    plugin = means("arp-spoof")
    if os.geteuid() or missing_tools(plugin):
        pytest.skip("root, arpspoof (dsniff), hping3 (hping3)")
    if not trusting:
        where = subprocess.run(
            ["ip", "netns", "exec", f"{segment}-gw", "cat", "/sys/class/net/eth0/address"],
            check=True, capture_output=True, text=True, timeout=10,
        ).stdout.strip()  # fmt: skip
        known = ("neigh", "replace", HOSTS["gw"], "lladdr", where, "nud", "permanent", "dev", "eth0")
        ip("-n", f"{segment}-victim", *known)
    red: Red = SegmentRed(f"{segment}-thief", tmp_path)
    fields = {"index": 0, "means": plugin.id, "source": HOSTS["thief"], "source_host": "thief", "params": {}}
    stage = Stage.model_validate({**fields, "target": HOSTS["victim"], "target_host": "victim", "seed": 1})
    got = plugin.run(red, stage)
    assert got.succeeded is trusting, got.detail
