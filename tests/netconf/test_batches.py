"""Devices that are left out, and devices that go first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.emulator import Device as Emulated
from labs.emulator import EmulatedFleet, gateways
from secloop_ai.contracts import DeviceModel, DeviceState, Outcome, SettingsError
from secloop_ai.netconf.batches import batches, sizes
from secloop_ai.settings import Settings

from .change import SETTINGS, Journal, holds, removal, transact, work
from .parts import until
from .watches import quiet

FOUR = 4


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Emulated, ...]]:
    with EmulatedFleet(gateways(FOUR)) as devices:
        yield devices


@pytest.fixture
def four(started: tuple[Emulated, ...]) -> tuple[Emulated, ...]:
    for device in started:
        device.reset()
    return started


@pytest.mark.parametrize(
    ("serial", "count", "expected"),
    [
        ((), 5, (5,)),
        (("1", "10%", "100%"), 200, (1, 20, 179)),
        (("2",), 5, (2, 2, 1)),
        (("10%",), 3, (1, 1, 1)),
        (("9",), 3, (3,)),
    ],
)
def test_batches_are_counted_as_ansible_counts_them(
    serial: tuple[str, ...], count: int, expected: tuple[int, ...]
) -> None:
    assert sizes(serial, count) == expected


@given(st.lists(st.sampled_from(["1", "3", "10%", "50%", "100%"]), max_size=4), st.integers(1, 300))
def test_every_device_is_in_one_batch_in_order(serial: list[str], count: int) -> None:
    items = list(range(count))
    assert [i for batch in batches(items, serial) for i in batch] == items
    assert all(batches(items, serial))


@pytest.mark.parametrize("wrong", ["0", "ten", "110%", "0%", "-1", "1.5"])
def test_a_batch_that_is_no_number_is_named(wrong: str) -> None:
    with pytest.raises(SettingsError, match=f"SECLOOP_SERIAL: .*'{wrong}' is neither a number"):
        Settings.load({"SECLOOP_SERIAL": f"1,{wrong}"})


def test_settings_take_batches_by_commas() -> None:
    assert Settings.load({"SECLOOP_SERIAL": "1, 10%,100%"}).serial == ("1", "10%", "100%")


def test_a_batch_is_verified_before_the_next_commits_and_all_are_confirmed_at_the_end(
    four: tuple[Emulated, ...],
) -> None:
    settings = SETTINGS.model_copy(update={"serial": ("1", "2", "100%")})
    report = transact([work(d) for d in four], settings=settings)
    assert report.outcome is Outcome.CONFIRMED
    committed = [d.served("commit")[0].time_s for d in four]
    read_back = [
        next(s.time_s for s in d.served("get-config") if s.time_s > since)
        for d, since in zip(four, committed, strict=True)
    ]
    confirmed = [d.served("confirm")[0].time_s for d in four]
    assert read_back[0] < min(committed[1:])
    assert max(read_back[1:3]) < committed[3]
    assert max(read_back) < min(confirmed)
    until(lambda: quiet(*four))


def test_a_canary_that_fails_keeps_the_others_from_committing(four: tuple[Emulated, ...]) -> None:
    def red(model: DeviceModel) -> tuple[str, ...]:
        del model
        return ("the canary is dead",)

    works = [work(four[0], check=red), *(work(d) for d in four[1:])]
    report = transact(works, settings=SETTINGS.model_copy(update={"serial": ("1", "100%")}))
    assert report.outcome is Outcome.UNDONE
    assert report.reasons == ("gw1: verify: the canary is dead",)
    assert [len(d.served("commit")) for d in four] == [1, 0, 0, 0]
    assert not any(holds(d) for d in four)
    until(lambda: quiet(*four))


def test_a_later_batch_that_fails_undoes_the_earlier_ones(four: tuple[Emulated, ...]) -> None:
    works = [work(d) for d in four]
    four[3].fault("commit", "error")
    report = transact(works, settings=SETTINGS.model_copy(update={"serial": ("1",)}))
    assert report.outcome is Outcome.UNDONE
    assert report.devices[3].operation == "commit"
    assert not any(holds(d) for d in four)
    until(lambda: quiet(*four))


@pytest.mark.parametrize("step", ["connect", "lock", "edit", "validate"])
def test_a_device_that_fails_early_is_left_out_and_named(four: tuple[Emulated, ...], step: str) -> None:
    works = [work(d) for d in four]
    base = four[1].running()
    four[1].fault(step, "drop")
    journal = Journal()
    report = transact(works, journal, settings=SETTINGS.model_copy(update={"max_failed": 1}))
    assert report.outcome is Outcome.CONFIRMED
    assert report.devices[1].state is DeviceState.LEFT_OUT
    assert report.devices[1].operation == step
    assert report.warnings[0].startswith(f"gw2 is left out, and as it was: gw2: {step}")
    assert journal.begun[0].devices == ("gw1", "gw3", "gw4")
    assert [holds(d) for d in four] == [True, False, True, True]
    assert four[1].running() == base
    until(lambda: quiet(*four))


def test_more_failures_than_allowed_stop_the_change(four: tuple[Emulated, ...]) -> None:
    works = [work(d) for d in four]
    four[1].fault("lock", "error")
    four[2].fault("validate", "error")
    report = transact(works, settings=SETTINGS.model_copy(update={"max_failed": 1}))
    assert report.outcome is Outcome.UNDONE
    assert [d.state for d in report.devices][1] is DeviceState.LEFT_OUT
    assert not any(holds(d) for d in four)
    until(lambda: quiet(*four))


def test_a_device_that_fails_to_commit_is_not_left_out(four: tuple[Emulated, ...]) -> None:
    works = [work(d) for d in four]
    four[1].fault("commit", "error")
    report = transact(works, settings=SETTINGS.model_copy(update={"max_failed": 3}))
    assert report.outcome is Outcome.UNDONE
    assert not any(holds(d) for d in four)


def test_a_change_that_all_devices_are_left_out_of_is_none(four: tuple[Emulated, ...]) -> None:
    works = [work(d) for d in four]
    for device in four:
        device.fault("lock", "error")
    report = transact(works, settings=SETTINGS.model_copy(update={"max_failed": 100}))
    assert report.outcome is Outcome.UNDONE


def test_a_removal_leaves_nobody_out(four: tuple[Emulated, ...]) -> None:
    """The ledger would have it removed, and it would stay on that device for ever."""
    transact([work(d) for d in four])
    works = [removal(d) for d in four]
    four[2].fault("lock", "error")
    report = transact(works, purpose="expire", settings=SETTINGS.model_copy(update={"max_failed": 3}))
    assert report.outcome is Outcome.UNDONE
    assert all(holds(d) for d in four)
