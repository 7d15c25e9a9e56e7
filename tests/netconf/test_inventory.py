"""The Nornir inventory, for our phases and for tasks that users bring."""

from __future__ import annotations

from pathlib import Path

import pytest
from nornir.core.filter import F
from nornir.core.task import Result, Task
from pydantic import SecretStr

from labs.emulator import Device as Emulated
from secloop_ai.contracts import ConnectError, Environment
from secloop_ai.netconf import CONNECTION, Session, nornir_from

from .parts import contract

Pair = tuple[Emulated, Emulated]


def environment(pair: Pair) -> Environment:
    """Two gateways, the second of another dialect."""
    one, two = (contract(d) for d in pair)
    return Environment(devices=(one, two.model_copy(update={"dialect": "other"})))


def count_capabilities(task: Task) -> Result:
    """A user's task."""
    session: Session = task.host.get_connection(CONNECTION, task.nornir.config)
    return Result(host=task.host, result=len(session.capabilities))


def test_a_users_task_gets_a_session_and_keeps_it(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with nornir_from(environment(pair), workers=2) as nornir:
        for _ in range(3):
            results = nornir.run(task=count_capabilities)
            assert not results.failed
            assert set(results) == {"gw1", "gw2"}
    assert [len(d.served("hello")) for d in pair] == [1, 1]
    assert list(tmp_path.iterdir()) == []  # no nornir.log


def test_devices_are_found_by_their_fields_and_groups(pair: Pair) -> None:
    nornir = nornir_from(environment(pair))
    assert set(nornir.filter(dialect="other").inventory.hosts) == {"gw2"}
    assert set(nornir.filter(F(groups__contains="ietf")).inventory.hosts) == {"gw1"}
    host = nornir.inventory.hosts["gw1"]
    assert (host.hostname, host.port, host.username, host.platform) == ("127.0.0.1", pair[0].port, "secloop", "ietf")


def test_a_device_that_failed_does_not_fail_the_next_nornir(pair: Pair) -> None:
    pair[0].fault("connect", "drop")
    with nornir_from(environment(pair)) as nornir:
        results = nornir.run(task=count_capabilities)
        assert isinstance(results["gw1"].exception, ConnectError)
        assert not results["gw2"].failed
    with nornir_from(environment(pair)) as nornir:
        assert not nornir.run(task=count_capabilities).failed


def test_a_users_own_override_wins(pair: Pair) -> None:
    with nornir_from(environment(pair)) as nornir:
        nornir.inventory.hosts["gw1"].username = "nobody"
        results = nornir.run(task=count_capabilities)
        assert "user nobody refused" in str(results["gw1"].exception)


def test_a_password_does_not_show(pair: Pair) -> None:
    nornir = nornir_from(environment(pair), {"gw1": SecretStr("hunter2")})
    assert "hunter2" not in repr(nornir.dict())
