"""The proof of the handshake against the real sensor: Suricata reads packets made for each case, offline."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from secloop_ai.alerts import read_alerts
from secloop_ai.contracts import Alert
from tests.alerts.packets import ACK, PUSH, RST, SYN, SYN_ACK, Talk, icmp_unreachable, save

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(shutil.which("suricata") is None, reason="Suricata is not installed"),
]

CONFIG = """%YAML 1.1
---
outputs:
  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [alert]}
app-layer: {protocols: {http: {enabled: yes}, ssh: {enabled: yes}}}
classification-file: CLASSES
"""
CLASSES = "config classification: attempted-admin,Attempted Administrator Privilege Gain,1\n"
RULES = """
alert tcp any any -> any any (msg:"content"; content:"EVIL"; classtype:attempted-admin; sid:1;)
alert tcp any any -> any any (msg:"established"; flow:established,to_server; content:"EVIL"; sid:2;)
alert http any any -> any any (msg:"uri"; http.uri; content:"EVIL"; sid:3;)
alert ssh any any -> any any (msg:"ssh client"; ssh.software; content:"libssh"; sid:4;)
alert tcp any any -> any any (msg:"syn"; flags:S; sid:5;)
"""
EVIL = b"GET /EVIL HTTP/1.1\r\nHost: x\r\n\r\n"
FINE = b"GET /fine HTTP/1.1\r\nHost: x\r\n\r\n"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd"


def talk(port: int = 80) -> Talk:
    return Talk("10.1.0.9", 40001, "10.2.0.5", port)


def sensed(folder: Path, packets: list[bytes], *, require_stream: bool = False) -> list[Alert]:
    """What Suricata says about the packets."""
    (folder / "classes").write_text(CLASSES)
    (folder / "suricata.yaml").write_text(CONFIG.replace("CLASSES", str(folder / "classes")))
    (folder / "local.rules").write_text(RULES)
    pcap = save(folder / "talk.pcap", packets)
    subprocess.run(
        ["suricata", "-r", pcap, "-c", folder / "suricata.yaml", "-S", folder / "local.rules", "-l", folder],
        check=True,
        capture_output=True,
    )
    return list(read_alerts(folder / "eve.json", require_stream=require_stream))


def evil(alerts: list[Alert]) -> dict[int, bool]:
    """Whether any alert of a signature is proven, without the bare SYN."""
    found: dict[int, bool] = {}
    for alert in alerts:
        found[alert.signature_id] = found.get(alert.signature_id, False) or alert.handshake
    return {sid: handshake for sid, handshake in found.items() if sid != 5}


@pytest.mark.parametrize("require_stream", [False, True])
def test_a_real_request_is_proven(tmp_path: Path, require_stream: bool) -> None:
    real = talk()
    real.open()
    real.say(EVIL)
    real.hear(ANSWER)
    alerts = sensed(tmp_path, real.packets, require_stream=require_stream)
    assert evil(alerts) == {1: True, 2: True, 3: True}
    assert {a.classification for a in alerts if a.signature_id == 1} == {"attempted-admin"}
    assert not any(a.handshake for a in alerts if a.signature_id == 5)


def test_a_real_ssh_client_is_proven(tmp_path: Path) -> None:
    real = talk(22)
    real.open()
    real.hear(b"SSH-2.0-OpenSSH_9.2\r\n")
    real.say(b"SSH-2.0-libssh_0.10.6\r\n")
    real.say(bytes(60))
    assert evil(sensed(tmp_path, real.packets, require_stream=True)) == {4: True}


def test_a_blind_spoofer_is_not(tmp_path: Path) -> None:
    spoof = talk()
    spoof.put(up=True, flags=SYN, seq=1000, ack=0)
    spoof.put(up=False, flags=SYN_ACK, seq=9000, ack=1001)
    spoof.put(up=True, flags=ACK, seq=1001, ack=555)
    for _ in range(4):
        spoof.put(up=True, flags=PUSH, seq=1001, ack=555, data=EVIL)
        spoof.put(up=False, flags=RST, seq=555, ack=0)
    alerts = sensed(tmp_path, spoof.packets)
    assert evil(alerts) == {1: False}
    assert max(a.flow.packets_to_client for a in alerts) > 1


def test_forged_icmp_errors_do_not_help_him(tmp_path: Path) -> None:
    spoof = talk()
    spoof.put(up=True, flags=SYN, seq=1000, ack=0)
    spoof.put(up=False, flags=SYN_ACK, seq=9000, ack=1001)
    quoted = spoof.tcp(up=False, flags=SYN_ACK, seq=9000, ack=1001, data=b"A" * 500)
    spoof.packets.extend([icmp_unreachable("192.0.2.7", "10.2.0.5", quoted)] * 9)
    spoof.put(up=True, flags=PUSH, seq=1001, ack=555, data=EVIL)
    alerts = sensed(tmp_path, spoof.packets)
    assert evil(alerts) == {1: False}
    assert max(a.flow.bytes_to_client for a in alerts) > 4000


def test_a_packet_forged_into_a_live_connection_takes_the_stricter_proof(tmp_path: Path) -> None:
    live = talk()
    live.open()
    live.say(FINE)
    live.hear(ANSWER)
    live.put(up=True, flags=PUSH, seq=77777777, ack=12345, data=b"xxEVILxx")
    (strict := tmp_path / "strict").mkdir()
    assert evil(sensed(tmp_path, live.packets)) == {1: True, 2: True}
    assert evil(sensed(strict, live.packets, require_stream=True)) == {1: False, 2: False}


def test_a_protocol_suricata_does_not_know_is_proven_by_the_server_payload(tmp_path: Path) -> None:
    real = talk(6379)
    real.open()
    for _ in range(12):
        real.say(b"*1\r\n$4\r\nEVIL\r\n" * 20)
        real.hear(b"-ERR unknown\r\n" * 30)
    alerts = sensed(tmp_path, real.packets)
    assert evil(alerts) == {1: True, 2: True}
    assert {a.app_protocol for a in alerts} == {None}
