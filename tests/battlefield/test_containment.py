"""What runs on a node sees and changes nothing of this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from labs.battlefield import Battlefield
from labs.battlefield.launcher import SERVICE_ID, Rights
from labs.scenario import load_scenario
from secloop_ai.contracts import HostStep
from secloop_ai.loop.hosts import AnsibleHosts

from .support import ROOT, children, eventually, holders, machine, mounts, needs_lab, office, settings
from .test_roles import EVERY as EVERY_ROLE
from .test_roles import ONE, SCENARIO, plans, run, stock

pytestmark = needs_lab
ROLES = {p.parent.parent.name for p in (ROOT / "roles").glob("*/tasks/main.yml")}
EVERY: tuple[Rights, ...] = ("service", "red", "admin")
HOSTILE = """
echo 1 > /proc/sys/kernel/sysrq; echo 99 > /proc/sys/vm/swappiness; echo 12 > /proc/sys/fs/file-max
echo b > /proc/sysrq-trigger; hostname owned; mount -t proc proc /mnt; mount -o remount,rw /proc/sys; umount /usr
mknod /tmp/disk b 254 0 && cat /tmp/disk; chroot / true; unshare -m true; kill -9 1; swapoff -a; rmmod nft_compat
touch /usr/bin/secloop-was-here /etc/secloop-was-here /root/secloop-was-here /tmp/secloop-was-here
ip link add secloop-x type bridge; nft flush ruleset; dmesg -C; date -s 2020-01-01
ls /proc/1/root/home; ls /proc/1/cwd/
"""


def names() -> set[str]:
    return {path.name for path in Path("/run/netns").iterdir()}


def host_of(field: Battlefield) -> str:
    return field.case.names["jump"]


def test_hostile_commands_change_nothing_of_the_machine(tmp_path: Path) -> None:
    before = (settings(), mounts(), socket.gethostname(), children(), names())
    with Battlefield.clone(office(), 11) as field:
        for rights in EVERY:
            for node in (host_of(field), "red"):
                field.exec(node, ["sh", "-c", HOSTILE], rights=rights, timeout_s=10)
        # the rest of the battlefield stands, too
        assert field.exec(host_of(field), ["true"]).returncode == 0
        assert sorted(field.snapshot()) == ["core", "edge"]
    assert settings() == before[0]
    assert mounts() == before[1]
    assert socket.gethostname() == before[2]
    assert eventually(lambda: children() <= before[3])
    assert not {name for name in names() - before[4] if name.startswith(f"bf{field.atlas.number}-")}
    for folder in ("/usr/bin", "/etc", "/root", "/tmp"):
        assert not Path(folder, "secloop-was-here").exists()


@pytest.mark.parametrize("rights", EVERY)
def test_nothing_private_of_the_machine_is_there(field: Battlefield, rights: Rights) -> None:
    private = ["/etc/gshadow", "/etc/ssh/ssh_host_ed25519_key", str(Path.home() / ".ssh"), str(ROOT)]
    private += [str(field.run_dir / "keys"), str(field.run_dir / "record.json"), "/var/lib/secloop", "/sys/kernel"]
    for node in (host_of(field), "red"):
        for path in private:
            assert field.exec(node, ["test", "-e", path], rights=rights).returncode == 1, (node, path)
        for folder in ("/home", "/root", "/mnt"):
            assert field.exec(node, ["ls", "-A", folder], rights=rights).stdout == "", (node, folder)
        shadow = field.exec(node, ["cat", "/etc/shadow"], rights=rights).stdout
        assert shadow == "" or (rights != "service" and node != "red" and not _opens(shadow))
        shown = field.exec(node, ["ps", "-e", "-o", "pid="], rights=rights).stdout.split()
        assert len(shown) < 20  # its own few


def _opens(shadow: str) -> list[str]:
    """Lines of a shadow file that some password fits, or that are accounts of this machine."""
    mine = {line.partition(":")[0] for line in Path("/etc/shadow").read_text(encoding="utf-8").splitlines()}
    lines = [line.split(":") for line in shadow.splitlines()]
    return [name for name, password, *_ in lines if password != "*" or name in mine - {"operator", "backup"}]


@pytest.mark.exhaustive
def test_every_role_changes_nothing_of_the_machine() -> None:
    before = machine()
    with Battlefield.clone(load_scenario(SCENARIO), 9) as field:
        run_dir = field.run_dir
        runner = AnsibleHosts({node.name: field.login(node.name).variables() for node in field.atlas.hosts()})
        stock(field, field.case.names["web"])
        web = (*EVERY_ROLE["web"], ("patch_vulnerability", {"package": "house-web"}))
        work = plans(field, ONE, {**EVERY_ROLE, "web": web})
        assert {op.op.role for plan in work for op in plan.operations} == ROLES
        for step in (HostStep.APPLY, HostStep.VERIFY):
            run(runner, work, step)
            assert machine() == before
            assert all(field.exec(plan.host, ["true"]).returncode == 0 for plan in work)
        services = [pid for name, pid in field.nodes.daemons.items() if "/" in name]
        assert {_facts(pid)["CapEff"] for pid in services} == {"0000000000000000"}  # none was started anew, with more
    # not undone: it goes with the battlefield, the watch and the kept SSH connections, too
    assert eventually(lambda: not holders(run_dir))
    assert machine() == before


def test_services_run_without_any_rights(field: Battlefield) -> None:
    pids = [pid for name, pid in field.nodes.daemons.items() if "/" in name]
    assert len(pids) >= 2
    for pid in pids:
        facts = _facts(pid)
        assert set(facts["Uid"].split()) == set(facts["Gid"].split()) == {str(SERVICE_ID)}
        assert {int(facts[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
        assert facts["NoNewPrivs"] == "1"
        assert facts["Groups"].strip() == ""


def _facts(pid: int) -> dict[str, str]:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)


def test_the_red_team_has_the_network_of_its_host_and_no_more(field: Battlefield) -> None:
    said = field.exec("red", ["grep", "-E", "CapBnd|NoNewPrivs", "/proc/self/status"], rights="red").stdout.split()
    assert said == ["CapBnd:", "0000000000003400", "NoNewPrivs:", "1"]
    loot = "/srv/ssh/service.json"
    assert field.exec(host_of(field), ["cat", loot], rights="red").returncode == 1  # root there, and yet not its file
    assert field.exec(host_of(field), ["cat", loot]).returncode == 0


def test_settings_of_the_network_are_the_nodes_own(field: Battlefield) -> None:
    host = host_of(field)
    mine = Path("/proc/sys/net/ipv4/tcp_syncookies").read_text(encoding="utf-8")
    other = "0" if mine.strip() != "0" else "1"
    done = field.exec(host, ["sh", "-c", f"echo {other} > /proc/sys/net/ipv4/tcp_syncookies"], rights="admin")
    assert done.returncode == 0
    assert field.exec(host, ["cat", "/proc/sys/net/ipv4/tcp_syncookies"]).stdout.strip() == other
    assert Path("/proc/sys/net/ipv4/tcp_syncookies").read_text(encoding="utf-8") == mine


def test_the_controller_is_out_of_reach(field: Battlefield) -> None:
    """Neither this machine by its management addresses, nor the NETCONF servers, from inside the case."""
    with socket.socket() as server:
        server.bind(("0.0.0.0", 0))
        server.listen()
        port = server.getsockname()[1]
        for link in field.atlas.management.values():
            for target in (f"{link.controller.ip}:{port}", f"{link.device.ip}:830"):
                address, _, number = target.partition(":")
                script = f"import socket; socket.create_connection(('{address}', {number}), 0.4)"
                for node in ("red", host_of(field)):
                    assert field.exec(node, ["python3", "-c", script], timeout_s=5).returncode == 1, (node, target)
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
