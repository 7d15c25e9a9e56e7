"""The transaction against netconfd, which keeps less than it announces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from labs.lab import Lab
from secloop_ai.contracts import ConnectError, Connection, Device, DeviceModel, Outcome
from secloop_ai.netconf import Session, Work, open_session
from tests.lab.support import eventually, lab_name, needs_lab

from .change import IETF, OPS, SETTINGS, TAG, Check, Journal, blocked, recover, transact, unblocked
from .watches import Watch, probe

pytestmark = [*needs_lab, pytest.mark.slow]
PATIENT = SETTINGS.model_copy(update={"pending_rpc_interval_s": 1.0})


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="sl-") as folder:  # short: a UNIX socket's path has little room
        with Lab(lab_name("n"), Path(folder) / "run") as made:
            yield made


@pytest.fixture
def base(lab: Lab) -> bytes:
    """What the device held before the test."""
    return lab.snapshot()


def device(lab: Lab) -> Device:
    status = lab.status()
    where = Connection(
        address=str(status.address),
        port=status.port,
        user=status.user,
        key_file=str(status.key_file),
        known_hosts=str(status.known_hosts),
    )
    return Device(name="gw", dialect="ietf", connection=where)


def work(lab: Lab, *, check: Check = blocked, away: bool = False) -> Work:
    session = open_session(device(lab))
    data = session.get_config("running", IETF.read_filter())
    session.close()
    edit = (IETF.remove if away else IETF.apply)(data, OPS).edit
    assert edit
    return Work(
        device=device(lab),
        password=None,
        dialect=IETF,
        edit=edit,
        base_digests=IETF.digests(data, OPS),
        operations=OPS,
        check=unblocked if away else check,
    )


def red(_: DeviceModel) -> tuple[str, ...]:
    return ("red",)


def test_a_change_and_its_removal_leave_the_device_byte_for_byte(lab: Lab, base: bytes) -> None:
    assert transact([work(lab)], settings=PATIENT).outcome is Outcome.CONFIRMED
    assert TAG.encode() in lab.snapshot()
    assert transact([work(lab, away=True)], settings=PATIENT, purpose="expire").outcome is Outcome.CONFIRMED
    assert lab.snapshot() == base


def test_a_red_verification_is_taken_back(lab: Lab, base: bytes) -> None:
    report = transact([work(lab, check=red)], settings=PATIENT)
    assert report.outcome is Outcome.UNDONE
    assert report.reasons == ("gw: verify: red",)
    assert lab.snapshot() == base


def test_recovery_takes_back_what_a_dead_controller_left(lab: Lab, base: bytes) -> None:
    journal = abandoned(lab, timeout_s=600.0)
    assert TAG.encode() in lab.snapshot()
    assert recover(journal, [work_held(lab)]).outcome is Outcome.UNDONE
    assert lab.snapshot() == base


def test_the_device_rolls_back_by_itself_and_recovery_sees_it(lab: Lab, base: bytes) -> None:
    journal = abandoned(lab, timeout_s=5.0)
    rules = ["nft", "list", "table", "inet", "secloop"]
    assert eventually(lambda: "203.0.113.7" not in lab.exec("gw", rules).stdout, within_s=30.0)
    assert lab.snapshot() == base
    assert recover(journal, [work_held(lab)]).outcome is Outcome.UNDONE


@pytest.mark.parametrize("heard", [True, False])
def test_a_session_lost_at_the_confirmation_is_replaced(
    lab: Lab, base: bytes, monkeypatch: pytest.MonkeyPatch, *, heard: bool
) -> None:
    lose_first_confirm(monkeypatch, heard=heard)
    journal = Journal()
    report = transact([work(lab)], journal, settings=PATIENT)
    assert report.outcome is Outcome.CONFIRMED
    assert recover(journal, [work_held(lab)]).outcome is Outcome.CONFIRMED
    transact([work(lab, away=True)], settings=PATIENT, purpose="rollback")
    assert lab.snapshot() == base


def work_held(lab: Lab) -> Work:
    return Work(
        device=device(lab), password=None, dialect=IETF, edit="", base_digests={}, operations=OPS, check=blocked
    )


class Abandoned(Exception):  # noqa: N818 - a death, not an error
    """The controller is gone."""


def abandoned(lab: Lab, *, timeout_s: float) -> Journal:
    """A controller that died while its commit was pending; what its journal had."""
    journal = Journal()

    def die(**_: Any) -> None:
        raise Abandoned

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Session, "cancel", die_silently)
        watch = Watch(during=(probe("during"),))
        watch.on_wait = die
        with pytest.raises(Abandoned):
            transact([work(lab)], journal, watch=watch, timeout_s=timeout_s)
    return journal
