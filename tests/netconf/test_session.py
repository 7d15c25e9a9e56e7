"""A session with a real server over SSH."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from ncclient.transport import session as ncclient_session

from labs.emulator import Device as Emulated
from secloop_ai.contracts import CapabilityError, ConnectError, RpcFailure
from secloop_ai.netconf import Session, open_session
from secloop_ai.netconf.pace import Pace
from secloop_ai.netconf.transport import Events, PromptSession

from .parts import ACLS_FILTER, BASE, acls, contract, until

PERSIST = "secloop-test"


@pytest.fixture
def session(gateway: Emulated) -> Iterator[Session]:
    opened = open_session(contract(gateway), pace=Pace(0.0))
    yield opened
    opened.close()


def test_a_change_goes_from_lock_to_confirm(gateway: Emulated, session: Session) -> None:
    session.lock()
    session.discard()
    session.edit("candidate", acls("ours"))
    session.validate()
    assert "ours" not in gateway.running()
    session.commit_confirmed(30.2, PERSIST)
    assert "ours" in session.get_config("running", ACLS_FILTER)
    pending = gateway.state().pending
    assert pending is not None
    assert pending.persist == PERSIST
    session.confirm(PERSIST)
    session.unlock()
    assert gateway.state().pending is None
    assert "ours" in gateway.running()
    (commit,) = gateway.served("commit")
    assert "confirm-timeout=31" in commit.detail


def test_cancel_brings_the_base_back_even_from_another_session(gateway: Emulated, session: Session) -> None:
    base = gateway.running()
    session.edit("candidate", acls("ours"))
    session.commit_confirmed(30, PERSIST)
    session.close()
    other = open_session(contract(gateway))
    other.cancel(PERSIST)
    other.close()
    assert gateway.running() == base


def test_get_config_is_the_data_element_of_what_was_asked_for(session: Session) -> None:
    data = session.get_config("running", ACLS_FILTER)
    assert data.startswith("<data ")
    assert data.endswith("</data>")
    assert "edge-in" in data
    assert "ethernetCsmacd" not in data


def test_every_operation_is_timed_and_a_second_one_is_added(gateway: Emulated) -> None:
    timings = {"lock": 1000.0}
    session = open_session(contract(gateway), timings_ms=timings)
    session.lock()
    session.unlock()
    session.close()
    assert set(timings) == {"connect", "auth", "hello", "lock", "unlock", "close"}
    assert timings["lock"] > 1000.0
    assert min(timings.values()) > 0


def test_a_missing_capability_is_named(session: Session) -> None:
    session.require("candidate:1.0", "validate")
    with pytest.raises(CapabilityError, match=r"gw1: hello: .*:xpath:1\.0, :url:1\.0"):
        session.require("candidate:1.0", "xpath:1.0", "url:1.0")


def test_an_rpc_error_carries_operation_tag_and_message(gateway: Emulated, session: Session) -> None:
    holder = open_session(contract(gateway))
    holder.lock()
    with pytest.raises(RpcFailure) as caught:
        session.lock()
    holder.close()
    assert (caught.value.device, caught.value.operation, caught.value.error_tag) == ("gw1", "lock", "lock-denied")
    assert "holds the lock" in caught.value.reason
    session.discard()  # the session is as good as before


def test_a_wrong_edit_changes_nothing(gateway: Emulated, session: Session) -> None:
    with pytest.raises(RpcFailure, match=r"gw1: edit \[unknown-element\]"):
        session.edit("candidate", acls("fine").replace("</acls>", "<x/></acls>"))
    assert "fine" not in gateway.candidate()


def _change(session: Session) -> None:
    session.lock()
    session.discard()
    session.get_config("running")
    session.edit("candidate", acls("ours"))
    session.validate()
    session.commit_confirmed(30, PERSIST)


@pytest.mark.parametrize("kind", ["drop", "drop-after", "truncate"])
@pytest.mark.parametrize("step", ["lock", "discard", "get-config", "edit", "validate", "commit"])
def test_a_session_lost_in_an_operation_says_which(gateway: Emulated, session: Session, step: str, kind: str) -> None:
    gateway.fault(step, kind)
    with pytest.raises(ConnectError) as caught:
        _change(session)
    assert (caught.value.device, caught.value.operation, caught.value.error_tag) == ("gw1", step, "")
    assert caught.value.reason == "the device closed the connection"
    assert not session.alive
    with pytest.raises(ConnectError, match="gw1: unlock: the session is closed"):
        session.unlock()


@pytest.mark.parametrize(
    ("step", "kind", "operation"),
    [
        ("connect", "drop", "connect"),
        ("connect", "truncate", "connect"),
        ("auth", "drop", "auth"),
        ("auth", "error", "auth"),
        ("auth", "drop-after", "hello"),
        ("hello", "drop", "hello"),
        ("hello", "drop-after", "hello"),
        ("hello", "truncate", "hello"),
    ],
)
def test_a_device_that_cannot_be_reached_says_how_far_it_came(
    gateway: Emulated, step: str, kind: str, operation: str
) -> None:
    gateway.fault(step, kind)
    with pytest.raises(ConnectError) as caught:
        open_session(contract(gateway, timeout_s=5.0))
    if (step, kind) != ("auth", "drop-after"):  # the drop may be noticed on either side of the border
        assert caught.value.operation == operation
    assert caught.value.reason


@pytest.mark.parametrize("step", ["connect", "auth", "hello"])
def test_a_device_that_keeps_silent_is_given_up_on(gateway: Emulated, step: str) -> None:
    gateway.fault(step, "delay", seconds=30.0)
    with pytest.raises(ConnectError) as caught:
        open_session(contract(gateway, timeout_s=0.5))
    assert caught.value.operation == step


def test_an_operation_that_takes_too_long_ends_the_session(gateway: Emulated) -> None:
    session = open_session(contract(gateway, timeout_s=0.5))
    gateway.fault("validate", "delay", seconds=30.0)
    with pytest.raises(ConnectError, match=r"gw1: validate: no answer within 0\.5 s"):
        session.validate()
    assert not session.alive


def test_nobody_there(gateway: Emulated) -> None:
    with pytest.raises(ConnectError, match="gw1: connect: Connection refused"):
        open_session(contract(gateway, port=1))


def test_a_queued_message_does_not_wait_for_the_tick(gateway: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ncclient_session, "TICK", 3600.0)
    session = open_session(contract(gateway, timeout_s=10.0))
    for _ in range(20):
        session.lock()
        session.unlock()
    session.close()


def test_an_idle_session_sleeps(gateway: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
    woken = []
    relevant = PromptSession._relevant

    def counted(self: PromptSession, events: Events) -> Events:
        woken.append(events)
        return relevant(self, events)

    monkeypatch.setattr(PromptSession, "_relevant", counted)
    session = open_session(contract(gateway))
    session.lock()
    count = len(woken)
    time.sleep(0.5)
    assert len(woken) == count
    session.close()


def test_a_session_that_broke_while_idle_is_noticed(gateway: Emulated, session: Session) -> None:
    gateway.reset()  # closes every session
    until(lambda: not session.alive)
    with pytest.raises(ConnectError, match="gw1: lock: "):
        session.lock()


def test_a_large_configuration_comes_through(gateway: Emulated, session: Session) -> None:
    names = [f"acl-{n:05d}-{'x' * 40}" for n in range(8000)]
    gateway.foreign_edit(f'<config xmlns="{BASE}">{acls(*names)}</config>')
    data = session.get_config("running", ACLS_FILTER)
    assert len(data) > 800_000
    assert names[-1] in data
    gateway.reset()


def test_the_pace_holds_over_a_pending_commit(gateway: Emulated) -> None:
    session = open_session(contract(gateway), pace=Pace(0.4))
    session.edit("candidate", acls("ours"))
    session.commit_confirmed(30, PERSIST)
    for _ in range(3):
        session.get_config("running")
    session.cancel(PERSIST)
    session.discard()
    session.close()
    times = [s.time_s for s in gateway.log() if s.operation == "get-config"]
    assert [later - earlier >= 0.39 for earlier, later in pairwise(times)] == [True, True]


def test_neither_password_nor_payload_is_logged(gateway: Emulated, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    session = open_session(contract(gateway))
    session.edit("candidate", acls("a-secret-name"))
    session.close()
    assert "a-secret-name" not in caplog.text
    assert not logging.getLogger("ncclient.transport.session").isEnabledFor(logging.INFO)
