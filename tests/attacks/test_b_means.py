"""Means B as descriptions: what the fast model and the tables read, and that the rules are what they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import defaultdict
from ipaddress import ip_address
from pathlib import Path

import pytest

import labs.lab.sensor as lab_sensor
from labs.attacks.base import Means
from labs.attacks.kit import SEVERITY
from labs.attacks.means_b_kit import nobody
from labs.attacks.registry import all_means
from labs.battlefield import arpwatch
from labs.scenario import Stage
from labs.services.base import programs

RULES = Path(__file__).parents[2] / "labs" / "attacks" / "rules" / "b.rules"
RULE = re.compile(
    r"^alert .*classtype:([a-z-]+); sid:(\d+);.*mitre_tactic_id (TA\d+),.*mitre_technique_id (T[\d.]+),", re.MULTILINE
)
FAMILY = [m for m in all_means() if ".means_b_" in type(m).__module__]
LISTED = {
    *("host-sweep", "vuln-scan", "wordlist-scan", "dns-axfr", "banner-grab", "ftp-brute-force", "http-brute-force"),
    *("password-spray", "credential-stuffing", "ssh-pivot", "smb-share-discovery", "smb-share-loot", "snmp-mib-dump"),
    *("netconf-config-dump", "dns-tunnel", "http-beacon", "icmp-tunnel", "nonstandard-port-c2", "mqtt-c2"),
    *("tool-transfer", "exfil-ftp", "exfil-scp", "exfil-dns", "slow-http", "http-flood", "goldeneye", "heartbleed"),
    *("fuzzing", "shellcode-marker", "worm-spread", "arp-spoof", "dhcp-spoof", "service-stop", "stratum-miner"),
    *("lateral-tool-transfer", "port-knock", "web-shell-command", "internal-proxy", "syn-half-open", "reflection"),
}
SHARED = {"credential-stuffing", "ftp-brute-force"}
"""Two means that one rule names, by the technique above both."""


def stage(plugin: Means, **more: object) -> Stage:
    fields: dict[str, object] = {
        "index": 0,
        "means": plugin.id,
        "source": "203.0.113.9",
        "source_host": None,
        "target": "10.1.2.3",
        "target_host": "srv",
        "params": {},
        "seed": 3,
    }
    return Stage.model_validate(fields | more)


def rules() -> dict[int, tuple[str, str, str]]:
    """Sid → classification, tactic, technique."""
    return {int(sid): (kind, tactic, technique) for kind, sid, tactic, technique in RULE.findall(RULES.read_text())}


def watched() -> dict[int, tuple[str, str, str]]:
    """The same of the second sensor, which decodes what Suricata does not."""
    rule = arpwatch.RULES[arpwatch.CHANGED]
    return {arpwatch.CHANGED: (rule.category.lower().replace(" ", "-"), "TA0006", rule.technique)}


def test_every_means_of_the_list_is_there() -> None:
    assert {m.id for m in FAMILY} >= LISTED


def test_every_tactic_has_two_means() -> None:
    by_tactic: dict[str, set[str]] = defaultdict(set)
    for plugin in all_means():
        by_tactic[plugin.tactic.id].add(plugin.id)
    wanted = {"TA0043", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0112", "TA0006", "TA0007", "TA0008"}
    wanted |= {"TA0009", "TA0011", "TA0010", "TA0040"}
    assert wanted <= by_tactic.keys()
    assert {tactic: names for tactic, names in by_tactic.items() if len(names) < 2} == {}


@pytest.mark.parametrize("plugin", FAMILY, ids=lambda m: m.id)
def test_it_describes_itself(plugin: Means) -> None:
    assert re.fullmatch(r"T\d{4}(\.\d{3})?", plugin.technique)
    assert plugin.about
    assert set(plugin.service_kinds) <= programs().keys()
    for exchange in plugin.exchanges(stage(plugin)):
        assert (str(exchange.initiator), str(exchange.responder)) == ("203.0.113.9", "10.1.2.3")
        assert exchange.protocol in (1, 6, 17)
        assert (exchange.port is None) == (exchange.protocol == 1)
    if plugin.service_kinds and plugin.id != "port-knock":
        assert {e.port for e in plugin.exchanges(stage(plugin, port=1234))} == {1234}


@pytest.mark.parametrize("plugin", FAMILY, ids=lambda m: m.id)
def test_its_alerts_are_those_of_a_rule(plugin: Means) -> None:
    seen = plugin.observables(stage(plugin))
    assert bool(seen) != plugin.blind
    for observable in seen:
        kind, tactic, technique = (rules() | watched())[observable.sid]
        assert (observable.classification, observable.severity) == (kind, SEVERITY[kind])
        assert plugin.tactic.id == tactic
        assert observable.techniques == (plugin.technique,)
        assert plugin.technique.startswith(technique) if plugin.id in SHARED else plugin.technique == technique


def test_no_rule_is_left_without_a_means() -> None:
    named = {o.sid for m in FAMILY for o in m.observables(stage(m))}
    assert named == rules().keys() | watched().keys()
    assert all(9002000 < sid < 9003000 for sid in rules())


@pytest.mark.lab
def test_suricata_takes_the_rules_without_a_word(tmp_path: Path) -> None:
    if shutil.which("suricata") is None:
        pytest.skip("suricata (suricata)")
    text = (lab_sensor.RULES / "suricata.yaml").read_text(encoding="utf-8")
    config = tmp_path / "suricata.yaml"
    config.write_text(text.replace("@RUN@", str(tmp_path)).replace("@RULES@", str(lab_sensor.RULES)), encoding="utf-8")
    argv = ["suricata", "-T", "-c", str(config), "-S", str(RULES), "-l", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("W:", "E:"))]


def test_nobody_is_of_the_own_network_and_is_not_oneself() -> None:
    assert nobody(ip_address("203.0.113.66")) == ip_address("203.0.113.252")
    assert nobody(ip_address("10.3.2.10")) == ip_address("10.3.2.12")
