"""Lines of Suricata 5, 6, 7 (recorded) and 8: the same alert whatever the version."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest

from secloop_ai.alerts import Tally, read_alerts
from secloop_ai.contracts import Alert, IngestReport, Protocol
from tests.alerts.events import GOLDEN, event, rule, write

OUTSIDE, WEB = IPv4Address("203.0.113.9"), IPv4Address("10.20.0.10")


def read(version: int) -> tuple[dict[int, Alert], IngestReport]:
    path, tally = GOLDEN / f"suricata-{version}.jsonl", Tally()
    alerts = {alert.signature_id: alert for alert in read_alerts(path, tally)}
    return alerts, tally.report(path)


def one(tmp_path: Path, **changes: Any) -> Alert:
    (alert,) = read_alerts(write(tmp_path / "eve.json", event(**changes)))
    return alert


def test_version_5() -> None:
    alerts, report = read(5)
    web, ping = alerts[5000001], alerts[5000005]
    assert web.timestamp == datetime(2020, 3, 2, 9, 15, 30, 125, tzinfo=UTC)
    assert (web.source, web.source_port, web.destination, web.destination_port) == (OUTSIDE, 51514, WEB, 80)
    assert (web.classification, web.severity, web.app_protocol) == ("web-application-attack", 1, "http")
    assert web.techniques == ("T1190",)
    assert web.handshake
    assert web.to_server
    assert web.untrusted["http.url"].raw == "/../../etc/passwd"
    assert (ping.protocol, ping.source_port, ping.destination_port) == (Protocol.ICMP, None, None)
    assert ping.source == IPv6Address("2001:db8::9")
    assert not ping.handshake
    assert report.skipped == {"stats": 1}
    assert (report.lines, report.alerts, report.bad) == (3, 2, 0)


def test_version_6_and_a_drop_event_is_no_second_alert() -> None:
    alerts, report = read(6)
    redis, dns = alerts[5000010], alerts[5000004]
    assert redis.app_protocol is None
    assert redis.handshake
    assert redis.untrusted["metadata.flowbits.0"].raw == "acme.redis"
    assert redis.untrusted["payload_printable"].raw.endswith("INFO\r\n")
    assert (dns.protocol, dns.handshake) == (Protocol.UDP, False)
    assert dns.untrusted["dns.query.0.rrname"].raw == "tunnel.example"
    assert (report.alerts, report.skipped) == (2, {"drop": 1})


def test_version_7_as_recorded() -> None:
    alerts, report = read(7)
    assert (report.alerts, report.bad, report.skipped) == (6, 0, {})
    assert {sid for sid, alert in alerts.items() if alert.handshake} == {5000001, 5000002, 5000003}
    assert alerts[5000001].techniques == ("T1083", "T1190")
    assert alerts[5000003].techniques == ("T1110.001",)
    assert alerts[5000007].protocol is Protocol.OTHER
    answer = alerts[5000002]
    assert not answer.to_server
    assert (answer.source, answer.destination) == (WEB, OUTSIDE)
    assert answer.flow.bytes_to_client == 212
    assert answer.untrusted["files.0.filename"].raw == "/etc/passwd"


def test_version_8() -> None:
    alerts, report = read(8)
    web, dns = alerts[5000002], alerts[5000004]
    assert not web.to_server
    assert web.techniques == ("T1059.004",)
    assert (dns.source, dns.destination) == (IPv4Address("10.20.0.23"), IPv6Address("2001:db8::53"))
    assert dns.techniques == ("T1071.004", "T1572")
    assert dns.untrusted["dns.queries.0.rrname"].raw == "tunnel.example"
    assert report.skipped == {"arp": 1}


@pytest.mark.parametrize(
    ("proto", "expected"),
    [
        ("TCP", Protocol.TCP),
        ("tcp", Protocol.TCP),
        ("UDP", Protocol.UDP),
        ("IPv6-ICMP", Protocol.ICMP),
        ("ICMPv6", Protocol.ICMP),
        (6, Protocol.TCP),
        ("017", Protocol.UDP),
        ("58", Protocol.ICMP),
        ("SCTP", Protocol.OTHER),
        ("103", Protocol.OTHER),
        (None, Protocol.OTHER),
    ],
)
def test_protocol_names_and_numbers(tmp_path: Path, proto: object, expected: Protocol) -> None:
    assert one(tmp_path, proto=proto).protocol is expected


@pytest.mark.parametrize(
    "when",
    [
        "2024-05-01T12:00:00.000000+0000",
        "2024-05-01T12:00:00+00:00",
        "2024-05-01T12:00:00Z",
        "2024-05-01T14:00:00.000000+0200",
    ],
)
def test_every_way_to_write_a_time(tmp_path: Path, when: str) -> None:
    assert one(tmp_path, timestamp=when).timestamp == datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("address", ["10.1.2.3", "8.8.8.8", "0.0.0.0", "fe80::1", "2001:db8::1", "255.255.255.255"])
def test_private_and_public_addresses(tmp_path: Path, address: str) -> None:
    assert one(tmp_path, src_ip=address).source == ip_address(address)


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"mitre_technique_id": ["T1110", "T1110", "T1078"]}, ("T1110", "T1078")),
        ({"MITRE_Technique_ID": "t1110.001"}, ("T1110.001",)),
        ({"mitre_attack": {"id": "T1021/004"}}, ("T1021.004",)),
        ({"technique": ["T1021_004 (SSH)"]}, ("T1021.004",)),
        ({"tag": ["T1110"], "attack_target": ["T1234"]}, ()),
        ({"mitre_tactic_id": ["TA0006"], "mitre_technique_name": ["Brute_Force"]}, ()),
        ({"mitre_technique_id": ["XT1110", "T11101", "T111"]}, ()),
        (["mitre", "T1110"], ()),
        ({"mitre_technique_id": [f"T1{n:03}" for n in range(99)]}, tuple(f"T1{n:03}" for n in range(16))),
        ({"mitre_technique_id": ["x" * 5000, "T1110"]}, ("T1110",)),
    ],
)
def test_techniques_in_the_shapes_rule_writers_use(tmp_path: Path, metadata: object, expected: tuple[str, ...]) -> None:
    assert one(tmp_path, alert=rule(metadata=metadata)).techniques == expected


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        ("A Network Trojan was detected", "trojan-activity"),
        ("ATTEMPTED INFORMATION LEAK", "attempted-recon"),
        ("network-scan", "network-scan"),
        ("Something of our own {{ x }}", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_classifications(tmp_path: Path, category: str | None, expected: str) -> None:
    assert one(tmp_path, alert=rule(category=category)).classification == expected


@pytest.mark.parametrize(("severity", "expected"), [(1, 1), (4, 4), (255, 4), (0, 1), (-3, 1), (None, 3)])
def test_severity_is_clamped(tmp_path: Path, severity: int | None, expected: int) -> None:
    assert one(tmp_path, alert=rule(severity=severity)).severity == expected


@pytest.mark.parametrize(
    ("name", "expected"), [("SMB", "smb"), ("bittorrent-dht", "bittorrent-dht"), ("failed", None), ("{{ x }}", None)]
)
def test_application_protocols_are_plain_names(tmp_path: Path, name: str, expected: str | None) -> None:
    assert one(tmp_path, app_proto=name).app_protocol == expected
