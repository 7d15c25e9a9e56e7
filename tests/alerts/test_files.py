"""Files: gzip or plain, special, damaged, endless."""

from __future__ import annotations

import gzip
import json
import os
import random
import threading
import tracemalloc
import zlib
from pathlib import Path

import pytest

from secloop_ai.alerts import Tally, read_alerts, summarise
from secloop_ai.alerts.lines import MAX_LINE_BYTES
from secloop_ai.contracts import AlertFileError
from tests.alerts.events import event, rule, write

MB = 1024 * 1024


def lines(count: int) -> bytes:
    events = (event(number / 10, src_port=1024 + number) for number in range(count))
    return b"".join(json.dumps(one).encode() + b"\n" for one in events)


@pytest.mark.parametrize("name", ["eve.json", "eve.json.gz", "eve"])
def test_gzip_is_told_by_its_first_bytes(tmp_path: Path, name: str) -> None:
    plain, packed = tmp_path / "plain", tmp_path / name
    plain.write_bytes(lines(200))
    packed.write_bytes(gzip.compress(lines(100)) + gzip.compress(lines(200)[len(lines(100)) :]))
    summaries, report = summarise(packed)
    expected, plainly = summarise(plain)
    assert summaries == expected
    assert report == plainly.model_copy(update={"path": str(packed)})
    assert report.alerts == 200


def unfinished(data: bytes) -> bytes:
    """Gzip data as a sensor leaves it that was killed: all bytes are there, the end is not."""
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


@pytest.mark.parametrize(
    ("damage", "count"),
    [("cut", 51), ("cut within a line", 51), ("flipped", 52), ("garbage after it", 51)],
)
def test_damaged_gzip_keeps_what_came_before(tmp_path: Path, damage: str, count: int) -> None:
    noise = random.Random(1).randbytes(MB).hex().encode()
    good, tail = lines(50), b'{"event_type":"flow","x":"' + noise + b'"}\n'
    packed = gzip.compress(good + tail, compresslevel=1)
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0xFF
    spoilt = {
        "cut": packed[:-1000],
        "cut within a line": unfinished(good + b'{"event'),
        "flipped": bytes(flipped),
        "garbage after it": gzip.compress(good) + b"garbage",
    }
    tally = Tally()
    alerts = list(read_alerts(write(tmp_path / "eve.gz", spoilt[damage]), tally))
    assert len(alerts) == 50
    assert tally.bad == 1
    assert "gzip data is damaged" in tally.bad_lines[0][1]
    assert tally.lines == count  # a flipped bit shows at the checksum, behind the last line


@pytest.mark.parametrize("data", [b"\x1f\x8b", b"\x1f\x8bgarbage", gzip.compress(b"x" * 999, mtime=0)[:15]])
def test_gzip_that_cannot_be_read_at_all_is_an_error(tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path / "eve.json", data)
    with pytest.raises(AlertFileError, match=r"eve\.json: the gzip data is damaged from its start"):
        summarise(path)


def test_an_empty_gzip_file_is_empty(tmp_path: Path) -> None:
    summaries, report = summarise(write(tmp_path / "eve.gz", gzip.compress(b"")))
    assert (summaries, report.lines) == ((), 0)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.json", r"missing\.json: No such file or directory"),
        (".", "is a directory, not an alert file"),
        ("/dev/zero", "/dev/zero: neither a file nor a pipe"),
        ("/proc/self/mem", r"/proc/self/mem: Input/output error"),
        ("a\0b", "not a path"),
        ("x" * 300, "File name too long"),
    ],
)
def test_what_cannot_be_opened_or_read_is_named(tmp_path: Path, path: str, message: str) -> None:
    for read in (summarise, lambda where: list(read_alerts(where))):
        with pytest.raises(AlertFileError, match=message):
            read(tmp_path / path)


def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "eve.json")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read everything
    try:
        with pytest.raises(AlertFileError, match=r"eve\.json: Permission denied"):
            summarise(path)
    finally:
        os.seteuid(user)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(lines(30)),))
    writer.start()
    _, report = summarise(pipe)
    writer.join()
    assert report.alerts == 30


def test_lines_up_to_the_limit_are_read_and_longer_ones_refused(tmp_path: Path) -> None:
    def sized(length: int) -> bytes:
        return b'{"event_type":"flow","x":"' + b"x" * (length - 29) + b'"}\n'

    path = write(tmp_path / "eve.json", sized(MAX_LINE_BYTES), sized(MAX_LINE_BYTES + 2), sized(9 * MB), lines(1))
    _, report = summarise(path)
    assert (report.skipped, report.alerts, report.bad) == ({"flow": 1}, 1, 2)
    assert report.bad_lines == ((2, "longer than 4194304 bytes"), (3, "longer than 4194304 bytes"))


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_without_an_end_of_line_is_not_held_in_memory(tmp_path: Path, packed: bool) -> None:
    path = tmp_path / "eve.json"
    with gzip.open(path, "wb", compresslevel=1) if packed else path.open("wb") as out:
        for _ in range(64):
            out.write(b"x" * MB)
    tracemalloc.start()
    _, report = summarise(path)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (report.lines, report.bad_lines) == (1, ((1, "longer than 4194304 bytes"),))
    assert peak_bytes < 16 * MB


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    def peak_bytes(count: int) -> int:
        path = write(tmp_path / "eve.json", *(flood(number) for number in range(count)))
        tracemalloc.start()
        _, report = summarise(path, max_open=64, max_summaries=64)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert report.alerts == count
        return peak

    def flood(number: int) -> dict[str, object]:
        source = f"198.{number // 65536}.{number // 256 % 256}.{number % 256}"
        signature = rule(number, signature=f"signature {number} " + "é" * 600)
        return event(number / 100, src_ip=source, flow_id=number, alert=signature)

    summarise(write(tmp_path / "eve.json", flood(0)))
    assert peak_bytes(12_000) < 1.5 * peak_bytes(4_000) + MB
