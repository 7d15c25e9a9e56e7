from __future__ import annotations

from typing import Any

import pytest

from labs.emulator import Device

from .conftest import Connect, hang_up
from .documents import acl, acls, block, config
from .test_operations import dispatch, refused
from .waiting import until


def commit(inside: str) -> str:
    return f"<commit xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'>{inside}</commit>"


def pending(session: Any, gateway: Device, *, name: str = "secloop-in", **options: Any) -> str:
    """Edit and commit with confirmation to come; running as it was before."""
    before = gateway.running()
    session.edit_config(block(name), target="candidate")
    session.commit(confirmed=True, **{"timeout": "60", **options})
    assert name in gateway.running()
    assert gateway.state().pending is not None
    return before


def rollbacks(gateway: Device) -> list[str]:
    return [line.detail for line in gateway.log() if line.operation == "rollback"]


def test_confirmed_by_its_own_session(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    pending(session, gateway)
    session.commit()
    session.close_session()
    assert "secloop-in" in gateway.running()
    assert [line.operation for line in gateway.served("commit", "confirm")] == ["commit", "confirm"]
    assert rollbacks(gateway) == []


def test_the_timer_rolls_back(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    before = pending(session, gateway, timeout="1")
    until(lambda: gateway.state().pending is None)
    assert gateway.running() == before
    assert gateway.candidate() == before
    assert rollbacks(gateway) == ["timeout"]


def test_the_default_timeout_is_ten_minutes(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    session.edit_config(block(), target="candidate")
    dispatch(session, commit("<confirmed/>"))
    state = gateway.state()
    assert state.pending is not None
    assert 500 < state.pending.left_s <= 600


def test_the_end_of_the_session_rolls_back(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    before = pending(session, gateway)
    hang_up(session)
    until(lambda: gateway.state().pending is None)
    assert gateway.running() == before
    assert rollbacks(gateway) == ["session-end"]


def test_kill_session_rolls_back(gateway: Device, connect: Connect) -> None:
    session, other = connect(gateway), connect(gateway)
    before = pending(session, gateway)
    other.kill_session(session.session_id)
    assert gateway.running() == before


def test_with_persist_it_outlives_its_session(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    pending(session, gateway, persist="token")
    hang_up(session)
    until(lambda: gateway.state().sessions == ())
    assert gateway.state().pending is not None
    connect(gateway).commit(persist_id="token")
    assert gateway.state().pending is None
    assert "secloop-in" in gateway.running()


def test_a_wrong_or_missing_token_confirms_nothing(gateway: Device, connect: Connect) -> None:
    session, other = connect(gateway), connect(gateway)
    pending(session, gateway, persist="token")
    for wrong in (
        lambda: session.commit(persist_id="guess"),
        session.commit,
        other.commit,
        lambda: other.cancel_commit("guess"),
        session.cancel_commit,
    ):
        assert refused(wrong).tag == "invalid-value"
    assert gateway.state().pending is not None


def test_another_session_cannot_commit_into_it(gateway: Device, connect: Connect) -> None:
    session, other = connect(gateway), connect(gateway)
    pending(session, gateway)
    other.edit_config(config(acls(acl("theirs"))), target="candidate")
    assert refused(other.commit).tag == "in-use"
    assert refused(other.cancel_commit).tag == "in-use"
    assert refused(other.commit, persist_id="token").tag == "invalid-value"
    assert "theirs" not in gateway.running()


@pytest.mark.parametrize("token", [None, "token"])
def test_cancel(gateway: Device, connect: Connect, token: str | None) -> None:
    session = connect(gateway)
    before = pending(session, gateway, **({"persist": token} if token else {}))
    session.cancel_commit(token)
    assert gateway.running() == before
    assert gateway.state().pending is None
    assert rollbacks(gateway) == ["cancel"]


def test_a_follow_up_extends_the_timer_and_keeps_the_base(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    before = pending(session, gateway, timeout="60", persist="token")
    session.edit_config(config(acls(acl("second"))), target="candidate")
    session.commit(confirmed=True, timeout="300", persist_id="token")
    state = gateway.state()
    assert state.pending is not None
    assert state.pending.left_s > 200
    assert state.pending.persist == "token"
    assert "second" in gateway.running()
    session.cancel_commit("token")
    assert gateway.running() == before


def test_nothing_pending(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    assert refused(session.cancel_commit).tag == "operation-failed"
    assert refused(session.cancel_commit, "token").tag == "invalid-value"
    assert refused(session.commit, persist_id="token").tag == "invalid-value"


@pytest.mark.parametrize(
    ("inside", "tag"),
    [
        ("<confirmed/><confirm-timeout>0</confirm-timeout>", "invalid-value"),
        ("<confirmed/><confirm-timeout>soon</confirm-timeout>", "invalid-value"),
        ("<confirm-timeout>5</confirm-timeout>", "missing-element"),
        ("<persist>t</persist>", "missing-element"),
        ("<hurry/>", "unknown-element"),
    ],
)
def test_parameters_that_make_no_sense(gateway: Device, connect: Connect, inside: str, tag: str) -> None:
    assert refused(dispatch, connect(gateway), commit(inside)).tag == tag
    assert gateway.state().pending is None


def test_confirmed_commit_1_0_knows_no_persist(fleet: dict[str, Device], connect: Connect) -> None:
    old = fleet["old"]
    old.reset()
    session = connect(old)
    before = pending(session, old)
    for operation in (
        commit("<confirmed/><persist>t</persist>"),
        "<cancel-commit xmlns='urn:ietf:params:xml:ns:netconf:base:1.0'/>",
    ):
        assert refused(dispatch, session, operation).tag in {"unknown-element", "operation-not-supported"}
    session.close_session()
    assert old.running() == before


def test_what_others_committed_before_stays_after_a_rollback(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    gateway.foreign_edit(config(acls(acl("theirs"))))
    before = pending(session, gateway)
    session.cancel_commit()
    assert gateway.running() == before
    assert "theirs" in before


def test_an_invalid_candidate_leaves_the_pending_commit_alone(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    pending(session, gateway)
    gone = config(acls("<acl nc:operation='delete'><name>secloop-in</name></acl>"))
    session.edit_config(gone, target="candidate")
    assert refused(session.commit).tag == "data-missing"
    assert gateway.state().pending is not None
    assert "secloop-in" in gateway.running()
