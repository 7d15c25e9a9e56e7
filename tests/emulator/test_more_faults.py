"""Reboots, wrong framing, partial commits, clock jumps, warnings and denials, seen by a client."""

from __future__ import annotations

import socket
import time

import pytest
from ncclient.operations.errors import TimeoutExpiredError
from pydantic import ValidationError

from labs.emulator import Device, Fault, FaultKind, Step, kinds_at
from labs.framing import END_OF_MESSAGE
from secloop_ai.contracts.errors import LabError

from .conftest import Connect
from .documents import acl, acls, block, config
from .raw import Wire, hello, rpc, talk
from .test_faults import DO, LOST, arrive_at
from .test_operations import refused
from .waiting import until

STEPS = sorted(DO)


@pytest.mark.parametrize("kind", ["reboot", "reboot-after"])
@pytest.mark.parametrize("step", STEPS)
def test_the_device_restarts(gateway: Device, connect: Connect, step: Step, kind: str) -> None:
    before = gateway.running()
    session = connect(gateway)
    operation = arrive_at(step, session)
    gateway.fault(step, kind)
    with pytest.raises(LOST):
        operation(session)
    assert gateway.state().sessions == ()
    assert gateway.state().pending is None
    confirmed = step is Step.CONFIRM and kind == "reboot-after"
    assert (gateway.running() == before) is not confirmed
    assert any(line.operation == "reboot" for line in gateway.log())
    assert DO[Step.GET_CONFIG](connect(gateway)).ok


def test_nobody_gets_in_while_the_device_is_down(gateway: Device, connect: Connect) -> None:
    gateway.reboot(0.6)
    assert 0 < gateway.state().down_s <= 0.6
    with pytest.raises(LOST):
        connect(gateway)
    assert gateway.log()[-1].outcome == "down"
    until(lambda: gateway.state().down_s == 0)
    assert connect(gateway).connected


@pytest.mark.parametrize("step", ["connect", "hello"])
def test_a_restart_on_the_way_up(gateway: Device, connect: Connect, step: str) -> None:
    gateway.fault(step, "reboot", seconds=0.2)
    with pytest.raises(LOST):
        connect(gateway)
    until(lambda: gateway.state().down_s == 0)
    assert connect(gateway).connected


@pytest.mark.parametrize("step", STEPS)
def test_an_operation_whose_reply_is_framed_wrongly_is_done(gateway: Device, connect: Connect, step: Step) -> None:
    session = connect(gateway, timeout=1)
    operation = arrive_at(step, session)
    gateway.fault(step, "framing")
    with pytest.raises((*LOST, TimeoutExpiredError)):
        operation(session)
    last = gateway.log()[-1]
    assert (last.operation, last.outcome, last.performed) == (step, "framing", True)


def test_what_wrong_framing_looks_like(gateway: Device) -> None:
    async def conversation(wire: Wire) -> tuple[bytes, bytes]:
        greeting = await wire.until(END_OF_MESSAGE)
        wire.send(hello("1.0"))
        wire.send(rpc("<get-config><source><running/></source></get-config>") + END_OF_MESSAGE)
        return greeting, await wire.until(b"\n##\n")

    gateway.fault("get-config", "framing")
    greeting, answer = talk(gateway, conversation)
    assert greeting.startswith(b"<hello")
    assert answer.startswith(b"\n#")


def test_a_banner_that_is_none(gateway: Device, connect: Connect) -> None:
    gateway.fault("connect", "framing")
    with socket.create_connection((gateway.host, gateway.port)) as link:
        link.settimeout(10)
        assert b"no ssh" in link.recv(100)
    gateway.fault("connect", "framing")
    with pytest.raises(LOST):
        connect(gateway)


def test_a_hello_in_chunks(gateway: Device) -> None:
    async def conversation(wire: Wire) -> bytes:
        return await wire.until(b"\n##\n")

    gateway.fault("hello", "framing")
    assert talk(gateway, conversation).startswith(b"\n#")


def test_a_partial_commit(gateway: Device, connect: Connect) -> None:
    before = gateway.running()
    session = connect(gateway)
    session.edit_config(block(), target="candidate")
    gateway.fault("commit", "partial")
    assert refused(session.commit).tag == "operation-failed"
    assert gateway.running() not in {before, gateway.candidate()}
    last = gateway.log()[-1]
    assert (last.outcome, last.performed) == ("partial", False)
    assert gateway.state().pending is None
    session.commit()
    assert "secloop-in" in gateway.running()


def test_a_partial_edit_of_running(fleet: dict[str, Device], connect: Connect) -> None:
    direct = fleet["direct"]
    direct.reset()
    before = direct.running()
    direct.fault("edit", "partial")
    assert refused(connect(direct).edit_config, block(), target="running").tag == "operation-failed"
    part = direct.running()
    assert part != before
    assert "<interface-id>ge1</interface-id>" not in part


def test_the_timer_ends_early(gateway: Device, connect: Connect) -> None:
    before = gateway.running()
    session = connect(gateway)
    arrive_at(Step.COMMIT, session)
    gateway.fault("commit", "clock-jump", seconds=90)
    assert DO[Step.COMMIT](session).ok
    assert gateway.running() == before
    assert [line.detail for line in gateway.log() if line.operation == "rollback"] == ["timeout"]


def test_the_timer_ends_late(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    arrive_at(Step.COMMIT, session)
    gateway.fault("commit", "clock-jump", seconds=-40)
    DO[Step.COMMIT](session)
    pending = gateway.state().pending
    assert pending is not None
    assert 90 < pending.left_s <= 100
    gateway.jump_clock(200)
    assert gateway.state().pending is None


@pytest.mark.parametrize("step", STEPS)
def test_a_warning_is_no_error(gateway: Device, connect: Connect, step: Step) -> None:
    session = connect(gateway)
    session.raise_mode = 1  # RaiseMode.ERRORS: by default ncclient takes a warning beside data for an error
    operation = arrive_at(step, session)
    gateway.fault(step, "warning")
    reply = operation(session)
    assert reply.xml.count("<error-severity>warning</error-severity>") == 1
    assert (gateway.log()[-1].outcome, gateway.log()[-1].performed) == ("warning", True)


@pytest.mark.parametrize("step", STEPS)
def test_access_denied_on_demand(gateway: Device, connect: Connect, step: Step) -> None:
    session = connect(gateway)
    operation = arrive_at(step, session)
    gateway.fault(step, "access-denied")
    assert refused(operation, session).tag == "access-denied"


def test_access_denied_by_rule(gateway: Device, connect: Connect) -> None:
    gateway.deny("/acl:acls/acl:acl")
    error = refused(connect(gateway).edit_config, block(), target="candidate")
    assert (error.tag, error.path) == ("access-denied", "/acl:acls/acl:acl")
    gateway.deny()
    connect(gateway).edit_config(config(acls(acl("mine"))), target="candidate")
    with pytest.raises(LabError, match="no path to deny"):
        gateway.deny("/nobody:acls")


def test_a_late_operation_meets_the_rollback(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    session.edit_config(block(), target="candidate")
    session.commit(confirmed=True, timeout="1", persist="token")
    gateway.fault("confirm", "delay", seconds=1.4)
    started = time.monotonic()
    assert refused(DO[Step.CONFIRM], session).tag == "invalid-value"
    assert time.monotonic() - started > 1.2


def test_what_is_possible_where() -> None:
    assert FaultKind.PARTIAL in kinds_at(Step.COMMIT)
    assert FaultKind.PARTIAL not in kinds_at(Step.LOCK)
    for step in Step:
        for kind in FaultKind:
            if kind in kinds_at(step):
                Fault(step=step, kind=kind)
            else:
                with pytest.raises(ValidationError, match="means nothing"):
                    Fault(step=step, kind=kind)
    with pytest.raises(ValidationError, match="cannot last"):
        Fault(step=Step.EDIT, kind=FaultKind.DELAY, seconds=-1)
