"""Is the sensor alive? Known packets go in by every gateway's mirror port, and must come out as events of its log.

For Suricata the packet is a question for a name that nobody else knows, which it logs as a ``dns`` event; the ARP
watcher has a frame of its own, which it logs as ``heartbeat``. Neither is an alert. What is proven is the whole way:
mirror port, capture, decoding, log. A sensor that was ended, stopped, starved, or whose log is full fails.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import socket
import struct
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from labs.lab.netns import socket_in

from . import sensor
from .arpwatch import ask
from .atlas import Atlas
from .nodes import Nodes

ZONE = "pulse.invalid"
NEAR, FAR = "100.64.0.1", "100.64.0.2"
"""Of the questions: nobody's addresses (RFC 6598), outside of every case."""
WORD_BYTES = 6
SEEN_S = 6.0
"""Seconds that a pulse may take to its line in the log."""
EVERY_S = 1.0
POLL_S = 0.02
ROOM_BYTES = 4096
"""With less room than that the log counts as full."""
STARVED = 0.05
"""Share of packets lost by the capture from which on the sensor is starved."""
LOST_MOST = 0.2
"""Share of pulses lost in between from which on the sensor was blind for a while."""
STATS_BYTES = 1 << 16
_DNS = re.compile(rb'"rrname":"([0-9a-f]{12})\.pulse\.invalid"')
_ARP = re.compile(rb'"heartbeat", "word": "([0-9a-f]{12})"')


class Health(NamedTuple):
    """How the sensor is.

    Attributes:
        why: what is wrong; empty when nothing is.
    """

    alive: bool
    why: str = ""

    def __str__(self) -> str:
        """For a line of output."""
        return f"sensor: {self.why or 'alive'}"


class Heart:
    """Beats once a second while its block lasts, and says at the end whether the sensor saw it all. A context manager.

    Args:
        atlas: the plan.
        nodes: the sensor is among them.
    """

    def __init__(self, atlas: Atlas, nodes: Nodes) -> None:
        self._nodes = nodes
        self._mouths = [_mouth(g.netns) for g in atlas.gateways()]
        self._eve = sensor.logs(nodes) / sensor.EVE
        self._stats = sensor.logs(nodes) / sensor.STATS
        self._at = self._size()
        self._rest = b""
        self._sent: set[bytes] = set()
        self._seen: set[bytes] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._first = Health(alive=True)

    def __enter__(self) -> Self:
        self._first = self.check()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        for mouth in self._mouths:
            mouth.close()

    def _stop(self) -> None:
        self._end.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self) -> None:
        while not self._end.wait(EVERY_S):
            self._sent |= self._pulse(self._mouths[len(self._sent) % len(self._mouths)])

    def _pulse(self, mouth: socket.socket) -> set[bytes]:
        """A question to each of the two programs; the words that must come back."""
        words = (secrets.token_bytes(WORD_BYTES), secrets.token_bytes(WORD_BYTES))
        try:
            mouth.send(name_question(words[0].hex()))
            mouth.send(ask(words[1]))
        except OSError:  # the mirror port is gone or down: nothing will come back
            pass
        return {word.hex().encode() for word in words}

    def check(self) -> Health:
        """Send a pulse in by every gateway and wait until all are in the log, at most `SEEN_S` seconds."""
        if wrong := self._programs():
            return Health(alive=False, why=wrong)
        words = set().union(*(self._pulse(mouth) for mouth in self._mouths))
        if not self._arrive(words):
            return Health(alive=False, why=self._programs() or self._silence())
        share = lost_share(self._stats)
        why = f"starved: {share:.0%} of the packets lost" if share >= STARVED else ""
        return Health(alive=not why, why=why)

    def verdict(self) -> Health:
        """Whether the sensor was alive when the block began, all the time, and still is."""
        self._stop()
        last = self.check()
        missing = len(self._sent - self._seen)
        blind = missing > 1 and missing > LOST_MOST * len(self._sent)
        between = Health(alive=not blind, why=f"blind for a while: {missing} of {len(self._sent)} pulses lost")
        return next((health for health in (self._first, last, between) if not health.alive), last)

    def _programs(self) -> str:
        for name in (sensor.SURICATA, sensor.ARPWATCH):
            state = _state(self._nodes.daemons.get(name))
            if state in "TtZX":
                return f"{name} {'is stopped' if state in 'Tt' else 'has ended'}"
        return ""

    def _silence(self) -> str:
        try:
            room = os.statvfs(self._eve)
        except OSError as error:
            return f"no log: {error.strerror}"
        if room.f_bavail * room.f_frsize < ROOM_BYTES:
            return "log full"
        return f"saw nothing for {SEEN_S:g} s"

    def _arrive(self, words: set[bytes]) -> bool:
        until = time.monotonic() + SEEN_S
        while True:
            self._look()
            if words <= self._seen:
                return True
            if time.monotonic() > until:
                return False
            time.sleep(POLL_S)

    def _size(self) -> int:
        try:
            return self._eve.stat().st_size
        except OSError:
            return 0

    def _look(self) -> None:
        try:
            with self._eve.open("rb") as file:
                file.seek(self._at)
                data = file.read()
        except OSError:
            return
        self._at += len(data)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._seen.update(_DNS.findall(line), _ARP.findall(line))


def _mouth(netns: str) -> socket.socket:
    """Sends raw frames out of a gateway's mirror port.

    Raises:
        LabError: there is no such namespace.
        OSError: there is no mirror port.
    """
    made = socket_in(netns, socket.AF_PACKET, socket.SOCK_RAW)
    made.bind((sensor.MIRROR, 0))
    return made


def name_question(word: str) -> bytes:
    """An Ethernet frame with a DNS query for ``WORD.pulse.invalid`` (RFC 1035, 4.1)."""
    labels = b"".join(bytes([len(p)]) + p.encode("ascii") for p in (word, *ZONE.split(".")))
    query = b"\x13\x37\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"
    udp = struct.pack("!4H", 1024 + secrets.randbelow(60000), 53, 8 + len(query), 0) + query
    ends = socket.inet_aton(NEAR) + socket.inet_aton(FAR)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0) + ends
    total = sum(struct.unpack("!10H", head))
    total = ~(total + (total >> 16)) & 0xFFFF
    head = head[:10] + struct.pack("!H", total) + head[12:]
    return b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00" + head + udp


def lost_share(stats: Path) -> float:
    """Share of the packets that the capture lost, by the last whole statistics in the file; 0.0 without any."""
    try:
        with stats.open("rb") as file:
            file.seek(max(0, stats.stat().st_size - STATS_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return 0.0
    for line in reversed(lines):
        try:
            found: dict[str, Any] = json.loads(line)["stats"]["capture"]
        except (ValueError, KeyError, TypeError):  # cut off at either end
            continue
        packets, drops = int(found.get("kernel_packets", 0)), int(found.get("kernel_drops", 0))
        return drops / packets if packets else 0.0
    return 0.0


def _state(pid: int | None) -> str:
    """The kernel's letter for a process; X where it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "X"
    return text.rpartition(")")[2].split()[0]
