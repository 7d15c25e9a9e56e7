"""The legitimate clients at work: what they ask for, from where they are, and what they got."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Collection, Mapping
from types import TracebackType
from typing import Self

from labs.lab.netns import socket_in
from labs.scenario import Case, LegitFlow
from labs.scenario.draw import rng
from labs.services.names import ZONE
from labs.validator.judge import Use
from secloop_ai.contracts.errors import LabError
from secloop_ai.loop.watch import Check, Watch, checks

from .field import Battlefield
from .services import Place, Serving

LEAST_TRIES = 20
"""Legitimate tries in one run, at least, where there is any traffic at all."""
INTERVAL_S = 0.5
BEFORE_S, AFTER_S = 4.0, 5.0
"""Seconds that are waited for tries at most, before the attack and after it."""
AFTER_ROUNDS = 2
LEAST_USES = 3
"""Uses (client and service) that are tried, at least, where the inventory has so many."""
Usage = tuple[str, str, str]
"""Client, host, service."""
ANSWER_S = 1.0
ASKS = 2
"""Questions over UDP before a try has failed: a resolver asks again, too."""


class Clients:
    """Every declared flow of the case, tried over and over while the block lasts. Implements a context manager.

    TCP services are tried as the environment's checks say, name servers by a question; other UDP services are named
    in `untried` and not counted.

    Args:
        field: where; it is up.
        kinds: kind behind each (host, service).

    Attributes:
        spread: tries before, during and after the attack.
    """

    def __init__(self, field: Battlefield, kinds: Mapping[Place, Serving]) -> None:
        wanted = {(f.client, f.server, f.service) for f in field.case.flows}
        wanted |= drawn_uses(field.case, wanted)
        self.spread = {"before": 0, "during": 0, "after": 0}

        def idle(check: Check) -> bool:
            return (check.client.name, check.server.name, check.service.name) not in wanted

        self._tcp = sum(not idle(c) for c in checks(field.environment))
        self._watch = Watch(field.environment, interval_s=INTERVAL_S, leave_out=idle)
        udp = [f for f in field.case.flows if f.packet.protocol == socket.IPPROTO_UDP]
        self._askers = [Asker(field, f) for f in udp if kinds[f.server, f.service].kind == "dns"]
        asked = {a.flow for a in self._askers}
        self._observer = field.observer
        self.untried = tuple(sorted({f"{f.server}/{f.service}" for f in udp if f not in asked}))

    def __enter__(self) -> Self:
        self._watch.start()
        if self._observer:
            self._observer.attend(self.counts)
        for asker in self._askers:
            asker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for asker in self._askers:
            asker.end.set()
        self._watch.stop()
        for asker in self._askers:
            asker.join()

    def before(self) -> None:
        """Wait until enough was tried; what comes from now on is counted as during the attack."""
        rounds = -(-LEAST_TRIES // max(1, self._tcp + len(self._askers)))
        self._wait(max(AFTER_ROUNDS, rounds), BEFORE_S)
        self._watch.commit_sent()
        self.spread["before"] = self._tries()
        if self._observer:
            self._observer.phase("the attack begins")

    def after(self) -> None:
        """Wait until each was tried again."""
        if self._observer:
            self._observer.phase("the attack is over")
        self.spread["during"] = self._tries() - self.spread["before"]
        self._wait(AFTER_ROUNDS, AFTER_S)
        self.spread["after"] = self._tries() - self.spread["before"] - self.spread["during"]

    def _tries(self) -> int:
        return sum(tries for tries, _ in self.counts().values())

    def _wait(self, rounds: int, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        goal = {a: a.tries + rounds for a in self._askers}
        if self._tcp:
            self._watch.wait(rounds=rounds, timeout_s=timeout_s)
        for asker, tries in goal.items():
            asker.wait(tries, until)

    def uses(self) -> tuple[Use, ...]:
        """The clients' word so far.

        Raises:
            LabError: a client never tried: its probe could not run.
        """
        counts = self.counts()
        _refuse_silent({place for place, (tries, _) in counts.items() if not tries})
        return tuple(Use(client, service, *both) for (client, service), both in sorted(counts.items()))

    def counts(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Tries and served so far, by client and ``host/service``; at any time, from any thread."""
        counts: dict[tuple[str, str], tuple[int, int]] = {}
        for row in self._watch.results():
            tries, served = counts.get((row.client, row.service), (0, 0))
            counts[row.client, row.service] = (tries + row.tries, served + row.tries - row.failures)
        for asker in self._askers:
            place = (asker.flow.client, f"{asker.flow.server}/{asker.flow.service}")
            tries, served = counts.get(place, (0, 0))
            more_tries, more_served = asker.count()
            counts[place] = (tries + more_tries, served + more_served)
        return counts


def drawn_uses(case: Case, declared: Collection[Usage]) -> set[Usage]:
    """Where few uses are declared: some more that the inventory calls legitimate, drawn by the case's seed."""
    lacking = LEAST_USES - len(declared)
    others = sorted(
        (client, host.name, service.name)
        for host in case.environment.hosts
        for service in host.services
        for client in service.clients
        if isinstance(client, str) and (client, host.name, service.name) not in declared
    )
    return set(rng("uses", case.case_id).sample(others, min(len(others), max(0, lacking))))


def _refuse_silent(silent: Collection[tuple[str, str]]) -> None:
    if silent:
        names = ", ".join(f"{client} -> {service}" for client, service in sorted(silent))
        raise LabError(f"no legitimate try came about: {names}")


class Asker(threading.Thread):
    """A client that asks a name server for an address, over and over.

    Attributes:
        end: set it to stop; the thread ends within seconds.
    """

    def __init__(self, field: Battlefield, flow: LegitFlow) -> None:
        super().__init__(daemon=True)
        self.flow = flow
        self.tries = self.served = 0
        self.end = threading.Event()
        self._netns = field.netns(flow.client)
        self._counted = threading.Condition()

    def run(self) -> None:
        """Ask until the end."""
        while not self.end.is_set():
            served = self._try()
            with self._counted:
                self.tries += 1
                self.served += served
                self._counted.notify_all()
            self.end.wait(INTERVAL_S)

    def count(self) -> tuple[int, int]:
        """Tries and served, of one moment."""
        with self._counted:
            return self.tries, self.served

    def wait(self, tries: int, until: float) -> None:
        """Until that many were made, or a monotonic clock says `until`."""
        with self._counted:
            while self.tries < tries and (left := until - time.monotonic()) > 0:
                self._counted.wait(left)

    def _try(self) -> bool:
        return any(self._ask() for _ in range(ASKS))

    def _ask(self) -> bool:
        question = secrets.token_bytes(2) + question_for(f"www.{ZONE}")
        packet = self.flow.packet
        family = socket.AF_INET if packet.destination.version == 4 else socket.AF_INET6  # noqa: PLR2004 - the IP version
        try:
            with socket_in(self._netns, family, socket.SOCK_DGRAM) as sock:
                sock.settimeout(ANSWER_S)
                sock.connect((str(packet.destination), packet.destination_port))
                sock.send(question)
                return sock.recv(512)[:2] == question[:2]
        except OSError:
            return False


def question_for(name: str) -> bytes:
    """A DNS query for the name's address (RFC 1035, 4.1), without its first two bytes, the identifier."""
    labels = b"".join(bytes([len(part)]) + part.encode("ascii") for part in name.split("."))
    return b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"
