"""A confirmed commit that is not confirmed is out of force again, however it ends."""

from __future__ import annotations

import os
import signal

from labs.lab import Lab

from .support import ATTACKER, WEB, block, change, eventually, needs_lab, unblock

pytestmark = needs_lab


def reaches(lab: Lab) -> bool:
    return lab.can_serve("attacker", WEB, 80, timeout_s=0.4)


def filter_of(lab: Lab) -> str:
    """What the kernel holds: no NETCONF, so the server's timers are not held up."""
    return lab.exec("gw", ["nft", "list", "table", "inet", "secloop"]).stdout


def test_timeout(lab: Lab) -> None:
    before = lab.snapshot()
    with lab.session() as session:
        session.edit(block(ATTACKER))
        session.commit(confirm_timeout_s=2, persist="token")
        assert not reaches(lab)
        assert eventually(lambda: ATTACKER not in filter_of(lab))
    assert reaches(lab)
    assert lab.snapshot() == before


def test_cancel_is_answered_when_the_rule_is_gone(lab: Lab) -> None:
    before = lab.snapshot()
    with lab.session() as session:
        session.edit(block(ATTACKER))
        session.commit(confirm_timeout_s=60, persist="token")
        assert ATTACKER in filter_of(lab)
        session.call("<cancel-commit><persist-id>token</persist-id></cancel-commit>")
        assert ATTACKER not in filter_of(lab)
    assert lab.snapshot() == before


def test_session_that_drops(lab: Lab) -> None:
    with lab.session() as session:
        session.edit(block(ATTACKER))
        session.commit(confirm_timeout_s=60)
        assert ATTACKER in filter_of(lab)
    assert eventually(lambda: ATTACKER not in filter_of(lab))


def test_confirmed_stays(lab: Lab) -> None:
    before = lab.snapshot()
    with lab.session() as session:
        session.edit(block(ATTACKER))
        session.commit(confirm_timeout_s=60, persist="token")
    with lab.session() as session:
        session.call("<commit><persist-id>token</persist-id></commit>")
    assert not reaches(lab)
    change(lab, unblock())
    assert lab.snapshot() == before


def test_rollback_that_the_applier_slept_through(lab: Lab) -> None:
    pid = next(p.pid for p in lab.status().processes if p.name == "applier")
    with lab.session() as session:
        session.edit(block(ATTACKER))
        session.commit(confirm_timeout_s=60, persist="token")
        os.kill(pid, signal.SIGSTOP)
        try:
            session.call("<cancel-commit><persist-id>token</persist-id></cancel-commit>")
        finally:
            os.kill(pid, signal.SIGCONT)
    assert eventually(lambda: ATTACKER not in filter_of(lab))


def test_an_edit_without_commit_changes_nothing(lab: Lab) -> None:
    with lab.session() as session:
        session.edit(block(ATTACKER))
        assert reaches(lab)
        session.call("<discard-changes/>")
