"""The network-wide transaction over two devices that do as they are told."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace

import pytest

from labs.emulator import Device as Emulated
from labs.emulator import DeviceSpec, EmulatedFleet
from secloop_ai.contracts import DeviceModel, DeviceState, LedgerError, Outcome, PlanError
from secloop_ai.netconf import Session, open_session, transaction

from .change import SETTINGS, Journal, holds, removal, transact, work
from .parts import BASE, acls, contract
from .watches import Watch, probe, quiet

FOREIGN_ACE = "<aces><ace><name>new</name><actions><forwarding>accept</forwarding></actions></ace></aces>"
Pair = tuple[Emulated, Emulated]


def steps(device: Emulated) -> list[str]:
    """What a device was asked for."""
    return [s.operation for s in device.log() if s.operation not in {"connect", "auth", "hello", "close-session"}]


def test_a_change_reaches_all_devices_and_stays(pair: Pair) -> None:
    works = [work(d) for d in pair]
    for device in pair:
        device.clear("log")
    journal = Journal()
    report = transact(works, journal)
    assert report.outcome is Outcome.CONFIRMED
    assert [d.state for d in report.devices] == [DeviceState.CONFIRMED] * 2
    assert report.reasons == report.warnings == ()
    assert all(holds(d) for d in pair)
    assert quiet(*pair)
    prepared = ["lock", "discard", "get-config", "edit", "validate", "get-config"]
    expected = [*prepared, "commit", "get-config", "confirm", "unlock"]
    assert [steps(d) for d in pair] == [expected, expected]
    assert journal.settled == [report]


def test_the_report_times_every_step(pair: Pair) -> None:
    report = transact([work(d) for d in pair])
    for device in report.devices:
        assert {"connect", "hello", "lock", "edit", "validate", "commit", "get-config", "confirm"} <= set(
            device.timings_ms
        )
    assert {"connect", "base", "commit", "verify", "confirm", "release"} <= set(report.timings_ms)
    assert report.netconf_ms > 0


def test_the_same_removed_again_leaves_the_base_byte_for_byte(pair: Pair) -> None:
    base = [d.running() for d in pair]
    transact([work(d) for d in pair])
    report = transact([removal(d) for d in pair], purpose="expire")
    assert report.outcome is Outcome.CONFIRMED
    assert [d.running() for d in pair] == base


def test_the_journal_knows_the_persist_id_before_any_device_does(pair: Pair) -> None:
    seen: list[int] = []
    journal = Journal(on_begin=lambda: seen.append(sum(len(d.served("commit")) for d in pair)))
    transact([work(d) for d in pair], journal)
    (begun,) = journal.begun
    assert seen == [0]
    assert begun.persist_id.startswith("secloop-")
    assert len(begun.persist_id) >= 40
    assert all(f"persist={begun.persist_id}" in d.served("commit")[0].detail for d in pair)
    assert all(f"persist-id={begun.persist_id}" in d.served("confirm")[0].detail for d in pair)


def test_nothing_to_do_is_unchanged_and_nobody_is_told() -> None:
    journal = Journal()
    assert transact([], journal).outcome is Outcome.UNCHANGED
    assert not journal.begun
    assert not journal.settled


def test_a_ledger_that_fails_keeps_the_devices_as_they_were(pair: Pair) -> None:
    def fail() -> None:
        raise LedgerError("disk full")

    with pytest.raises(LedgerError, match="disk full"):
        transact([work(d) for d in pair], Journal(on_begin=fail))
    assert not any(holds(d) for d in pair)
    assert quiet(*pair)
    assert all(not d.served("commit") for d in pair)


def test_two_shares_for_one_device_are_a_mistake(gateway: Emulated) -> None:
    with pytest.raises(PlanError, match="not several for gw1"):
        transact([work(gateway), work(gateway)])


def test_a_base_that_moved_stops_everything_and_names_the_subtree(pair: Pair) -> None:
    works = [work(d) for d in pair]
    pair[1].foreign_edit(
        f'<config xmlns="{BASE}">{acls("edge-in").replace("</type>", "</type>" + FOREIGN_ACE)}</config>'
    )
    report = transact(works)
    assert report.outcome is Outcome.UNDONE
    assert (report.devices[1].operation, report.devices[1].error_tag) == ("base", "")
    assert "the device has changed since the plan was made: " in report.devices[1].message
    assert "edge-in" in report.devices[1].message or "ge0" in report.devices[1].message
    assert not any(holds(d) for d in pair)
    assert all(not d.served("edit") for d in pair)
    assert quiet(*pair)


def test_a_lock_held_by_another_session_stops_everything(pair: Pair) -> None:
    works = [work(d) for d in pair]
    other = open_session(contract(pair[1]))
    other.lock()
    report = transact(works)
    other.close()
    assert report.outcome is Outcome.UNDONE
    told = {d.device: (d.operation, d.error_tag) for d in report.devices}
    assert told == {"gw1": ("", ""), "gw2": ("lock", "lock-denied")}
    assert any("gw2: lock [lock-denied]" in r for r in report.reasons)
    assert all(not d.served("edit") for d in pair)
    assert quiet(*pair)


def test_an_operators_unfinished_edit_is_left_alone(gateway: Emulated) -> None:
    share = work(gateway)
    operator = open_session(contract(gateway))
    operator.edit("candidate", acls("half-done"))
    report = transact([share])
    assert report.devices[0].error_tag == "lock-denied"
    assert "half-done" in gateway.candidate()
    operator.close()


def test_running_is_locked_only_where_the_inventory_says_so(gateway: Emulated) -> None:
    share = work(gateway)
    device = share.device.model_copy(update={"lock_running": True})
    gateway.clear("log")
    report = transact([replace(share, device=device)])
    assert report.outcome is Outcome.CONFIRMED
    assert [s.detail for s in gateway.served("lock")] == ["candidate", "running"]
    assert quiet(gateway)


def test_a_device_that_nobody_would_put_back_is_refused() -> None:
    lacking = DeviceSpec(name="weak", capabilities=(":base:1.1", ":candidate"))
    with EmulatedFleet([DeviceSpec(name="gw1"), lacking]) as devices:
        report = transact([work(d) for d in devices])
        assert report.outcome is Outcome.UNDONE
        assert report.devices[1].operation == "hello"
        assert "no confirmed commit, and nothing here would undo the change" in report.devices[1].message
        assert all(not d.served("lock") for d in devices)


def test_a_device_that_lets_nothing_be_changed_is_refused(pair: Pair) -> None:
    with EmulatedFleet([DeviceSpec(name="readonly", capabilities=(":base:1.1",))]) as (device,):
        report = transact([work(pair[0]), work(device)])
    assert report.outcome is Outcome.UNDONE
    assert "neither :candidate nor :writable-running" in report.devices[1].message
    assert not pair[0].served("lock")


def test_an_effect_that_is_not_there_is_undone(pair: Pair) -> None:
    base = [d.running() for d in pair]
    works = [work(pair[0]), work(pair[1], check=lambda _: ("port ge0 is not down",))]
    report = transact(works)
    assert report.outcome is Outcome.UNDONE
    assert report.reasons == ("gw2: verify: port ge0 is not down",)
    assert [d.running() for d in pair] == base
    assert all(d.served("cancel") for d in pair)
    assert quiet(*pair)


def test_a_defect_in_a_check_leaves_nothing_behind(pair: Pair) -> None:
    def broken(model: DeviceModel) -> tuple[str, ...]:
        raise ZeroDivisionError

    base = [d.running() for d in pair]
    with pytest.raises(ZeroDivisionError):
        transact([work(pair[0]), work(pair[1], check=broken)])
    assert [d.running() for d in pair] == base
    assert quiet(*pair)


def test_services_that_go_on_let_the_change_stand(gateway: Emulated) -> None:
    watch = Watch(before=(probe("before"),), during=(probe("during"),))
    report = transact([work(gateway)], watch=watch)
    assert report.outcome is Outcome.CONFIRMED
    assert [p.phase for p in report.probes] == ["before", "during"]
    assert watch.calls == ["commit_sent", f"wait {SETTINGS.verify_rounds}"]  # its owner starts and stops it


def test_a_service_that_has_not_been_tried_yet_is_waited_for(gateway: Emulated) -> None:
    watch = Watch(before=(probe("before", tries=0),), during=(probe("during"),))
    transact([work(gateway)], watch=watch)
    assert watch.calls[:2] == ["wait 1", "commit_sent"]


def test_a_service_that_suffers_undoes_the_change(pair: Pair) -> None:
    base = [d.running() for d in pair]
    watch = Watch(before=(probe("before"),), during=(probe("during", failures=1),))
    report = transact([work(d) for d in pair], watch=watch)
    assert report.outcome is Outcome.UNDONE
    assert report.reasons == ("service web1/web (192.0.2.10 tcp/80) for client1: 1 of 3 tries failed",)
    assert [d.running() for d in pair] == base
    assert quiet(*pair)


def test_a_service_that_was_down_before_is_a_warning(gateway: Emulated) -> None:
    watch = Watch(before=(probe("before", failures=3),), during=(probe("during", failures=3),))
    report = transact([work(gateway)], watch=watch)
    assert report.outcome is Outcome.CONFIRMED
    assert report.warnings[0].endswith("as it was before the change")


def test_a_service_that_answers_too_seldom_undoes_the_change(gateway: Emulated) -> None:
    watch = Watch(before=(probe("before"),), during=(probe("during", tries=1),))
    report = transact([work(gateway)], watch=watch)
    assert report.outcome is Outcome.UNDONE
    assert "1 of 2 tries came back in time" in report.reasons[0]


def test_a_verification_as_long_as_the_timeout_is_not_confirmed(
    gateway: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "TIMEOUT_MARGIN_S", 60.0)
    report = transact([work(gateway)], timeout_s=59.0)
    assert report.outcome is Outcome.UNDONE
    assert report.reasons == ("gw1: verifying took until the commit's timeout of 59 s was all but over",)
    assert not holds(gateway)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_verifying_takes_the_change_back(pair: Pair, number: signal.Signals) -> None:
    base = [d.running() for d in pair]
    inherited = signal.signal(number, signal.default_int_handler)  # a background job may have been told to ignore it
    before = signal.getsignal(number)
    watch = Watch(during=(probe("during"),), on_wait=lambda: os.kill(os.getpid(), number))
    report = transact([work(d) for d in pair], watch=watch)
    assert report.outcome is Outcome.UNDONE
    assert report.reasons == (f"interrupted by {number.name}",)
    assert [d.running() for d in pair] == base
    assert quiet(*pair)
    assert signal.getsignal(number) is before
    signal.signal(number, inherited)


def test_a_signal_after_the_verification_is_not_lost(gateway: Emulated, monkeypatch: pytest.MonkeyPatch) -> None:
    def confirm(session: Session, persist_id: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        confirmed(session, persist_id)

    confirmed = Session.confirm
    monkeypatch.setattr(Session, "confirm", confirm)
    report = transact([work(gateway)])
    assert report.outcome is Outcome.CONFIRMED
    assert report.warnings == ("interrupted by SIGTERM, too late: the change was being confirmed",)


def test_a_signal_that_is_ignored_stays_ignored(gateway: Emulated) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        watch = Watch(during=(probe("during"),), on_wait=lambda: os.kill(os.getpid(), signal.SIGHUP))
        report = transact([work(gateway)], watch=watch)
    finally:
        signal.signal(signal.SIGHUP, before)
    assert report.outcome is Outcome.CONFIRMED


def test_an_exit_in_the_middle_takes_the_change_back(pair: Pair) -> None:
    def leave() -> None:
        raise KeyboardInterrupt

    base = [d.running() for d in pair]
    with pytest.raises(KeyboardInterrupt):
        transact([work(d) for d in pair], watch=Watch(on_wait=leave))
    assert [d.running() for d in pair] == base
    assert quiet(*pair)


def test_a_thread_other_than_the_main_one_may_run_it(gateway: Emulated) -> None:
    outcomes: list[Outcome] = []
    share = work(gateway)
    thread = threading.Thread(target=lambda: outcomes.append(transact([share]).outcome))
    thread.start()
    thread.join()
    assert outcomes == [Outcome.CONFIRMED]


def test_a_failed_device_is_not_skipped_in_the_next_run(gateway: Emulated) -> None:
    gateway.fault("edit", "error")
    assert transact([work(gateway)]).outcome is Outcome.UNDONE
    assert transact([work(gateway)]).outcome is Outcome.CONFIRMED
