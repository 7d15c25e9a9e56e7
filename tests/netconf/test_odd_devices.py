"""What no sane device says, and who may log in where."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest
from pydantic import SecretStr

from secloop_ai.contracts import ConnectError, DeviceError, RpcFailure
from secloop_ai.netconf import open_session

from .parts import until
from .scripted import PASSWORD, Scripted, reply

Answer = Callable[[str], str]


def _answers(body: str) -> Answer:
    return lambda rpc: reply(rpc, body)


def _get_config(directory: Path, answer: Answer, noise: bytes = b"") -> str:
    with Scripted(directory, answer, noise=noise) as server:
        session = open_session(server.device())
        try:
            return session.get_config("running")
        finally:
            session.close()


def test_chatter_on_stderr_does_not_stop_the_session(tmp_path: Path) -> None:
    data = _get_config(tmp_path, _answers("<data><a/></data>"), noise=b"bash: warning: something\n" * 50)
    assert "<a/>" in data


def test_a_first_request_that_lies_unread_until_more_arrives_is_nudged(tmp_path: Path) -> None:
    waiting: list[str] = []

    def late(rpc: str) -> str:
        waiting.append(rpc)
        return "]]>]]>".join(reply(w, "<data><a/></data>") for w in waiting) if len(waiting) == 2 else ""

    assert "<a/>" in _get_config(tmp_path, late)
    assert "secloop-nudge" in waiting[1]


def test_only_the_first_request_is_nudged(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(rpc: str) -> str:
        seen.append(rpc)
        return reply(rpc, "<ok/>") if len(seen) == 1 else ""

    with Scripted(tmp_path, answer) as server:
        session = open_session(server.device(timeout_s=1.0))
        session.lock()
        with pytest.raises(ConnectError, match="odd1: lock: no answer within 1 s"):
            session.lock()
    assert len(seen) == 2


def test_a_text_larger_than_the_parser_takes_by_default_comes_through(tmp_path: Path) -> None:
    text = "x" * 11_000_000
    assert text in _get_config(tmp_path, _answers(f"<data><banner>{text}</banner></data>"))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda _: "it is raining", "odd1: get-config: the device sent 13 characters that are not XML"),
        (lambda rpc: reply(rpc, "<data>")[:-12], "odd1: get-config: the reply is not well-formed XML"),
        (lambda rpc: "<!DOCTYPE x>" + reply(rpc, "<data/>"), "odd1: get-config: the device sent a document type"),
        (lambda rpc: reply(rpc, "<data/>").replace("message-id", "id"), "odd1: get-config: .*message-id"),
    ],
)
def test_nonsense_ends_the_session_at_once_and_says_so(tmp_path: Path, answer: Answer, message: str) -> None:
    with pytest.raises(ConnectError, match=message):
        _get_config(tmp_path, answer)


def test_a_reply_without_data_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RpcFailure, match=r"odd1: get-config \[malformed-message\]: the reply holds no <data>"):
        _get_config(tmp_path, _answers("<ok/>"))


def _error(tag: str, severity: str, message: str) -> str:
    inside = f"<error-tag>{tag}</error-tag><error-severity>{severity}</error-severity>"
    return f"<rpc-error>{inside}<error-message>{message}</error-message></rpc-error>"


def test_several_errors_are_told_in_one_line(tmp_path: Path) -> None:
    body = _error("in-use", "error", "busy\nnow") + _error("x", "warning", "w") + _error("y", "error", "2")
    with pytest.raises(RpcFailure) as caught:
        _get_config(tmp_path, _answers(body))
    assert (caught.value.error_tag, caught.value.reason) == ("in-use", "busy now; 2")


def test_a_warning_is_no_failure(tmp_path: Path) -> None:
    with Scripted(tmp_path, _answers(_error("x", "warning", "mind the gap"))) as server:
        session = open_session(server.device())
        session.lock()
        session.close()


def test_a_host_key_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    with Scripted(tmp_path) as server:
        empty = tmp_path / "empty"
        empty.touch()
        message = (
            rf"odd1: connect: host key ssh-ed25519 SHA256:\S{{43}} of \[127.0.0.1\]:{server.port} is not in {empty}"
        )
        with pytest.raises(ConnectError, match=message):
            open_session(server.device(known_hosts=str(empty)))
        open_session(server.device(known_hosts=str(empty), verify_host_key=False)).close()


def test_a_host_key_that_changed_is_refused(tmp_path: Path) -> None:
    with Scripted(tmp_path) as server:
        other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
        server.known_hosts.write_text(f"[127.0.0.1]:{server.port} {other}")
        with pytest.raises(ConnectError, match=r"odd1: connect: .* it has changed, or somebody sits in between"):
            open_session(server.device())


def test_a_known_hosts_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with Scripted(tmp_path) as server, pytest.raises(ConnectError, match="odd1: connect: known_hosts file /none/such"):
        open_session(server.device(known_hosts="/none/such"))


def test_the_password_logs_in_or_opens_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with Scripted(tmp_path) as server:
        open_session(server.device(key_file=None), PASSWORD).close()
        open_session(server.device(key_file=server.lock_key()), PASSWORD).close()
        open_session(server.device(), PASSWORD).close()  # a plain key, and a password that is not needed


@pytest.mark.skipif(not shutil.which("ssh-agent"), reason="ssh-agent is not installed")
def test_the_agent_logs_in_where_no_key_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = tmp_path / "agent"
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent))
    with (
        Scripted(tmp_path) as server,
        subprocess.Popen(["ssh-agent", "-D", "-a", agent], stdout=subprocess.DEVNULL) as child,
    ):
        try:
            until(agent.exists)
            subprocess.run(["ssh-add", "-q", tmp_path / "key"], check=True)
            open_session(server.device(key_file=None)).close()
        finally:
            child.terminate()


@pytest.mark.parametrize(
    ("key", "password", "message"),
    [
        ("key", None, None),
        ("missing", None, "user ops refused: key .*missing cannot be read: No such file"),
        ("locked", None, "user ops refused: key .*locked is no private key, or its passphrase is not the password"),
        ("known_hosts", None, "user ops refused: key .*known_hosts is no private key"),
        (None, None, "user ops refused: no key file, no agent key and no password to try"),
        (None, SecretStr("hunter2"), "user ops refused: password"),
        ("strange", SecretStr("hunter2"), "user ops refused: key .*strange, password"),
    ],
)
def test_a_refused_login_names_the_ways_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str | None, password: SecretStr | None, message: str | None
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(tmp_path / "strange")
    with Scripted(tmp_path) as server:
        server.lock_key()
        device = server.device(key_file=key and str(tmp_path / key))
        if message is None:
            open_session(device, password).close()
            return
        with pytest.raises(DeviceError, match=message) as caught:
            open_session(device, password)
    assert caught.value.operation == "auth"
    assert "hunter2" not in str(caught.value)
