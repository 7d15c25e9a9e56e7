"""Recovery takes up what a dead controller left, and nothing of a living one."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from secloop_ai.contracts import PendingCommit, Safeguard
from secloop_ai.loop.owner import is_worked_on, me

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SAY = "from secloop_ai.loop.owner import me; print(me(), flush=True); input()"


def pending(owner: str, *, state: str = "pending") -> PendingCommit:
    return PendingCommit(
        transaction_id="t1",
        plan_id="p1",
        incident_id="0123456789",
        persist_id="x",
        devices=("gw1",),
        mitigation_ids=(),
        purpose="respond",
        started_at=NOW,
        timeout_s=60.0,
        state=state,
        safeguard=Safeguard(owner=owner),
    )


def test_what_this_process_began_is_its_own_to_take_up() -> None:
    assert not is_worked_on(pending(me()), now=NOW)


def test_what_has_no_owner_is_anybodys() -> None:
    assert not is_worked_on(pending(""), now=NOW)


def test_a_living_controller_is_left_alone_until_it_dies() -> None:
    command = [sys.executable, "-c", SAY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        owner = child.stdout.readline().strip()
        assert is_worked_on(pending(owner), now=NOW)
        assert is_worked_on(pending(owner), now=NOW + timedelta(days=1))
        assert not is_worked_on(pending(owner, state="in_doubt"), now=NOW)
        child.kill()
    assert not is_worked_on(pending(owner), now=NOW)


def test_a_number_that_another_process_has_now_is_not_the_owner() -> None:
    host, number, _ = me().split("/")
    assert not is_worked_on(pending(f"{host}/{number}/1"), now=NOW)


@pytest.mark.parametrize(("after_s", "worked_on"), [(10.0, True), (119.0, True), (121.0, False)])
def test_a_controller_on_another_machine_counts_as_dead_after_the_timeout(after_s: float, worked_on: object) -> None:
    assert is_worked_on(pending("elsewhere/77/1"), now=NOW + timedelta(seconds=after_s)) is worked_on
