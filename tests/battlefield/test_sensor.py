"""The eye for ARP, and the packets that ask whether the sensor sees: without a network."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from labs.battlefield.arpwatch import CHANGED, SWEEP, SWEEP_MOST, UNASKED, UNASKED_MOST, Log, Watcher, ask, parse
from labs.battlefield.pulse import lost_share, name_question
from secloop_ai.alerts import summarise
from secloop_ai.contracts import Protocol

GATEWAY, VICTIM, THIEF = "10.1.1.1", "10.1.1.20", "10.1.1.66"
STATIONS = {GATEWAY: "02:00:00:00:00:01", VICTIM: "02:00:00:00:00:20", THIEF: "02:00:00:00:00:66"}


def packed(address: str) -> bytes:
    return bytes(map(int, address.split(".")))


def says(who: str, address: str, target: str, *, operation: int = 2) -> bytes:
    """A frame of that station, in which the address is said to be its own."""
    station = bytes.fromhex(STATIONS[who].replace(":", ""))
    head = bytes(6) + station + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, operation)
    return head + station + packed(address) + bytes(6) + packed(target)


def asks(who: str, target: str) -> bytes:
    return says(who, who, target, operation=1)


@pytest.fixture
def watcher() -> Watcher:
    """Of a segment whose gateway is known, and whose hosts have spoken."""
    made = Watcher({GATEWAY: STATIONS[GATEWAY]})
    for host in (VICTIM, THIEF):
        assert list(made.see(asks(host, GATEWAY), 0.0)) == []
    return made


def sids(watcher: Watcher, *frames: bytes, at_s: float = 1.0, step_s: float = 0.1) -> list[int]:
    events = [e for n, frame in enumerate(frames) for e in watcher.see(frame, at_s + n * step_s)]
    return [e["alert"]["signature_id"] for e in events]


def test_who_poses_as_the_gateway_is_named_by_his_own_address(watcher: Watcher, tmp_path: Path) -> None:
    (event,) = watcher.see(says(THIEF, GATEWAY, VICTIM), 1.0)
    log = Log(tmp_path / "eve.json")
    log.write(event)
    (found,), report = summarise(tmp_path / "eve.json")
    assert report.bad == 0
    assert (found.signature_id, str(found.source), str(found.destination)) == (CHANGED, THIEF, VICTIM)
    assert (found.protocol, found.app_protocol, found.destination_port) == (Protocol.OTHER, "arp", None)
    assert (found.classification, found.techniques, found.handshake) == ("misc-attack", ("T1557.002",), False)


def test_one_host_that_takes_anothers_address_is_seen_too(watcher: Watcher) -> None:
    assert sids(watcher, says(THIEF, VICTIM, GATEWAY)) == [CHANGED]


def test_the_same_lie_is_told_once_a_second(watcher: Watcher) -> None:
    lies = [says(THIEF, GATEWAY, VICTIM)] * 25
    assert sids(watcher, *lies).count(CHANGED) == 3


def test_answers_that_nobody_asked_for(watcher: Watcher) -> None:
    unasked = [says(THIEF, THIEF, VICTIM)] * (UNASKED_MOST + 1)
    assert sids(watcher, *unasked[:-1]) == []
    assert sids(watcher, unasked[-1], at_s=2.0) == [UNASKED]
    assert sids(watcher, *unasked[:-1], at_s=60.0) == []


def test_a_segment_that_is_asked_through(watcher: Watcher) -> None:
    swept = [asks(THIEF, f"10.1.1.{n}") for n in range(100, 100 + SWEEP_MOST)]
    assert sids(watcher, *swept[:-1]) == []
    assert sids(watcher, *swept[-1:], asks(THIEF, "10.1.1.99"), at_s=3.0) == [SWEEP]


def test_what_hosts_usually_say_is_nothing(watcher: Watcher) -> None:
    usual = [
        asks(VICTIM, THIEF), says(THIEF, THIEF, VICTIM),
        says(VICTIM, VICTIM, VICTIM), says(VICTIM, VICTIM, VICTIM, operation=1),
        *[says(THIEF, THIEF, GATEWAY)] * 9,  # a gateway's own questions are not seen by its sensor
        says(THIEF, "0.0.0.0", VICTIM, operation=1),
    ]  # fmt: skip
    assert sids(watcher, *usual) == []


@pytest.mark.parametrize("cut", [0, 13, 20, 41])
def test_a_frame_cut_off_or_of_another_kind_is_nothing(cut: int) -> None:
    frame = says(THIEF, GATEWAY, VICTIM)
    assert parse(frame) is not None
    assert parse(frame[:cut]) is None
    assert parse(frame[:12] + b"\x08\x00" + frame[14:]) is None
    assert parse(ask(b"sixsix")) is None


def test_the_controllers_word_comes_back_and_is_no_alert(watcher: Watcher, tmp_path: Path) -> None:
    (event,) = watcher.see(ask(b"\x01\x02\x03\x04\x05\x06"), 1.0)
    assert event == {"event_type": "heartbeat", "word": "010203040506"}
    Log(tmp_path / "eve.json").write(event)
    assert summarise(tmp_path / "eve.json")[1].skipped == {"heartbeat": 1}


def test_a_full_disk_ends_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(Path("/dev/full"))
    for _ in range(3):
        log.write({"event_type": "alert"})
    assert log.lost == 3
    assert capsys.readouterr().err.count("log full") == 1


def test_the_pulse_is_a_whole_packet() -> None:
    frame = name_question("0123456789ab")
    head, length = frame[14:34], struct.unpack("!H", frame[16:18])[0]
    assert length == len(frame) - 14
    assert sum(struct.unpack("!10H", head)) % 0xFFFF == 0
    assert b"\x0c0123456789ab\x05pulse\x07invalid\x00" in frame


def test_what_the_capture_lost_is_read_from_the_last_whole_statistics(tmp_path: Path) -> None:
    path = tmp_path / "stats.json"
    assert lost_share(path) == 0.0
    rows = [{"stats": {"capture": {"kernel_packets": n, "kernel_drops": d}}} for n, d in ((10, 0), (100, 25))]
    text = "".join(json.dumps({"event_type": "stats", **row}) + "\n" for row in rows)
    path.write_text(text + '{"event_type": "stats", "sta')
    assert lost_share(path) == 0.25
