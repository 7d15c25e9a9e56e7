"""What goes wrong ends the run with an exit status and a sentence that names rule, device and operation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest

from tests.emulator.waiting import until
from tests.respond.conftest import Switch, page

from .desk import Desk, Done, reckless

__all__ = ["page"]


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A desk for each test: they change the inventory."""
    return new_desk()


@pytest.fixture
def before(desk: Desk) -> Iterator[str]:
    """The device's configuration, which no test here may leave changed."""
    running = desk.device.running()
    yield running
    desk.device.clear("faults")
    assert desk.device.running() == running
    assert desk.device.state().pending is None
    assert desk.active() == []


def failed(done: Done) -> str:
    """What was said, on one line, of a run that failed as it should."""
    assert done.rc != 0
    assert done.failed == 1
    assert "Traceback" not in done.said
    return " ".join(done.said.split())


def test_a_refusal_of_the_guard_names_the_rule(desk: Desk, before: str) -> None:
    desk.protect("203.0.113.66")
    said = failed(desk.play("respond.yml", alert_file=desk.alerts, environ=reckless()))
    assert "[protected-set]" in said
    assert "203.0.113.66" in said
    assert desk.altering() == []


def test_a_device_that_refuses_is_named_with_operation_and_error_tag(desk: Desk, before: str) -> None:
    plan = desk.plan()
    desk.device.fault("validate", "error", error_tag="invalid-value")
    said = failed(desk.play("apply.yml", plan_dir=plan))
    assert said.count("gw1: validate [invalid-value]: ") >= 1


def test_a_service_that_breaks_undoes_the_change_and_is_named(desk: Desk, before: str, page: int) -> None:
    desk.serve_locally(page)
    plan = desk.plan()
    desk.device.fault("commit", "delay", seconds=0.5)  # long enough for the break to fall after the first checks

    def break_when_pending() -> None:
        until(lambda: desk.device.state().pending is not None, seconds=60)
        Switch.status = HTTPStatus.SERVICE_UNAVAILABLE

    breaker = threading.Thread(target=break_when_pending)
    breaker.start()
    said = failed(desk.play("apply.yml", plan_dir=plan))
    breaker.join()
    assert "undone" in said
    assert "local1/page" in said
    assert "HTTP 503" in said


def test_an_alert_file_that_is_not_there_is_named_with_its_folder(desk: Desk, before: str) -> None:
    said = failed(desk.play("respond.yml", alert_file=desk.root / "nowhere.json"))
    assert f"{desk.root}/nowhere.json: No such file" in said
    assert desk.altering() == []
