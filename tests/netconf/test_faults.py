"""Two devices, one of which fails in every way at every step: never some with the change and some without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from labs.emulator import Device as Emulated
from secloop_ai.contracts import CommitReport, DeviceState, Outcome
from secloop_ai.netconf import Session, open_session, settle_pending, undo

from .change import SETTINGS, Journal, held, holds, pending, recover, removal, transact, work
from .parts import acls, contract, until
from .watches import Watch, probe, quiet

Pair = tuple[Emulated, Emulated]
SETTLED = {Outcome.CONFIRMED: True, Outcome.UNDONE: False}
BEFORE_RPC = [("connect", "drop"), ("auth", "drop"), ("auth", "error"), ("hello", "drop"), ("hello", "drop-after")]
PREPARING = ["lock", "discard", "get-config", "edit", "validate"]
KINDS = ["drop", "drop-after", "truncate", "error"]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on a device that stays away, soon."""
    monkeypatch.setattr(undo, "PAUSES_S", (0.0, 0.05, 0.1))


def agree(pair: Pair, report: CommitReport) -> None:
    """All devices hold what the report says, and nothing of ours is left on them."""
    until(lambda: all(not d.state().sessions for d in pair))
    assert quiet(*pair)
    assert [holds(d) for d in pair] == [SETTLED[report.outcome]] * 2


@pytest.mark.parametrize(("step", "kind"), [*BEFORE_RPC, *((s, k) for s in PREPARING for k in KINDS)])
def test_a_device_that_fails_before_the_commit_keeps_all_from_committing(pair: Pair, step: str, kind: str) -> None:
    works = [work(d) for d in pair]
    pair[0].clear("log")
    pair[1].clear("log")
    pair[0].fault(step, kind)
    journal = Journal()
    report = transact(works, journal)
    assert report.outcome is Outcome.UNDONE
    failed, healthy = report.devices
    assert (failed.operation, healthy.operation) == (step, "")
    assert failed.error_tag == ("operation-failed" if kind == "error" and step != "auth" else "")
    assert failed.message
    assert str(failed.device) in report.reasons[0]
    assert [d.served("commit") for d in pair] == [[], []]
    assert journal.begun == []
    assert journal.settled == [report]
    agree(pair, report)


def test_the_second_comparison_stops_a_change_too(pair: Pair) -> None:
    works = [work(d) for d in pair]
    pair[0].fault("validate", "delay", seconds=0.0)
    pair[0].fault("get-config", "delay", seconds=0.0)
    pair[0].fault("get-config", "drop")
    report = transact(works)
    assert report.devices[0].operation == "get-config"
    assert pair[0].served("validate")
    agree(pair, report)


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_fails_to_commit_has_all_taken_back(pair: Pair, kind: str) -> None:
    works = [work(d) for d in pair]
    pair[0].fault("commit", kind)
    report = transact(works)
    assert report.outcome is Outcome.UNDONE
    assert report.devices[0].operation == "commit"
    assert pair[1].served("cancel")
    agree(pair, report)


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_cannot_be_read_back_has_all_taken_back(pair: Pair, kind: str) -> None:
    works = [work(d) for d in pair]
    for _ in range(2):
        pair[0].fault("get-config", "delay", seconds=0.0)
    pair[0].fault("get-config", kind)
    report = transact(works)
    assert report.outcome is Outcome.UNDONE
    assert report.devices[0].operation == "get-config"
    assert pair[0].served("commit")
    agree(pair, report)


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_fails_to_confirm_is_asked_again(pair: Pair, kind: str) -> None:
    works = [work(d) for d in pair]
    pair[0].fault("confirm", kind)
    report = transact(works)
    assert report.outcome is Outcome.CONFIRMED
    assert [d.state for d in report.devices] == [DeviceState.CONFIRMED] * 2
    assert report.warnings[0].startswith("gw1: confirm")
    assert report.warnings[0].endswith("a further try settled it")
    agree(pair, report)


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_that_fails_to_cancel_is_asked_again(pair: Pair, kind: str) -> None:
    works = [work(pair[0]), work(pair[1], check=lambda _: ("red",))]
    pair[0].fault("cancel", kind)
    report = transact(works)
    assert report.outcome is Outcome.UNDONE
    agree(pair, report)


@pytest.mark.parametrize("kind", ["drop", "drop-after", "error"])
def test_a_device_that_fails_to_unlock_is_a_note(pair: Pair, kind: str) -> None:
    works = [work(d) for d in pair]
    pair[0].fault("unlock", kind)
    report = transact(works)
    assert report.outcome is Outcome.CONFIRMED
    assert report.warnings[0].startswith("gw1: unlock")
    agree(pair, report)


@pytest.mark.usefixtures("impatient")
def test_where_nobody_confirms_everything_is_taken_back(pair: Pair) -> None:
    works = [work(d) for d in pair]
    for device in pair:
        device.fault("confirm", "error", times=None)
    report = transact(works)
    assert report.outcome is Outcome.UNDONE
    assert [d.operation for d in report.devices] == ["confirm", "confirm"]
    agree(pair, report)


@pytest.mark.usefixtures("impatient")
def test_a_device_lost_after_its_peer_confirmed_is_in_doubt_and_recovery_settles_it(pair: Pair) -> None:
    works = [work(d) for d in pair]
    journal = Journal()
    pair[0].fault("confirm", "drop", times=None)
    report = transact(works, journal, timeout_s=5.0)
    assert report.outcome is Outcome.IN_DOUBT
    assert [d.state for d in report.devices] == [DeviceState.IN_DOUBT, DeviceState.CONFIRMED]
    assert "rolls back by itself at 20" in report.devices[0].message
    assert "UTC" in report.devices[0].message
    until(lambda: pair[0].state().pending is None)  # the device has rolled back by itself
    assert [holds(d) for d in pair] == [False, True]
    pair[0].clear("faults")
    settled = recover(journal, works)
    assert settled.outcome is Outcome.UNDONE
    assert settled.transaction_id == report.transaction_id
    assert "our entries were removed, since other devices had rolled back" in settled.warnings[0]
    agree(pair, settled)


@pytest.mark.usefixtures("impatient")
def test_a_device_that_got_the_confirmation_unheard_is_found_confirmed(pair: Pair) -> None:
    works = [work(d) for d in pair]
    watch = Watch(during=(probe("during"),), on_wait=lambda: pair[0].fault("connect", "drop", times=None))
    pair[0].fault("confirm", "drop-after")
    journal = Journal()
    report = transact(works, journal, watch=watch)
    assert report.outcome is Outcome.IN_DOUBT
    assert report.devices[0].operation == "connect"
    pair[0].clear("faults")
    settled = recover(journal, works)
    assert settled.outcome is Outcome.CONFIRMED
    agree(pair, settled)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["drop", "drop-after"])
def test_a_device_lost_for_good_at_the_commit_is_in_doubt_and_its_peer_is_undone(pair: Pair, kind: str) -> None:
    works = [work(d) for d in pair]
    journal = Journal(on_begin=lambda: pair[0].fault("connect", "drop", times=None))
    pair[0].fault("commit", kind)
    report = transact(works, journal, timeout_s=5.0)
    assert report.outcome is Outcome.IN_DOUBT
    assert [d.state for d in report.devices] == [DeviceState.IN_DOUBT, DeviceState.UNDONE]
    assert report.reasons[0].startswith("gw1: commit: the device closed the connection")
    assert not holds(pair[1])
    pair[0].clear("faults")
    settled = recover(journal, works)
    assert settled.outcome is Outcome.UNDONE
    agree(pair, settled)


@pytest.mark.usefixtures("impatient")
def test_a_removal_that_ended_apart_is_completed(pair: Pair) -> None:
    transact([work(d) for d in pair])
    works = [removal(d) for d in pair]
    journal = Journal()
    pair[0].fault("confirm", "drop", times=None)
    report = transact(works, journal, timeout_s=5.0, purpose="expire")
    assert report.outcome is Outcome.IN_DOUBT
    until(lambda: pair[0].state().pending is None)
    assert [holds(d) for d in pair] == [True, False]
    pair[0].clear("faults")
    settled = recover(journal, works)
    assert settled.outcome is Outcome.CONFIRMED
    assert quiet(*pair)
    assert not any(holds(d) for d in pair)


@pytest.mark.usefixtures("impatient")
def test_a_device_that_cannot_be_taken_back_is_in_doubt_until_it_rolls_back(pair: Pair) -> None:
    works = [work(pair[0]), work(pair[1], check=lambda _: ("red",))]
    journal = Journal()
    pair[0].fault("cancel", "drop", times=None)
    report = transact(works, journal, timeout_s=5.0)
    assert report.outcome is Outcome.IN_DOUBT
    assert [d.state for d in report.devices] == [DeviceState.IN_DOUBT, DeviceState.UNDONE]
    assert report.devices[0].operation == "cancel"
    until(lambda: pair[0].state().pending is None)
    pair[0].clear("faults")
    settled = recover(journal, [work(d) for d in pair])
    assert settled.outcome is Outcome.UNDONE
    agree(pair, settled)


@pytest.mark.usefixtures("impatient")
def test_a_cancel_answered_with_ok_is_not_believed(gateway: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers say ok while the roll back fails on a lock; here the session says it for the device."""
    share = work(gateway, check=lambda _: ("red",))
    monkeypatch.setattr(Session, "cancel", lambda *_: None)
    report = transact([share])
    assert report.outcome is Outcome.IN_DOUBT
    assert "cancel was answered with ok, but the change is still in running" in report.devices[0].message
    assert holds(gateway)


def test_recovery_of_a_commit_that_never_reached_a_device(pair: Pair) -> None:
    works = [work(d) for d in pair]
    report = settle_pending(pending("gw1", "gw2"), works, settings=SETTINGS)
    assert report.outcome is Outcome.UNDONE
    agree(pair, report)


def test_recovery_leaves_a_device_that_is_down_in_doubt(pair: Pair) -> None:
    works = [work(pair[0]), work(pair[1], timeout_s=5.0)]
    pair[1].fault("connect", "drop")
    report = settle_pending(pending("gw1", "gw2"), works, settings=SETTINGS)
    assert report.outcome is Outcome.IN_DOUBT
    assert [d.state for d in report.devices] == [DeviceState.UNDONE, DeviceState.IN_DOUBT]
    assert report.devices[1].operation == "connect"


def test_recovery_names_a_device_that_left_the_inventory(gateway: Emulated) -> None:
    report = settle_pending(pending("gw1", "gone"), [work(gateway)], settings=SETTINGS)
    assert report.outcome is Outcome.IN_DOUBT
    assert report.reasons == ("gone: it is not in the inventory any more, so nobody can ask it",)


@pytest.fixture
def confirmed(pair: Pair) -> Journal:
    """A commit that was confirmed everywhere, and whose controller died before it could say so."""
    journal = Journal()
    assert transact([work(d) for d in pair], journal).outcome is Outcome.CONFIRMED
    return journal


def test_recovery_finds_a_commit_that_was_confirmed(pair: Pair, confirmed: Journal) -> None:
    report = recover(confirmed, [held(d) for d in pair])
    assert report.outcome is Outcome.CONFIRMED
    agree(pair, report)


def test_recovery_waits_while_somebody_elses_commit_is_pending(pair: Pair, confirmed: Journal) -> None:
    other = open_session(contract(pair[0]))
    other.edit("candidate", acls("theirs"))
    other.commit_confirmed(60, "theirs")
    works = [held(d) for d in pair]
    report = recover(confirmed, works)
    assert report.outcome is Outcome.IN_DOUBT
    assert report.devices[0].error_tag == "invalid-value"
    late = datetime.now(UTC) + timedelta(hours=1)
    assert settle_pending(confirmed.begun[0], works, settings=SETTINGS, clock=lambda: late).outcome is Outcome.CONFIRMED
    other.close()
