"""A sensor that is stopped, ended, cut off, or whose log is full is dead, and a trial with it is no success."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from labs.battlefield import Battlefield, pulse, sensor
from labs.battlefield.arpwatch import CHANGED
from secloop_ai.alerts import summarise

from .support import eventually, needs_lab, office

pytestmark = needs_lab


@pytest.fixture
def field() -> Iterator[Battlefield]:
    """A clone with nothing but its network and a sensor."""
    with Battlefield.clone(office(), 7, host_services=False) as made:
        made.start_sensor()
        yield made


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pulses that do not come are not waited for so long."""
    monkeypatch.setattr(pulse, "SEEN_S", 0.5)


def stop(field: Battlefield, program: str, number: signal.Signals) -> None:
    os.kill(field.nodes.daemons[program], number)


@pytest.mark.usefixtures("hasty")
def test_a_sensor_that_is_stopped_or_ended_is_dead(field: Battlefield) -> None:
    with field.heart() as heart:
        assert heart.check() == (True, "")
        for program in (sensor.SURICATA, sensor.ARPWATCH):
            stop(field, program, signal.SIGSTOP)
            assert eventually(lambda: not heart.check().alive)
            assert heart.check() == (False, f"{program} is stopped")
            stop(field, program, signal.SIGCONT)
            assert eventually(lambda: heart.check().alive)
        assert field.sensor_alive()
        stop(field, sensor.ARPWATCH, signal.SIGKILL)
        assert eventually(lambda: heart.check() == (False, "arpwatch has ended"))
        stop(field, sensor.SURICATA, signal.SIGKILL)
        assert eventually(lambda: heart.verdict() == (False, "suricata has ended"))
    assert not field.sensor_alive()
    assert field.alerts() == ()


LIE = """
import socket, struct, sys
victim, gateway = map(socket.inet_aton, sys.argv[1:])
try:
    socket.create_connection((sys.argv[2], 9), 1)
except OSError:
    pass
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("eth0", 0))
own = s.getsockname()[4]
s.send(b"\\xff" * 6 + own + struct.pack("!HHHBBH", 0x806, 1, 0x800, 6, 4, 2) + own + gateway + bytes(6) + victim)
"""


def test_a_host_that_poses_as_its_gateway_is_seen(field: Battlefield) -> None:
    zone = next(p for p in field.atlas.ports if len(p.members) > 1)
    thief, victim, *_ = zone.members
    addresses = [str(field.atlas.nodes[name].address.ip) for name in (thief, victim)]  # type: ignore[union-attr]
    gateway = str(zone.interface.addresses[0].ip)
    done = field.exec(thief, ["python3", "-c", LIE, addresses[1], gateway], rights="red", timeout_s=10)
    assert done.returncode == 0, done.stderr
    assert eventually(lambda: bool(field.alerts()))
    (alert,) = field.alerts()
    assert (alert.signature_id, alert.app_protocol) == (CHANGED, "arp")
    assert [str(alert.source), str(alert.destination)] == addresses
    assert field.sensor_alive()


@pytest.mark.usefixtures("hasty")
def test_pulses_lost_in_between_are_told_at_the_end(field: Battlefield, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "EVERY_S", 0.05)
    with field.heart() as heart:
        field.exec("ids", ["ip", "link", "set", "mon0", "down"], rights="admin")
        sent = len(heart._sent)
        assert eventually(lambda: len(heart._sent) > sent + 20)
        field.exec("ids", ["ip", "link", "set", "mon0", "up"], rights="admin")
        assert eventually(lambda: heart.check().alive)
        assert "blind for a while" in heart.verdict().why


@pytest.mark.usefixtures("hasty")
def test_a_full_log_fills_nothing_else_and_what_was_written_counts(field: Battlefield) -> None:
    log = field.eve_path
    assert log.stat().st_dev != field.run_dir.stat().st_dev
    fill = log.with_name("fill")
    about = os.statvfs(log)
    assert about.f_blocks * about.f_frsize <= 64 << 20
    with fill.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, about.f_bavail * about.f_frsize - (16 << 10))
    with field.heart() as heart:

        def full() -> bool:
            heart._pulse(heart._mouths[0])
            return heart.check() == (False, "log full")

        assert eventually(full, 30)
        assert str(heart.verdict()) == "sensor: log full"
        report = summarise(log)[1]
        assert report.bad >= 1
        assert "cut off" in report.bad_lines[-1][1]
        assert report.skipped["dns"] >= 1
        assert field.alerts() == ()
        fill.unlink()
        assert eventually(lambda: heart.check().alive)
    assert (field.run_dir / "log" / "suricata.log").stat().st_size < 64 << 10
