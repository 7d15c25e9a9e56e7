"""Weak services: what the programs may never do, and how they answer over loopback."""

from __future__ import annotations

import ast
import http.client
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labs.services.base import SERVERS, ServiceOrder, program, programs
from secloop_ai.contracts.errors import LabError

FORBIDDEN = {
    "eval", "exec", "compile", "system", "popen", "Popen", "run", "spawn", "pickle", "marshal", "shelve", "subprocess",
    "ctypes", "importlib", "write_text", "write_bytes", "mkdir", "unlink", "remove", "rename", "urlopen", "__import__",
}  # fmt: skip
ALLOWED = {("run", "asyncio")}
CANARY = "canary-7f3a"


@pytest.mark.parametrize("path", sorted(SERVERS.glob("*.py")), ids=lambda p: p.stem)
def test_a_server_has_no_way_to_run_or_to_store_what_it_receives(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not {a.name.split(".")[0] for a in node.names} & FORBIDDEN
        elif isinstance(node, ast.ImportFrom):
            assert (node.module or "").split(".")[0] not in FORBIDDEN
        elif isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            assert node.attr not in FORBIDDEN or (node.attr, owner) in ALLOWED, f"{path.name}: {node.attr}"
        elif isinstance(node, ast.Name):
            assert node.id not in FORBIDDEN, f"{path.name}: {node.id}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
            assert len(node.args) == 1, f"{path.name}: a file is opened to be written"


def order_of(root: Path, kind: str, *weaknesses: str) -> ServiceOrder:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return ServiceOrder.model_validate(
        {
            "kind": kind,
            "address": "127.0.0.1",
            "port": port,
            "weaknesses": weaknesses,
            "canaries": dict.fromkeys(weaknesses, CANARY),
            "root": root,
        }
    )


@contextmanager
def serving(order: ServiceOrder) -> Iterator[None]:
    plugin = program(order.kind)
    for name, content in plugin.files(order).items():
        (order.root / name).write_text(content, encoding="utf-8")
    with subprocess.Popen(plugin.command(order), stdin=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 15
            while time.monotonic() < deadline:
                try:
                    socket.create_connection(("127.0.0.1", order.port), timeout=1).close()
                    break
                except ConnectionRefusedError:
                    time.sleep(0.02)
            yield
        finally:
            process.kill()


def ask(order: ServiceOrder, method: str, target: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", order.port, timeout=5)
    try:
        connection.request(method, target, body=body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_weak_web_server_serves_rightful_clients_and_gives_its_canary_to_the_exchange_alone(tmp_path: Path) -> None:
    order = order_of(tmp_path, "http", "file-inclusion", "xss-cookie-theft")
    with serving(order):
        assert ask(order, "GET", "/")[0] == 200
        assert ask(order, "GET", "/view?file=../../../../lab/flag") == (200, CANARY)
        assert CANARY not in ask(order, "GET", "/view?file=../../../../etc/passwd")[1]
        assert CANARY not in ask(order, "GET", "/items?id=0%27%20UNION%20SELECT%20flag%20FROM%20secloop_lab")[1]
        assert CANARY not in ask(order, "GET", "/comments")[1]  # the administrator has read nothing yet
        assert ask(order, "POST", "/comments", b"text=<script>labMarker()</script>")[0] == 200
        assert CANARY in ask(order, "GET", "/comments")[1]


def test_a_sound_web_server_refuses_and_survives_nonsense(tmp_path: Path) -> None:
    order = order_of(tmp_path, "tomcat")
    with serving(order):
        assert ask(order, "PUT", "/lab/session", b"secloop-lab", **{"Content-Range": "bytes 0-10/1200"})[0] == 403
        for nonsense in (b"\0\xff" * 2000, b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", order.port), timeout=5) as connection:
                connection.sendall(nonsense)
        assert ask(order, "GET", "/index.html")[0] == 200


def test_a_body_beyond_the_buffer_is_not_read_and_harms_nobody(tmp_path: Path) -> None:
    order = order_of(tmp_path, "http", "csrf")
    with serving(order):
        with socket.create_connection(("127.0.0.1", order.port), timeout=5) as connection:
            connection.sendall(b"POST /account/email HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"a" * 65536)
            assert connection.recv(64).startswith(b"HTTP/1.1 403")
        assert ask(order, "GET", "/")[0] == 200


def test_what_leaves_by_an_implant_is_counted_until_it_is_complete(tmp_path: Path) -> None:
    order = order_of(tmp_path, "c2", "exfil-c2", "implant-beacon")
    with serving(order):
        said = [ask(order, "POST", "/d/a1?total=30", b"x" * 10)[1] for _ in range(3)]
        assert said == ["ok", "ok", CANARY]
        assert ask(order, "POST", "/d/b2?total=30", b"x" * 10)[1] == "ok"
        assert [ask(order, "GET", "/b/a1")[1] for _ in range(3)] == ["ok", "ok", CANARY]


def test_redis_asks_for_a_password_unless_weak(tmp_path: Path) -> None:
    order = order_of(tmp_path, "redis")
    with serving(order), socket.create_connection(("127.0.0.1", order.port), timeout=5) as connection:
        connection.sendall(b"*1\r\n$4\r\nPING\r\n")
        assert connection.recv(64) == b"+PONG\r\n"
        connection.sendall(b"*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$3\r\ndir\r\n$4\r\n/tmp\r\n")
        assert connection.recv(64).startswith(b"-NOAUTH")


def test_a_weakness_without_a_canary_is_named(tmp_path: Path) -> None:
    order = order_of(tmp_path, "http", "csrf").model_copy(update={"canaries": {}})
    with pytest.raises(LabError, match=r"service http at 127\.0\.0\.1:\d+: no canary for csrf"):
        program("http").files(order)


def test_an_unknown_kind_is_named_with_those_there_are() -> None:
    with pytest.raises(LabError, match=r"no service kind gopher; there are .*http"):
        program("gopher")
    assert {"http", "ssh", "redis", "smb", "dns", "tomcat", "jenkins", "nextjs", "vite"} <= set(programs())


def test_only_a_host_weak_to_floods_gets_the_settings_that_make_it_so(tmp_path: Path) -> None:
    weak, sound = order_of(tmp_path, "http", "dos-flood"), order_of(tmp_path, "http", "csrf")
    assert program("http").sysctls(weak)["net/ipv4/tcp_syncookies"] == "0"
    assert program("http").sysctls(sound) == {}
    assert all(name.startswith("net/") for name in program("http").sysctls(weak))
