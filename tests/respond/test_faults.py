"""Whatever breaks, nothing half-applied remains, and the message says what broke where."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest

from labs.emulator import EmulatedDevice
from secloop_ai.contracts import (
    AlertFileError,
    ConnectError,
    DeviceError,
    InventoryError,
    SecLoopError,
    TransactionFailed,
)
from secloop_ai.loop.context import Context
from secloop_ai.loop.recover import recover_all

from .conftest import Switch
from .world import World, eve


def test_an_unknown_dialect_is_named_with_its_device(world: World) -> None:
    world.edit_host("gw1", {"dialect": "vrp"})
    with pytest.raises(InventoryError, match=r"(?s)gw1.*vrp.*ietf"):
        world.respond()


def test_a_device_that_is_down_is_named(tmp_path: Path) -> None:
    with EmulatedDevice() as device:
        world = World(device, tmp_path)
    with pytest.raises(ConnectError, match=r"gw1: connect") as raised:
        world.respond()
    assert raised.value.device == "gw1"


@pytest.mark.parametrize("step", ["auth", "hello", "get-config"])
def test_a_device_that_drops_while_it_is_read_changes_nothing(world: World, step: str) -> None:
    before = world.device.running()
    world.device.fault(step, "drop", times=None)
    with pytest.raises(DeviceError, match="gw1: "):
        world.respond()
    world.device.clear("faults")
    assert world.device.running() == before
    assert world.active() == []


@pytest.mark.parametrize("kind", ["drop", "drop-after", "error"])
@pytest.mark.parametrize("step", ["lock", "discard", "edit", "validate", "commit"])
def test_a_device_that_fails_before_the_confirm_is_put_back(world: World, step: str, kind: str) -> None:
    before = world.device.running()
    plan = world.plan()
    world.device.fault(step, kind)
    with pytest.raises(TransactionFailed, match="gw1") as raised:
        world.apply(plan)
    (device,) = raised.value.report.devices
    assert (device.state, device.operation) == ("undone", step)
    assert world.device.running() == before
    assert world.device.state().pending is None
    assert world.active() == []


@pytest.mark.parametrize("kind", ["drop", "drop-after"])
def test_a_confirm_that_is_cut_off_is_settled(world: World, kind: str) -> None:
    plan = world.plan()
    world.device.fault("confirm", kind)
    assert world.apply(plan).values["outcome"] == "confirmed"
    assert world.device.state().pending is None
    assert len(world.active()) == 1


def test_a_lock_of_another_session_is_reported_with_its_tag(world: World) -> None:
    before = world.device.running()
    plan = world.plan()
    world.device.fault("lock", "lock-denied")
    with pytest.raises(TransactionFailed) as raised:
        world.apply(plan)
    (device,) = raised.value.report.devices
    assert (device.operation, device.error_tag) == ("lock", "lock-denied")
    assert world.device.running() == before


def test_a_service_that_breaks_undoes_the_change(world: World, page: int) -> None:
    world.serve_locally(page)
    before = world.device.running()
    plan = world.plan()
    world.device.fault("commit", "delay", seconds=0.5)  # long enough for the break to fall after the first checks

    def break_when_pending() -> None:
        while world.device.state().pending is None:
            time.sleep(0.01)
        Switch.status = HTTPStatus.SERVICE_UNAVAILABLE

    breaker = threading.Thread(target=break_when_pending)
    breaker.start()
    with pytest.raises(TransactionFailed, match="HTTP 503") as raised:
        world.apply(plan)
    breaker.join()
    assert raised.value.report.outcome == "undone"
    assert world.device.running() == before
    assert world.active() == []


def test_a_service_that_was_broken_before_is_said_but_not_blamed_on_us(world: World, page: int) -> None:
    world.serve_locally(page)
    Switch.status = HTTPStatus.SERVICE_UNAVAILABLE
    result = world.respond()
    assert result.values["outcome"] == "confirmed"
    assert any("local1/page" in w for w in result.warnings)


def test_a_killed_controller_leaves_a_device_that_rolls_back_and_a_ledger_that_recovers(
    world: World, page: int
) -> None:
    world.serve_locally(page)
    before = world.device.running()
    plan = world.plan()
    environ = {**world.environ, "SECLOOP_VERIFY_ROUNDS": "1000", "SECLOOP_VERIFY_TIMEOUT_S": "60"}
    code = (
        "import sys; from secloop_ai.loop.steps import commit_step; "
        "commit_step({'plan_dir': sys.argv[1], 'inventory': [sys.argv[2]], 'confirm_timeout_s': 5.0}, False)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(plan), str(world.inventory)], env=environ) as controller:
        wait_until(lambda: world.device.state().pending is not None)
        assert world.device.running() != before
        controller.send_signal(signal.SIGKILL)
    with world.ledger() as ledger:
        (pending,) = ledger.pending_commits()
    wait_until(lambda: world.device.running() == before)
    (report,) = recover_all(Context(world.params))
    assert (report.transaction_id, report.outcome) == (pending.transaction_id, "undone")
    assert world.active() == []
    assert world.respond().changed


def wait_until(holds: Callable[[], bool], timeout_s: float = 30.0) -> None:
    until = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize("content", ["", "not json\n", '{"event_type":"alert"'])
def test_a_file_without_a_usable_alert_changes_nothing(world: World, content: str) -> None:
    before = world.device.running()
    path = world.root / "bad.json"
    path.write_text(content)
    result = world.respond(path)
    assert not result.changed
    assert world.device.running() == before


def test_a_missing_file_is_named(world: World) -> None:
    with pytest.raises(AlertFileError, match=r"nowhere\.json"):
        world.respond(world.root / "nowhere.json")


@pytest.mark.parametrize("source", ["203.0.113.1", "198.51.100.1", "192.0.2.129"])
def test_a_spoofed_source_that_is_ours_is_never_blocked(world: World, source: str) -> None:
    before = world.device.running()
    with contextlib.suppress(SecLoopError):  # refused, or answered without touching the source
        world.respond(eve(world.root / "spoofed.json", source=source))
    assert f">{source}/32<" not in world.device.running()
    assert world.device.running() == before or "192.0.2.138" in world.device.running()


@pytest.mark.parametrize("source", ["10.1.2.3", "8.8.8.8", "2001:db8:66::66"])
def test_private_public_and_ipv6_sources_are_blocked_where_they_enter(world: World, source: str) -> None:
    before = world.device.running()
    destination = "2001:db8:30::138" if ":" in source else "192.0.2.138"
    world.respond(eve(world.root / "alert.json", source=source, destination=destination))
    assert source in world.device.running()
    world.expire()
    assert world.device.running() == before


EVIL = "{{ lookup('pipe', 'touch pwned') }}\" ' \n <acl/> ]]> \x1b[31mred\x1b[0m $(touch pwned) `touch pwned`"


@pytest.mark.parametrize("signature", [EVIL, EVIL * 10_000], ids=["short", "one megabyte"])
def test_an_evil_signature_reaches_no_device_and_no_story(world: World, signature: str) -> None:
    result = world.respond(eve(world.root / "evil.json", signature=signature))
    assert result.changed
    assert "pwned" not in world.device.running()
    assert "pwned" not in " ".join(result.values["story"])
    assert "\x1b" not in (world.root / "runs").joinpath(plan_of(world)).joinpath("summary.txt").read_text()


def plan_of(world: World) -> str:
    (incident,) = {m.split("-")[0] for m in world.active()}
    return f"{incident}/plan"
