"""The lab as it stands after boot."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from labs.lab import Attack, Lab
from labs.lab.topology import PORTS, port_of

from .support import OPERATOR_ACL, eventually, needs_lab

pytestmark = needs_lab
END = b"]]>]]>"


def events(lab: Lab) -> list[dict[str, Any]]:
    lines = lab.eve_path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def test_status(lab: Lab) -> None:
    status = lab.status()
    assert (status.state, status.dead) == ("up", ())
    names = {process.name for process in status.processes}
    assert {"applier", "netconfd", "sshd-netconf", "suricata", "http-web", "http-app", "sshd-web", "sshd-app"} == names
    assert lab.paths.root.stat().st_mode & 0o777 == 0o700
    assert lab.up() == status  # once more changes nothing


def test_its_daemons_keep_their_files_in_the_run_directory(lab: Lab) -> None:
    """Not in the home folder of whoever starts it, nor in the machine's record of failed logins."""
    assert (lab.paths.home / ".yuma" / "startup-cfg.xml").exists()
    web = str(port_of("web").host_v4.ip)
    failed = Path("/var/log/btmp")
    before = failed.stat().st_mtime_ns if failed.exists() else None
    lab.exec("attacker", ["hydra", "-q", "-I", "-l", "nobody", "-p", "wrong", "-t", "1", f"ssh://{web}"])
    assert (failed.stat().st_mtime_ns if failed.exists() else None) == before
    assert not failed.exists() or (lab.paths.root / failed.name).stat().st_size > 0


def test_services_answer_over_both_ip_versions(lab: Lab) -> None:
    for host in ("client", "attacker"):
        for server, port in (("web", 80), ("web", 22), ("app", 8080), ("app", 22)):
            for address in (port_of(server).host_v4.ip, port_of(server).host_v6.ip):
                assert lab.can_serve(host, str(address), port), (host, server, port, address)


def test_web_server_serves_and_has_no_rights(lab: Lab) -> None:
    script = "import urllib.request as u; print(u.urlopen('http://192.0.2.10/').status)"
    assert lab.exec("client", ["/usr/bin/env", "python3", "-c", script]).stdout == "200\n"
    pid = next(p.pid for p in lab.status().processes if p.name == "http-web")
    assert "Uid:\t65534\t65534\t65534\t65534" in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")


def test_device_starts_with_the_operators_configuration(lab: Lab) -> None:
    text = lab.snapshot().decode()
    assert f"<name>{OPERATOR_ACL}</name>" in text
    for port in PORTS:
        assert f"<name>{port.name}</name>" in text
    with lab.session() as session:
        offered = " ".join(session.capabilities())
    for needed in (":candidate:", ":confirmed-commit:1.1", ":validate:1.1", "acl-rate-limit", "revision=2018-03-13"):
        assert needed in offered


def hello(lab: Lab, *options: str, user: str = "netconf") -> tuple[bytes, bytes]:
    """What the NETCONF server says first over SSH, and what ssh complains about."""
    status = lab.status()
    argv = ["ssh", "-F", "none", "-i", str(status.key_file), "-p", str(status.port), *options]
    argv += ["-o", "IdentitiesOnly=yes", "-o", f"UserKnownHostsFile={status.known_hosts}"]
    argv += ["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", f"{user}@{status.address}", "-s", "netconf"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        said = b""
        while END not in said and (piece := os.read(process.stdout.fileno(), 65536)):
            said += piece
        process.stdin.close()
        return said, process.stderr.read()


def test_netconf_over_ssh_with_the_lab_key_and_a_checked_host_key(lab: Lab) -> None:
    assert b"urn:ietf:params:netconf:base:1.1" in hello(lab)[0]
    assert b"Permission denied" in hello(lab, user="root")[1]
    said, complaint = hello(lab, "-o", "UserKnownHostsFile=/dev/null")
    assert (said, b"Host key verification failed" in complaint) == (b"", True)


def test_inventory(lab: Lab) -> None:
    assert lab.inventory_dir is not None
    device = yaml.safe_load((lab.inventory_dir / "host_vars/gw1.yaml").read_text(encoding="utf-8"))
    assert device["ansible_host"] == lab.status().address


def test_brute_force_is_seen_and_never_succeeds(lab: Lab) -> None:
    result = Attack(lab).ssh_brute_force(attempts=24, timeout_s=30)
    assert result.finished
    assert "0 valid password found" in result.output

    def alerts() -> list[dict[str, Any]]:
        return [e for e in events(lab) if e["event_type"] == "alert" and e["alert"]["signature_id"] == 9000001]

    assert eventually(lambda: bool(alerts()))
    alert = alerts()[0]
    assert (alert["src_ip"], alert["dest_ip"], alert["dest_port"]) == ("203.0.113.66", "192.0.2.138", 22)
    assert alert["flow"]["pkts_toclient"] > 0  # the handshake was seen
    assert alert["alert"]["metadata"]["mitre_technique_id"] == ["T1110"]


def test_sensor_stays_quiet_about_the_client(lab: Lab) -> None:
    seen = len(events(lab))
    for _ in range(20):
        assert lab.can_serve("client", "192.0.2.10", 80)
    assert lab.can_serve("client", "192.0.2.138", 22)
    # a later event proves that the sensor has looked at these packets
    assert eventually(lambda: any(e["event_type"] == "stats" for e in events(lab)[seen:]), 20)
    mine = [e for e in events(lab)[seen:] if e["event_type"] == "alert" and e["src_ip"] == "198.51.100.10"]
    assert mine == []


def test_attack_under_way_is_stopped(lab: Lab) -> None:
    with Attack(lab).start_ssh_brute_force(attempts=500, timeout_s=60) as attack:
        assert attack.running
        result = attack.stop()
    assert not result.finished
    assert not attack.running
