"""The transaction against netconfd, which keeps less than it announces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from labs.lab import Lab
from secloop_ai.contracts import ConnectError, Connection, Device, Outcome
from secloop_ai.netconf import Session, settle_pending
from tests.lab.support import eventually, lab_name, needs_lab

from .change import SETTINGS, SOURCE, TAG, Journal, held_on, recover, removal_on, transact, work_on
from .crash_child import die_while_pending

pytestmark = [*needs_lab, pytest.mark.slow]
PATIENT = SETTINGS.model_copy(update={"pending_rpc_interval_s": 1.0})


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with TemporaryDirectory(prefix="sl-") as folder, Lab(lab_name("n"), Path(folder) / "run") as made:
        yield made


@pytest.fixture
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


@pytest.fixture
def base(lab: Lab) -> bytes:
    """What the device held before the test."""
    return lab.snapshot()


def enforced(lab: Lab) -> bool:
    """Whether the kernel drops the source."""
    return SOURCE in lab.exec("gw", ["nft", "list", "table", "inet", "secloop"]).stdout


def test_a_change_and_its_removal_leave_the_device_byte_for_byte(lab: Lab, device: Device, base: bytes) -> None:
    assert transact([work_on(device)], settings=PATIENT).outcome is Outcome.CONFIRMED
    assert TAG.encode() in lab.snapshot()
    assert enforced(lab)
    assert transact([removal_on(device)], settings=PATIENT, purpose="expire").outcome is Outcome.CONFIRMED
    assert lab.snapshot() == base
    assert not enforced(lab)


def test_a_red_verification_is_taken_back(lab: Lab, device: Device, base: bytes) -> None:
    report = transact([work_on(device, check=lambda _: ("red",))], settings=PATIENT)
    assert report.outcome is Outcome.UNDONE
    assert report.reasons == ("gw: verify: red",)
    assert lab.snapshot() == base
    assert not enforced(lab)


def test_recovery_takes_back_what_a_dead_controller_left(lab: Lab, device: Device, base: bytes) -> None:
    journal = die_while_pending([device], timeout_s=600.0)
    assert enforced(lab)
    assert settle_pending(journal, [held_on(device)], settings=PATIENT).outcome is Outcome.UNDONE
    assert lab.snapshot() == base
    assert not enforced(lab)


def test_the_device_rolls_back_by_itself_and_recovery_sees_it(lab: Lab, device: Device, base: bytes) -> None:
    journal = die_while_pending([device], timeout_s=5.0)
    assert enforced(lab)
    assert eventually(lambda: not enforced(lab), within_s=30.0)
    assert lab.snapshot() == base
    assert settle_pending(journal, [held_on(device)], settings=PATIENT).outcome is Outcome.UNDONE


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "unheard"])
def test_a_session_lost_at_the_confirmation_is_replaced(
    lab: Lab, device: Device, base: bytes, monkeypatch: pytest.MonkeyPatch, heard: object
) -> None:
    confirm = Session.confirm
    lost: list[Session] = []

    def fragile(session: Session, persist_id: str) -> None:
        if lost:
            confirm(session, persist_id)
            return
        lost.append(session)
        if heard:
            confirm(session, persist_id)
            session._pace.begin()  # the answer never came
        session._drop()
        raise ConnectError("the device closed the connection", device="gw", operation="confirm")

    monkeypatch.setattr(Session, "confirm", fragile)
    journal = Journal()
    assert transact([work_on(device)], journal, settings=PATIENT).outcome is Outcome.CONFIRMED
    assert recover(journal, [held_on(device)]).outcome is Outcome.CONFIRMED
    assert transact([removal_on(device)], settings=PATIENT, purpose="rollback").outcome is Outcome.CONFIRMED
    assert lab.snapshot() == base
