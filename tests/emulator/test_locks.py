from __future__ import annotations

import pytest
from ncclient.operations import RPCError

from labs.emulator import Device

from .conftest import Connect, hang_up
from .documents import block
from .test_operations import refused
from .waiting import until


def holder(error: RPCError) -> str:
    """The session-id in the error-info."""
    return str(error.info).partition("<session-id>")[2].partition("<")[0]


@pytest.mark.parametrize("target", ["candidate", "running"])
def test_a_lock_has_one_holder(gateway: Device, connect: Connect, target: str) -> None:
    first, second = connect(gateway), connect(gateway)
    first.lock(target)
    error = refused(second.lock, target)
    assert (error.tag, holder(error)) == ("lock-denied", first.session_id)
    assert refused(first.lock, target).tag == "lock-denied"
    assert refused(second.unlock, target).tag == "operation-failed"
    first.unlock(target)
    second.lock(target)


def test_others_cannot_change_what_is_locked(gateway: Device, connect: Connect) -> None:
    first, second = connect(gateway), connect(gateway)
    first.lock("candidate")
    for operation in (
        lambda: second.edit_config(block(), target="candidate"),
        second.discard_changes,
        second.commit,
    ):
        assert refused(operation).tag == "in-use"
    first.unlock("candidate")
    first.lock("running")
    second.edit_config(block(), target="candidate")
    assert refused(second.commit).tag == "in-use"


def test_a_candidate_with_changes_cannot_be_locked(gateway: Device, connect: Connect) -> None:
    first, second = connect(gateway), connect(gateway)
    first.edit_config(block(), target="candidate")
    error = refused(second.lock, "candidate")
    assert (error.tag, holder(error)) == ("lock-denied", "0")
    second.discard_changes()
    second.lock("candidate")


def test_uncommitted_changes_go_with_the_lock(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    session.lock("candidate")
    session.edit_config(block(), target="candidate")
    session.unlock("candidate")
    assert not gateway.state().candidate_modified


def test_locks_and_changes_go_with_the_connection(gateway: Device, connect: Connect) -> None:
    session = connect(gateway)
    session.lock("candidate")
    session.lock("running")
    session.edit_config(block(), target="candidate")
    assert set(gateway.state().locks) == {"candidate", "running"}
    hang_up(session)
    until(lambda: gateway.state().locks == {})
    assert not gateway.state().candidate_modified


def test_running_cannot_be_locked_while_another_commit_is_pending(gateway: Device, connect: Connect) -> None:
    first, second = connect(gateway), connect(gateway)
    first.edit_config(block(), target="candidate")
    first.commit(confirmed=True, timeout="60", persist="token")
    error = refused(second.lock, "running")
    assert (error.tag, holder(error)) == ("lock-denied", first.session_id)
    first.close_session()
    error = refused(second.lock, "running")
    assert (error.tag, holder(error)) == ("lock-denied", "0")
    second.cancel_commit("token")
    second.lock("running")
