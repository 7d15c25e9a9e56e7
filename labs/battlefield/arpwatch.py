"""The second sensor of a battlefield: Suricata 7 decodes no ARP, so this program does.

Run as ``python -I -S arpwatch.py INTERFACE FILE KNOWN``; standard library alone. KNOWN is a JSON file, address →
hardware address of the gateways' own ports, which a gateway knows of itself; every other binding is learned from what
is said first. Alerts are appended to FILE in EVE's shape, a line in one write: another writer's lines stay whole.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import struct
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

STARTED = "Engine started"
GID = 9
CHANGED, UNASKED, SWEEP = 9009001, 9009002, 9009003
ETHERNET, IPV4, EXPERIMENT = 1, 0x0800, 36
"""Hardware types of RFC 826 and RFC 5494: under the experimental one the controller asks whether anybody listens."""
FRAME = struct.Struct("!6s6sH HHBBH 6s4s6s4s")
ETHERTYPE_ARP = 0x0806
REQUEST, REPLY = 1, 2
WINDOW_S = 10.0
QUIET_S = 1.0
"""Seconds in which the same finding is said once."""
UNASKED_MOST, SWEEP_MOST = 2, 15
"""Answers nobody asked for, and addresses asked for, by one station within `WINDOW_S`; more is an alert."""
KEPT = 4096
"""Bindings and questions remembered, at most."""
NOBODY = "0.0.0.0"
K = TypeVar("K")
V = TypeVar("V")


class Rule(NamedTuple):
    """What a signature says of itself."""

    text: str
    category: str
    severity: int
    technique: str


RULES = {
    CHANGED: Rule("SECLOOP ARP an address changes its station", "Misc Attack", 2, "T1557.002"),
    UNASKED: Rule("SECLOOP ARP answers that nobody asked for", "Misc Attack", 2, "T1557.002"),
    SWEEP: Rule("SECLOOP ARP a segment is asked through", "Attempted Information Leak", 2, "T1018"),
}


class Said(NamedTuple):
    """An ARP packet's words; stations are hardware addresses."""

    operation: int
    station: str
    address: str
    target: str


class Watcher:
    """Finds what is wrong with the ARP of a network; time is given, in seconds.

    Args:
        known: address → station, of those that never change.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self._fixed = frozenset(known)
        self._station: dict[str, str] = dict(known)
        self._address: dict[str, str] = {}
        self._asked: dict[tuple[str, str], float] = {}
        self._unasked: dict[str, deque[float]] = {}
        self._wanted: dict[str, dict[str, float]] = {}
        self._told: dict[tuple[int, str, str], float] = {}

    def see(self, frame: bytes, now_s: float) -> Iterator[dict[str, Any]]:
        """The events of one frame: alerts, and an answer to the controller's own question."""
        if (word := question(frame)) is not None:
            yield {"event_type": "heartbeat", "word": word}
            return
        said = parse(frame)
        if said is None or said.address == NOBODY:
            return
        found = [s for s, is_so in self._checks(said, now_s) if is_so]
        for sid in found:
            if self._fresh(sid, said, now_s):
                yield self._alert(sid, said)

    def _checks(self, said: Said, now_s: float) -> Iterator[tuple[int, bool]]:
        yield CHANGED, self._changed(said)
        if said.operation == REPLY:
            yield UNASKED, self._nobody_asked(said, now_s)
        else:
            yield SWEEP, self._sweeps(said, now_s)

    def _changed(self, said: Said) -> bool:
        """Whether the address is another station's; the first to claim one has it."""
        owner = _keep(self._station, said.address, said.station)
        if owner == said.station:
            _keep(self._address, said.station, said.address)
        return owner != said.station

    def _nobody_asked(self, said: Said, now_s: float) -> bool:
        """Questions of the gateways themselves are not seen here, nor is a station's word on its own address odd."""
        if said.target in self._fixed or said.target == said.address:
            return False
        if now_s - self._asked.get((said.target, said.address), -WINDOW_S) < WINDOW_S:
            return False
        times = _keep(self._unasked, said.station, deque(maxlen=UNASKED_MOST + 1))
        times.append(now_s)
        return len(times) > UNASKED_MOST and now_s - times[0] <= WINDOW_S

    def _sweeps(self, said: Said, now_s: float) -> bool:
        _renew(self._asked, (said.address, said.target), now_s)
        wanted = _keep(self._wanted, said.station, {})
        _renew(wanted, said.target, now_s)
        for target in [t for t, when in wanted.items() if now_s - when > WINDOW_S]:
            del wanted[target]
        return len(wanted) > SWEEP_MOST

    def _fresh(self, sid: int, said: Said, now_s: float) -> bool:
        key = (sid, said.station, said.address)
        fresh = now_s - self._told.get(key, -QUIET_S) >= QUIET_S
        if fresh:
            _renew(self._told, key, now_s)
        return fresh

    def _alert(self, sid: int, said: Said) -> dict[str, Any]:
        """The source is the address that the station had first: what it claims may be another's."""
        rule = RULES[sid]
        return {
            "event_type": "alert",
            "src_ip": self._address.get(said.station, said.address),
            "dest_ip": said.target,
            "proto": "ARP",
            "app_proto": "arp",
            "alert": {
                "action": "allowed",
                "gid": GID,
                "signature_id": sid,
                "rev": 1,
                "signature": rule.text,
                "category": rule.category,
                "severity": rule.severity,
                "metadata": {"mitre_technique_id": [rule.technique]},
            },
            "arp": {"operation": said.operation, "station": said.station, "claims": said.address},
        }


def _keep(table: dict[K, V], key: K, value: V) -> V:
    """The value under the key, set first if there is none; the oldest one makes room."""
    if key not in table and len(table) >= KEPT:
        del table[next(iter(table))]
    return table.setdefault(key, value)


def _renew(table: dict[K, V], key: K, value: V) -> None:
    """The value under the key from now on, in the youngest place."""
    table.pop(key, None)
    _keep(table, key, value)


def parse(frame: bytes) -> Said | None:
    """The words of an IPv4 ARP request or reply; None for every other frame."""
    if len(frame) < FRAME.size:
        return None
    _, _, kind, hardware, protocol, *lengths, operation, station, address, _, target = FRAME.unpack_from(frame)
    if (kind, hardware, protocol, *lengths) != (ETHERTYPE_ARP, ETHERNET, IPV4, 6, 4):
        return None
    if operation not in {REQUEST, REPLY}:
        return None
    return Said(operation, station.hex(":"), socket.inet_ntoa(address), socket.inet_ntoa(target))


def question(frame: bytes) -> str | None:
    """The controller's word in a frame of its own; None in every other frame."""
    if len(frame) < FRAME.size:
        return None
    _, _, kind, hardware, *_ = FRAME.unpack_from(frame)
    return frame[22:28].hex() if (kind, hardware) == (ETHERTYPE_ARP, EXPERIMENT) else None


def ask(word: bytes) -> bytes:
    """A frame whose six bytes `word` come back as a ``heartbeat`` event."""
    addresses = (b"\xff" * 6, b"\x02" + word[1:6])
    return FRAME.pack(*addresses, ETHERTYPE_ARP, EXPERIMENT, IPV4, 6, 4, REQUEST, word, bytes(4), bytes(6), bytes(4))


class Log:
    """Appends lines; a line that does not fit any more is counted and said, and what was cut off is ended later."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._torn = False
        self.lost = 0

    def write(self, event: Mapping[str, Any]) -> None:
        """Append an event, stamped with the time."""
        stamped = {"timestamp": datetime.now(UTC).isoformat(), **event}
        line = b"\n" * self._torn + json.dumps(stamped).encode() + b"\n"
        try:
            written = os.write(self._handle, line)
        except OSError as error:
            if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EIO}:
                raise
            written = 0
        if 0 < written < len(line):
            self._torn = True
        elif written:
            self._torn = False
        if written < len(line):
            self.lost += 1
            if self.lost == 1:
                say("log full: events are lost from here on")


def say(text: str) -> None:
    """A line of this program's own log."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> None:
    """Listen until ended."""
    interface, path, known = sys.argv[1:4]
    log, watcher = Log(Path(path)), Watcher(json.loads(Path(known).read_text(encoding="utf-8")))
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP)) as ear:
        ear.bind((interface, 0))
        say(STARTED)
        while True:
            frame = ear.recv(2048)
            for event in watcher.see(frame, datetime.now(UTC).timestamp()):
                log.write(event)


if __name__ == "__main__":
    main()
