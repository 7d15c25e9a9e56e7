"""Host actions on a battlefield's hosts, by ansible-runner over SSH: they hold, and their undo leaves nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from labs.attacks.registry import means
from labs.battlefield import Battlefield
from labs.battlefield.clients import question_for
from labs.scenario import load_scenario
from secloop_ai.alerts import summarise
from secloop_ai.contracts import AlertSummary, HostPlan, HostResult, HostStep, RoleOp, SecureSshd, Strategy, TaggedRole
from secloop_ai.loop.hosts import AnsibleHosts

from .support import eventually, machine, needs_lab

pytestmark = needs_lab
SCENARIO = Path(__file__).with_name("roles.yaml")
ONE, TWO = "0123456789-1", "0123456789-2"
APPLY, VERIFY, UNDO = HostStep.APPLY, HostStep.VERIFY, HostStep.UNDO
BAD = "far.house.example"
Ops = Sequence[tuple[str, Mapping[str, str | int]]]
EVERY: Mapping[str, Ops] = {
    "jump": (("secure_sshd", {}), ("deploy_hids", {})),
    "files": (("disable_account", {"account": "backup"}),),
    "names": (("dns_sinkhole", {"name": BAD, "resolver": "dnsmasq"}), ("harden_kernel", {})),
    "web": (("close_port", {"protocol": "tcp", "port": 80}), ("stop_process", {"process": "redis"})),
}
TALK = """
import socket, sys
address, port, kind, *said = sys.argv[1:]
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
s.settimeout(1.5)
s.connect((address, int(port)))
for line in said:
    if line:
        s.send(bytes.fromhex(line))
    print(s.recv(4096).hex())
"""


@pytest.fixture(scope="module")
def field() -> Iterator[Battlefield]:
    """A host for every role."""
    with Battlefield.clone(load_scenario(SCENARIO), 7) as made:
        yield made


@pytest.fixture(scope="module")
def runner(field: Battlefield) -> AnsibleHosts:
    """What the loop runs roles with."""
    return AnsibleHosts({node.name: field.login(node.name).variables() for node in field.atlas.hosts()})


def plans(field: Battlefield, tag: str, roles: Mapping[str, Ops] = EVERY) -> list[HostPlan]:
    return [
        HostPlan(
            host=field.case.names[host],
            operations=tuple(TaggedRole(tag=tag, op=RoleOp(role=r, values=dict(v))) for r, v in ops),
        )
        for host, ops in roles.items()
    ]


def run(runner: AnsibleHosts, work: Sequence[HostPlan], *steps: HostStep, check: bool = False) -> list[HostResult]:
    done = list(runner.run(work, steps, check=check))
    assert all(r.ok for r in done), [(r.host, r.task, r.message) for r in done if not r.ok]
    return done


def digests(field: Battlefield) -> dict[str, str]:
    return {name: field.host_digest(field.case.names[name]) for name in EVERY}


def talk(field: Battlefield, host: str, port: int, *said: bytes, kind: str = "tcp") -> list[bytes]:
    """What a client gets for each thing it says; nothing when it is not served."""
    server = field.environment.host(field.case.names[host])
    assert server is not None
    argv = [sys.executable, "-c", TALK, str(server.addresses[0]), str(port), kind, *(s.hex() for s in said)]
    told = field.exec(field.case.names["desk"], argv, timeout_s=20)
    return [bytes.fromhex(line) for line in told.stdout.split()] if told.returncode == 0 else []


def served(field: Battlefield) -> dict[str, bool]:
    """What clients find of each service, and of the accounts and names in it."""
    login = talk(field, "files", 21, b"", b"USER backup\r\n", b"PASS autumn2024\r\n")
    other = talk(field, "files", 21, b"", b"USER house\r\n", b"PASS house-key\r\n")
    return {
        "backup": bool(login) and login[-1].startswith(b"230"),
        "house": bool(other) and other[-1].startswith(b"230"),
        "far": talk(field, "names", 53, b"me" + question_for(BAD), kind="udp")[0][-4:] != bytes(4),
        "www": talk(field, "names", 53, b"me" + question_for("www.house.example"), kind="udp")[0][-4:] != bytes(4),
        "http": talk(field, "web", 80, b"GET / HTTP/1.0\r\n\r\n") != [],
        "redis": talk(field, "web", 6379, b"PING\r\n") == [b"+PONG\r\n"],
    }


@pytest.mark.timeout(300)
def test_every_role_checks_applies_reads_back_and_leaves_nothing(field: Battlefield, runner: AnsibleHosts) -> None:
    before, work, around = digests(field), plans(field, ONE), machine()
    assert served(field) == dict.fromkeys(served(field), True)

    would = run(runner, work, APPLY, check=True)
    assert all(r.changed for r in would)
    assert any(BAD in line for r in would for line in r.diff)
    assert digests(field) == before

    assert all(r.changed for r in run(runner, work, APPLY, VERIFY))
    now = served(field)
    assert now == {"backup": False, "house": True, "far": False, "www": True, "http": False, "redis": False}
    assert all(one != two for one, two in zip(digests(field).values(), before.values(), strict=True))
    assert not any(r.changed for r in run(runner, work, APPLY))
    assert machine() == around

    assert all(r.changed for r in run(runner, work, UNDO))
    assert digests(field) == before
    assert all(served(field).values())


@pytest.mark.exhaustive
@pytest.mark.parametrize("order", [(ONE, TWO), (TWO, ONE)], ids=["first first", "last first"])
def test_two_mitigations_are_undone_in_either_order(
    field: Battlefield, runner: AnsibleHosts, order: tuple[str, str]
) -> None:
    before = digests(field)
    for tag in (ONE, TWO):
        run(runner, plans(field, tag), APPLY)
    run(runner, plans(field, order[0]), UNDO)
    run(runner, plans(field, order[1]), VERIFY)  # the other's still holds
    assert not any(served(field)[name] for name in ("backup", "far", "http", "redis"))
    run(runner, plans(field, order[1]), UNDO)
    assert digests(field) == before
    assert not any(r.changed for r in run(runner, plans(field, order[0]), UNDO))  # nothing of ours is there


@pytest.mark.exhaustive
def test_an_undo_keeps_what_somebody_else_changed(field: Battlefield, runner: AnsibleHosts) -> None:
    files, work = field.case.names["files"], plans(field, ONE, {"files": EVERY["files"]})
    before = field.host_digest(files)
    run(runner, work, APPLY)
    field.exec(files, ["usermod", "-s", "/bin/sh", "backup"], rights="admin")
    run(runner, work, UNDO)
    assert "/bin/sh" in field.exec(files, ["grep", "^backup:", "/etc/passwd"]).stdout
    field.exec(files, ["usermod", "-s", "/bin/bash", "backup"], rights="admin")
    assert field.host_digest(files) == before


REFUSED: Mapping[str, tuple[Ops, str]] = {
    "jump": ((("stop_process", {"process": "sshd"}),), "this very login"),
    "files": ((("disable_account", {"account": "lab"}),), "very login"),
    "names": ((("close_port", {"protocol": "tcp", "port": 2222}),), "came through that port"),
    "web": ((("disable_account", {"account": "root"}),), "superuser"),
}
MORE_REFUSED: Mapping[str, tuple[Ops, str]] = {
    "jump": ((("stop_process", {"process": "node"}),), "the host, stands on"),
    "files": ((("dns_sinkhole", {"name": BAD, "resolver": "dnsmasq"}),), "there is no /etc/dnsmasq.d"),
    "names": ((("dns_sinkhole", {"name": "no_name", "resolver": "dnsmasq"}),), "no domain name"),
    "web": ((("stop_process", {"process": "nobodys"}),), "no process is named nobodys"),
}


@pytest.mark.exhaustive
@pytest.mark.parametrize("wanted", [REFUSED, MORE_REFUSED], ids=["the own door", "what is not there"])
def test_a_role_refuses_and_changes_nothing(
    field: Battlefield, runner: AnsibleHosts, wanted: Mapping[str, tuple[Ops, str]]
) -> None:
    before = digests(field)
    work = plans(field, ONE, {host: ops for host, (ops, _) in wanted.items()})
    for result, (_, why) in zip(runner.run(work, [APPLY]), wanted.values(), strict=True):
        assert not result.ok
        assert why in result.message
    assert digests(field) == before
    run(runner, work, UNDO)
    assert digests(field) == before


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("role", "values"),
    [("secure_sshd", {}), ("disable_account", {"account": "operator"}), ("stop_process", {"process": "ssh"})],
)
def test_guessing_passwords_comes_to_nothing_meanwhile(
    field: Battlefield, runner: AnsibleHosts, role: str, values: dict[str, str | int]
) -> None:
    stage = field.case.stages[0]
    plugin = means(stage.means)
    work = plans(field, ONE, {"jump": ((role, values),)})
    assert plugin.run(field.red(stage), stage).succeeded
    run(runner, work, APPLY, VERIFY)
    assert not plugin.run(field.red(stage), stage).succeeded
    run(runner, work, UNDO)
    assert plugin.run(field.red(stage), stage).succeeded


@pytest.mark.exhaustive
def test_settings_that_are_tighter_stay_tight(field: Battlefield, runner: AnsibleHosts) -> None:
    jump, work = field.case.names["jump"], plans(field, ONE, {"jump": (("secure_sshd", {}),)})
    tight = "PermitRootLogin no\nMaxAuthTries 1\n"
    field.exec(jump, ["tee", "/etc/ssh/sshd_config.d/50-house.conf"], stdin=tight, rights="admin")
    run(runner, work, APPLY, VERIFY)
    told = field.exec(jump, ["/usr/sbin/sshd", "-T", "-f", "/etc/ssh/sshd_config"], rights="admin").stdout
    assert {"permitrootlogin no", "maxauthtries 1", "passwordauthentication no"} <= set(told.splitlines())
    run(runner, work, UNDO)
    field.exec(jump, ["rm", "/etc/ssh/sshd_config.d/50-house.conf"], rights="admin")


@pytest.mark.exhaustive
def test_the_host_watch_sees_and_says_so_in_the_sensors_words(
    field: Battlefield, runner: AnsibleHosts, tmp_path: Path
) -> None:
    jump, work = field.case.names["jump"], plans(field, ONE, {"jump": (("deploy_hids", {}),)})
    run(runner, work, APPLY)
    listen = "import socket, time; s = socket.create_server(('0.0.0.0', 4444)); time.sleep(4)"
    script = f'cp /bin/sleep /tmp/sleep; /tmp/sleep 4 & touch /etc/new; python3 -c "{listen}"'
    field.exec(jump, ["sh", "-c", script], rights="admin", timeout_s=20)

    def seen() -> set[int]:
        told = field.exec(jump, ["cat", "/var/log/secloop-hids.json"], rights="admin").stdout
        (tmp_path / "eve.json").write_text(told, encoding="utf-8")
        return {s.signature_id for s in summarise(tmp_path / "eve.json")[0]}

    assert eventually(lambda: {9500001, 9500002, 9500004} <= seen())
    run(runner, work, VERIFY, UNDO)
    assert field.exec(jump, ["ls", "/var/log/secloop-hids.json"], rights="admin").returncode == 2
    assert field.exec(jump, ["rm", "/etc/new"], rights="admin").returncode == 0


STOCK = """
set -e
mkdir -p /srv/archive /var/lib/dpkg/info /var/lib/dpkg/updates /var/lib/apt/lists/partial
mkdir -p /var/cache/apt/archives/partial /var/log/apt /etc/dpkg
mkdir -p /etc/apt/apt.conf.d /etc/apt/preferences.d /etc/apt/sources.list.d
touch /var/lib/dpkg/status
cd /srv/archive
for version in 1.0 1.1; do
    tree=$(mktemp -d); mkdir -p $tree/DEBIAN $tree/usr/share/house-web; chmod 755 $tree
    echo $version > $tree/usr/share/house-web/version
    printf 'Package: house-web\nVersion: %s\nArchitecture: all\n' $version > $tree/DEBIAN/control
    printf 'Maintainer: nobody <nobody@house.example>\nDescription: pages\n' >> $tree/DEBIAN/control
    dpkg-deb -b --root-owner-group $tree house-web_$version.deb
    { dpkg-deb -f house-web_$version.deb; echo "Filename: ./house-web_$version.deb"
      echo "Size: $(stat -c %s house-web_$version.deb)"
      echo "SHA256: $(sha256sum house-web_$version.deb | cut -d ' ' -f 1)"; echo; } >> Packages
done
dpkg -i house-web_1.0.deb
apt-mark auto house-web
echo 'deb [trusted=yes] file:/srv/archive ./' > /etc/apt/sources.list
"""


def stock(field: Battlefield, host: str) -> None:
    """An archive of one package in two versions on the host; the older one is installed."""
    done = field.exec(host, ["sh", "-c", STOCK], rights="admin")
    assert done.returncode == 0, done.stderr


@pytest.mark.exhaustive
def test_a_package_is_updated_and_goes_back(field: Battlefield, runner: AnsibleHosts) -> None:
    desk = field.case.names["desk"]
    stock(field, desk)

    def have() -> tuple[str, str]:
        file = field.exec(desk, ["cat", "/usr/share/house-web/version"]).stdout.strip()
        return file, field.exec(desk, ["apt-mark", "showauto"], rights="admin").stdout.strip()

    one, two = (plans(field, tag, {"desk": (("patch_vulnerability", {"package": "house-web"}),)}) for tag in (ONE, TWO))
    run(runner, one, APPLY, check=True)  # without having asked the archive it knows of nothing newer
    assert have() == ("1.0", "house-web")
    assert run(runner, one, APPLY, VERIFY)[0].changed
    assert have() == ("1.1", "house-web")
    assert not run(runner, one, APPLY)[0].changed
    run(runner, two, APPLY, VERIFY)
    run(runner, one, UNDO)
    run(runner, two, VERIFY)
    run(runner, two, UNDO)
    assert have() == ("1.0", "house-web")

    run(runner, one, APPLY)
    field.exec(desk, ["sh", "-c", "sed -i 's/1\\.0/0.9/' /srv/archive/Packages; apt-get update"], rights="admin")
    (lost,) = runner.run(one, [UNDO])
    assert not lost.ok
    assert "no way back to house-web 1.0" in lost.message


def seen_by_sensor(field: Battlefield) -> tuple[AlertSummary, ...]:
    source = field.case.stages[0].source
    return tuple(s for s in summarise(field.eve_path)[0] if s.source == source)


@pytest.mark.exhaustive
def test_a_strategy_on_a_host_goes_the_loops_own_way(field: Battlefield) -> None:
    stage, jump = field.case.stages[0], field.case.names["jump"]
    plugin = means(stage.means)
    field.start_sensor()
    assert plugin.run(field.red(stage), stage).succeeded
    assert eventually(lambda: bool(seen_by_sensor(field)))
    seen, before = seen_by_sensor(field), field.host_digest(jump)
    action = SecureSshd.model_validate({"kind": "secure_sshd", "host": jump, "ttl_s": 900})
    report = field.apply(
        Strategy(actions=(action,), evidence=tuple(s.summary_id for s in seen), policy="by hand"), seen
    )
    assert report.outcome == "confirmed"
    assert [h.host for h in report.hosts] == [jump]
    assert not plugin.run(field.red(stage), stage).succeeded
    assert len(field.undo().removed) == 1
    assert field.host_digest(jump) == before
    assert plugin.run(field.red(stage), stage).succeeded


@pytest.mark.exhaustive
def test_openssh_itself_offers_passwords_no_more(field: Battlefield, runner: AnsibleHosts) -> None:
    """A real server beside the lab's own: it is told to read its files again, and goes on with what it has."""
    jump = field.environment.host(field.case.names["jump"])
    assert jump is not None
    server = ["/usr/sbin/sshd", "-D", "-e", "-p", "2022"]
    field.nodes.settle([field.nodes.start("openssh", jump.name, server, rights="admin")])
    options = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"]
    ask = ["ssh", *options, "-o", "PreferredAuthentications=none", "-p", "2022", f"deploy@{jump.addresses[0]}", "true"]

    def offered() -> str:
        return field.exec(field.case.names["desk"], ask, timeout_s=10).stderr.rpartition("(")[2].partition(")")[0]

    assert eventually(lambda: offered() == "publickey,password,keyboard-interactive")
    work = plans(field, ONE, {"jump": (("secure_sshd", {}),)})
    run(runner, work, APPLY, VERIFY)
    assert eventually(lambda: offered() == "publickey")
    run(runner, work, UNDO)
    assert eventually(lambda: offered() == "publickey,password,keyboard-interactive")
