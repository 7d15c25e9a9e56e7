"""The parts of host roles that need no host."""

from __future__ import annotations

import importlib.util
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from types import ModuleType

import pytest

from labs.services.base import ServiceOrder, program
from secloop_ai.alerts import summarise
from tests.battlefield.support import eventually

ROLES = Path(__file__).resolve().parents[2] / "roles"
SHARED = ROLES / "host_base/module_utils"


def load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def shared() -> Iterator[ModuleType]:
    """What all modules share, under the name that Ansible gives it."""
    names = [f"ansible.module_utils.{path.stem}" for path in sorted(SHARED.glob("*.py"))]
    modules = [load(SHARED / f"{name.rpartition('.')[2]}.py", name) for name in names]
    yield next(m for m in modules if m.__name__.endswith("secloop_role"))
    for name in names:
        del sys.modules[name]


def module_of(role: str) -> ModuleType:
    return load(ROLES / role / "library" / f"secloop_{role}.py", f"secloop_{role}")


def test_memories_of_two_mitigations_are_apart_and_leave_no_folder(shared: ModuleType, tmp_path: Path) -> None:
    base = tmp_path / "state"
    one, two = (shared.Memory(str(base), tag, "any") for tag in ("0123456789-1", "0123456789-2"))
    other_role = shared.Memory(str(base), "0123456789-2", "else")
    with one.locked(make=True):
        one.keep({"n": 1})
    with two.locked(make=True):
        two.keep({"n": 2})
        other_role.keep({"n": 3})
    assert (one.own(), one.others(), two.others()) == ({"n": 1}, [{"n": 2}], [{"n": 1}])
    assert oct((base / "0123456789-1/any.json").stat().st_mode) == "0o100600"
    one.forget()
    assert two.others() == []
    other_role.forget()
    two.forget()
    assert not base.exists()


def test_an_apply_that_refuses_leaves_no_folder(shared: ModuleType, tmp_path: Path) -> None:
    memory = shared.Memory(str(tmp_path / "state"), "0123456789-1", "any")
    with pytest.raises(shared.Refused), memory.locked(make=True):
        raise shared.Refused
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("tag", ["", "../x", "a/b", ".", "x" * 65])
def test_a_tag_is_no_path(shared: ModuleType, tmp_path: Path, tag: str) -> None:
    with pytest.raises(shared.Refused):
        shared.Memory(str(tmp_path), tag, "any")


def test_a_memory_that_is_none_is_named(shared: ModuleType, tmp_path: Path) -> None:
    memory = shared.Memory(str(tmp_path), "0123456789-1", "any")
    memory.keep({"n": 1})
    Path(memory.path).write_text("[1]", encoding="utf-8")
    with pytest.raises(shared.Refused, match=r"any\.json"):
        memory.own()


@pytest.mark.parametrize(
    ("key", "now", "wanted", "tighter"),
    [
        ("MaxAuthTries", "6", "3", "3"),
        ("MaxAuthTries", "2", "3", "2"),
        ("LoginGraceTime", "0", "30", "30"),  # none means for ever
        ("PermitRootLogin", "yes", "prohibit-password", "prohibit-password"),
        ("PermitRootLogin", "without-password", "prohibit-password", "prohibit-password"),
        ("PermitRootLogin", "no", "prohibit-password", "no"),
        ("PasswordAuthentication", "yes", "no", "no"),
        ("PasswordAuthentication", "", "no", "no"),
    ],
)
def test_of_two_settings_the_tighter_one(shared: ModuleType, key: str, now: str, wanted: str, tighter: str) -> None:
    assert shared
    assert module_of("secure_sshd")._tighter(key, now, wanted) == tighter


def test_kernel_settings_beyond_the_network_are_refused_where_they_do_not_belong(shared: ModuleType) -> None:
    harden = module_of("harden_kernel")
    for name in ("kernel.sysrq", "net.../../kernel/sysrq", "net.ipv4/../../x", "vm.swappiness"):
        with pytest.raises(shared.Refused):
            harden._found({name: 1}, harden.NETWORK)
    with pytest.raises(shared.Refused):
        harden._found({"net.ipv4.tcp_syncookies": "1; reboot"}, harden.NETWORK)
    assert harden._found({"net.ipv4.no_such_setting": 1}, harden.NETWORK) == {}


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def listening() -> str:
    """Sockets of this machine, as the kernel lists them."""
    return "".join(Path(f"/proc/net/{kind}").read_text(encoding="utf-8") for kind in ("tcp", "udp"))


@contextmanager
def serving(kind: str, folder: Path, *weaknesses: str) -> Iterator[ServiceOrder]:
    """A service on the loopback that honours the settings in ``folder/etc``."""
    plugin = program(kind)
    order = ServiceOrder(
        kind=kind,
        address=IPv4Address("127.0.0.1"),
        port=free_port(socket.SOCK_DGRAM if plugin.protocol == "udp" else socket.SOCK_STREAM),
        weaknesses=weaknesses,
        canaries={means: f"canary-{means}" for means in weaknesses},
        root=folder / "the-service",
        etc=folder / "etc",
    )
    order.root.mkdir()
    for name, content in plugin.files(order).items():
        (order.root / name).write_text(content, encoding="utf-8")
    with subprocess.Popen(plugin.command(order)) as process:
        try:
            assert eventually(lambda: f":{order.port:04X} 00000000:0000" in listening())
            yield order
        finally:
            process.kill()


def test_a_sink_is_read_back_from_the_resolver_itself(shared: ModuleType, tmp_path: Path) -> None:
    """The role's own question to a server that follows drop-ins: before, after, and when the drop-in is gone."""
    assert shared
    sinkhole = module_of("dns_sinkhole")
    drop_in = tmp_path / "etc/dnsmasq.d/secloop-x.conf"
    drop_in.parent.mkdir(parents=True)
    with serving("dns", tmp_path) as order:

        def asked(name: str, kind: int) -> tuple[int, list[bytes]]:
            found: tuple[int, list[bytes]] = sinkhole.ask("127.0.0.1", order.port, name, kind)
            return found

        assert asked("bad.house.example", sinkhole.A)[1] == [IPv4Address("127.0.0.1").packed]
        drop_in.write_text(sinkhole.TEXTS["dnsmasq"].format(name="bad.house.example"), encoding="utf-8")
        for name in ("bad.house.example", "more.bad.house.example"):
            assert asked(name, sinkhole.A) == (0, [bytes(4)])
            assert asked(name, sinkhole.AAAA) == (0, [bytes(16)])
        assert asked("notbad.house.example", sinkhole.A)[1] == [IPv4Address("127.0.0.1").packed]
        drop_in.unlink()
        assert asked("bad.house.example", sinkhole.A)[1] == [IPv4Address("127.0.0.1").packed]


def test_the_host_watch_writes_what_the_ingest_reads(tmp_path: Path) -> None:
    log, config = tmp_path / "eve.json", tmp_path / "config.json"
    auth = tmp_path / "auth.log"
    auth.touch()
    values = {"log": str(log), "interval_s": 0.1, "most_bytes": 1 << 20, "auth_log": str(auth), "ignore": []}
    config.write_text(json.dumps(values), encoding="utf-8")
    agent = ROLES / "deploy_hids/files/agent.py"
    with subprocess.Popen([sys.executable, "-I", "-S", str(agent), str(config)]) as process:
        try:
            until = time.monotonic() + 30
            while not log.exists():
                assert time.monotonic() < until
                time.sleep(0.02)
            with socket.create_server(("127.0.0.1", 0)) as server, auth.open("a", encoding="utf-8") as told:
                told.write("sshd[9]: Failed password for invalid user x from 203.0.113.9 port 4242 ssh2\n")
                told.flush()
                wanted = {(9500001, "127.0.0.1", server.getsockname()[1]), (9500005, "203.0.113.9", None)}
                found: set[tuple[int, str, int | None]] = set()
                while not wanted <= found:
                    assert time.monotonic() < until, found
                    time.sleep(0.05)
                    found = {(s.signature_id, str(s.source), s.destination_port) for s in summarise(log)[0]}
        finally:
            process.terminate()
    assert process.returncode == 0
