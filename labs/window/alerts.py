"""The sensor's log, read as it grows. Only typed fields leave this module; what an attacker can write stays behind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from labs.battlefield import oddities
from labs.battlefield.sensor import MORE_RULES
from labs.lab.sensor import RULES
from secloop_ai.alerts.eve import decode
from secloop_ai.alerts.sighting import BadEvent, Sighting

from .timeline import AlertSeen

MOST_BYTES = 4 * 1024 * 1024
"""Bytes of the log that one reading takes; the rest waits for the next one."""
RULE = re.compile(r'\(msg:"([ -~]{1,200}?)";.*?\bsid:(\d{1,10});')
PREFIX = re.compile(r"^SECLOOP (?:[A-Z] )?")


class EveTail:
    """Reads what was appended since the last time.

    What a parser of the sensor complains of counts as an alert, as it does for a trial.

    Attributes:
        unread: lines that could not be read.
    """

    def __init__(self) -> None:
        self.unread = 0
        self._rest = b""
        self._at = 0

    def read(self, path: Path) -> list[Sighting]:
        """The alerts of whole new lines, in their order; none while the file is not there."""
        try:
            with path.open("rb") as log:
                log.seek(self._at)
                fresh = log.read(MOST_BYTES)
        except OSError:
            return []
        self._at += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        if len(self._rest) > MOST_BYTES:
            self._rest, self.unread = b"", self.unread + 1
        return list(self._alerts(lines))

    def _alerts(self, lines: Iterable[bytes]) -> Iterator[Sighting]:
        for line in lines:
            event = oddities.as_alert(line) if oddities.MARK in line else line
            if not event or b'"alert"' not in event:
                continue
            try:
                found = decode(event)
            except BadEvent:
                self.unread += 1
                continue
            if not isinstance(found, str):
                yield found


def grouped(sightings: Iterable[Sighting], clock: Callable[[int], float], arrived_s: float) -> tuple[AlertSeen, ...]:
    """One event for each signature, source and destination.

    Args:
        sightings: of one reading.
        clock: from microseconds since 1970 to seconds on the battlefield's clock.
        arrived_s: when they were read, on that clock.
    """
    groups: dict[tuple[object, ...], list[Sighting]] = {}
    for one in sightings:
        groups.setdefault((one.signature_id, one.source, one.destination, one.destination_port), []).append(one)
    return tuple(_event(group, clock, arrived_s) for group in groups.values())


def _event(group: list[Sighting], clock: Callable[[int], float], arrived_s: float) -> AlertSeen:
    first = group[0]
    return AlertSeen(
        at_s=round(clock(min(s.time_us for s in group)), 3),
        arrived_s=round(arrived_s, 3),
        signature_id=first.signature_id,
        classification=first.classification,
        severity=min(s.severity for s in group),
        source=ip_address(first.source),
        destination=ip_address(first.destination),
        destination_port=first.destination_port,
        protocol=first.protocol.value,
        handshake=any(s.handshake for s in group),
        count=len(group),
        name=rule_names().get(first.signature_id, ""),
    )


@cache
def rule_names() -> dict[int, str]:
    """Signature id → message, of our own rule files: the sensor's log is not asked for it."""
    found = {0: "no signature: odd for the protocol's parser"}
    for path in (*sorted(RULES.glob("*.rules")), *sorted(MORE_RULES.glob("*.rules"))):
        for line in path.read_text(encoding="utf-8").splitlines():
            if match := RULE.search(line):
                found[int(match[2])] = PREFIX.sub("", match[1])
    return found
