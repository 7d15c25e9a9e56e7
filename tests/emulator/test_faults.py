"""Every fault at every step, seen through ncclient."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ncclient.operations import RPCError
from ncclient.operations.errors import OperationError
from ncclient.transport.errors import AuthenticationError, TransportError
from paramiko import SSHException
from pydantic import ValidationError

from labs.emulator import Device, Fault, FaultKind, Step

from .conftest import Connect
from .documents import block
from .test_operations import refused
from .waiting import until

LOST = (TransportError, OperationError, OSError, EOFError, SSHException)  # whatever ncclient and paramiko make of it
Steps = dict[Step, Callable[[Any], Any]]

DO: Steps = {
    Step.LOCK: lambda s: s.lock("candidate"),
    Step.DISCARD: lambda s: s.discard_changes(),
    Step.EDIT: lambda s: s.edit_config(block(), target="candidate"),
    Step.VALIDATE: lambda s: s.validate("candidate"),
    Step.COMMIT: lambda s: s.commit(confirmed=True, timeout="60", persist="token"),
    Step.CONFIRM: lambda s: s.commit(persist_id="token"),
    Step.CANCEL: lambda s: s.cancel_commit("token"),
    Step.UNLOCK: lambda s: s.unlock("candidate"),
    Step.GET_CONFIG: lambda s: s.get_config("running"),
}
BEFORE = {
    Step.CONFIRM: [Step.EDIT, Step.COMMIT],
    Step.CANCEL: [Step.EDIT, Step.COMMIT],
    Step.UNLOCK: [Step.LOCK],
    Step.COMMIT: [Step.EDIT],
}
PERFORMED = {FaultKind.DROP: False, FaultKind.DROP_AFTER: True, FaultKind.TRUNCATE: True}


def arrive_at(step: Step, session: Any) -> Callable[[Any], Any]:
    """Do what must come before the step; the step itself."""
    for earlier in BEFORE.get(step, []):
        DO[earlier](session)
    return DO[step]


@pytest.mark.parametrize("kind", sorted(PERFORMED))
@pytest.mark.parametrize("step", sorted(DO))
def test_a_lost_connection(gateway: Device, connect: Connect, step: Step, kind: FaultKind) -> None:
    session = connect(gateway)
    operation = arrive_at(step, session)
    gateway.fault(step, kind)
    with pytest.raises(LOST):
        operation(session)
    last = gateway.log()[-1]
    assert (last.operation, last.outcome, last.performed) == (step, kind, PERFORMED[kind])
    until(lambda: gateway.state().sessions == ())
    assert DO[Step.GET_CONFIG](connect(gateway)).ok


@pytest.mark.parametrize("step", sorted(DO))
def test_an_error_on_demand(gateway: Device, connect: Connect, step: Step) -> None:
    session = connect(gateway)
    operation = arrive_at(step, session)
    gateway.fault(step, "error", error_tag="resource-denied", times=2)
    assert refused(operation, session).tag == "resource-denied"
    assert refused(operation, session).tag == "resource-denied"
    operation(session)
    outcomes = [line.outcome for line in gateway.log() if line.operation == step]
    assert outcomes == ["resource-denied", "resource-denied", "ok"]


@pytest.mark.parametrize("step", sorted(DO))
def test_a_delay_comes_before_the_operation(gateway: Device, connect: Connect, step: Step) -> None:
    session = connect(gateway)
    operation = arrive_at(step, session)
    gateway.fault(step, "delay", seconds=0.3)
    started = time.time()
    operation(session)
    assert gateway.log()[-1].time_s >= started + 0.25
    assert gateway.log()[-1].performed


def test_a_lock_denied_on_demand(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    gateway.fault("lock", "lock-denied")
    error = refused(session.lock, "candidate")
    assert error.tag == "lock-denied"
    assert "<session-id>" in str(error.info)
    session.lock("candidate")


def test_dropping_a_commit_leaves_running_alone_and_drop_after_does_not(gateway: Device, connect: Connect) -> None:
    before = gateway.running()
    for kind, changed in (("drop", False), ("drop-after", True)):
        session = connect(gateway)
        arrive_at(Step.COMMIT, session)
        gateway.fault("commit", kind)
        with pytest.raises(LOST):
            session.commit()
        assert (gateway.running() != before) is changed
        connect(gateway).discard_changes()


def test_dropping_a_confirm_leaves_the_persistent_commit_pending(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    operation = arrive_at(Step.CONFIRM, session)
    gateway.fault("confirm", "drop")
    with pytest.raises(LOST):
        operation(session)
    assert gateway.state().pending is not None
    operation(connect(gateway))
    assert gateway.state().pending is None


@pytest.mark.parametrize(("step", "kind"), [("connect", "drop"), ("connect", "truncate"), ("auth", "drop")])
def test_no_session_comes_up(gateway: Device, connect: Connect, step: str, kind: str) -> None:
    gateway.fault(step, kind)
    with pytest.raises(LOST):
        connect(gateway)
    assert DO[Step.GET_CONFIG](connect(gateway)).ok


@pytest.mark.parametrize("step", ["auth", "hello"])
@pytest.mark.parametrize("kind", ["drop", "drop-after"])
def test_the_session_dies_on_the_way_up(gateway: Device, connect: Connect, step: str, kind: str) -> None:
    gateway.fault(step, kind)
    with pytest.raises(LOST):
        connect(gateway)
    until(lambda: gateway.state().sessions == ())


def test_half_a_hello(gateway: Device, connect: Connect) -> None:
    gateway.fault("hello", "truncate")
    with pytest.raises(LOST):
        connect(gateway)


def test_a_refused_key(gateway: Device, connect: Connect) -> None:
    gateway.fault("auth", "error")
    with pytest.raises(AuthenticationError):
        connect(gateway)
    assert connect(gateway).connected


@pytest.mark.parametrize("step", ["connect", "auth", "hello"])
def test_a_late_session(gateway: Device, connect: Connect, step: str) -> None:
    gateway.fault(step, "delay", seconds=0.3)
    started = time.time()
    connect(gateway)
    assert next(line for line in gateway.log() if line.operation == "hello").time_s >= started + 0.25


def test_faults_last_until_cleared(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    gateway.fault("validate", "error", times=None)
    for _ in range(3):
        with pytest.raises(RPCError):
            session.validate("candidate")
    gateway.clear("faults")
    session.validate("candidate")
    assert gateway.log()
    gateway.clear()
    assert gateway.log() == []


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("connect", "error"),
        ("hello", "error"),
        ("hello", "lock-denied"),
        ("auth", "truncate"),
        ("connect", "drop-after"),
    ],
)
def test_faults_that_mean_nothing_are_refused(step: str, kind: str) -> None:
    with pytest.raises(ValidationError, match="means nothing"):
        Fault(step=Step(step), kind=FaultKind(kind))


def test_an_error_tag_must_exist() -> None:
    with pytest.raises(ValidationError, match="no such error-tag"):
        Fault(step=Step.EDIT, kind=FaultKind.ERROR, error_tag="bad-mood")
