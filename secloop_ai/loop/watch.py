"""Legitimate use of the network, watched while it changes."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from secloop_ai.contracts import Environment, Host, ProbeResult, ProbeVantage, Service

FIRST_INTERVAL_S = 0.08
INTERVAL_S = 1.0
"""Seconds between two tries of a check: quick at first, when a commit is pending, then seldom enough not to look like a
flood to an IDS."""
CHECK_TIMEOUT_S = 2.0
_AGENT = Path(__file__).with_name("probe_agent.py")
_BOOT = "import sys;n=int(sys.argv[1]);exec(compile(sys.stdin.read(n),'probe','exec'),{'__name__':'__probe__'})"


class Check(NamedTuple):
    """One service check from one client's place."""

    client: Host
    server: Host
    service: Service
    address: str

    @property
    def label(self) -> str:
        """Readable and unique: what the agent's answers carry."""
        return f"{self.client.name}>{self.server.name}/{self.service.name}@{self.address}"


def checks(environment: Environment) -> Iterator[Check]:
    """Every declared check that has a client to run from."""
    for server in environment.hosts:
        for service in (s for s in server.services if s.check):
            for name in service.clients:
                client = environment.host(name) if isinstance(name, str) else None
                if client is None or client.probe is None:
                    continue
                families = {a.version for a in client.addresses}
                for address in (a for a in server.addresses if a.version in families):
                    yield Check(client, server, service, str(address))


def unprobed(environment: Environment) -> tuple[str, ...]:
    """Services with a check but no client that could run it: said, since nothing watches them."""
    watched = {(c.server.name, c.service.name) for c in checks(environment)}
    return tuple(
        f"service {h.name}/{s.name} has a check, but none of its clients declares a probe: nothing watches it"
        for h in environment.hosts
        for s in h.services
        if s.check and (h.name, s.name) not in watched
    )


class _Tally:
    """Counts of one check in one phase."""

    def __init__(self) -> None:
        self.tries = self.failures = 0
        self.detail = ""

    def add(self, *, ok: bool, detail: str) -> None:
        self.tries += 1
        self.failures += not ok
        if not ok or not self.detail:
            self.detail = detail


class Watch:
    """Runs every declared check from its client's place, over and over, until stopped.

    Implements :class:`secloop_ai.contracts.ServiceWatch`. One child process per vantage point.

    Args:
        environment: whose checks to run.
        interval_s: seconds between two tries of a check, once it has settled.
        leave_out: checks that are not run.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        interval_s: float = INTERVAL_S,
        leave_out: Callable[[Check], bool] = lambda _: False,
    ) -> None:
        self._interval_s = interval_s
        self._checks = {c.label: c for c in checks(environment) if not leave_out(c)}
        self._phase = "before"
        self._tallies: dict[tuple[str, str], _Tally] = defaultdict(_Tally)
        self._change = threading.Condition()
        self._children: list[tuple[subprocess.Popen[str], threading.Thread]] = []
        self._broken: dict[str, str] = {}

    def start(self) -> None:
        """Start an agent at every vantage point."""
        by_place: dict[ProbeVantage, list[Check]] = defaultdict(list)
        for check in self._checks.values():
            if check.client.probe:
                by_place[check.client.probe].append(check)
        for place, group in by_place.items():
            self._launch(place, group)

    def _launch(self, place: ProbeVantage, group: list[Check]) -> None:
        source = _AGENT.read_text()
        try:
            child = subprocess.Popen(
                _command(place, len(source)),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        except OSError as error:
            self._fail(group, f"probe could not start: {error.strerror or error}")
            return
        with contextlib.suppress(BrokenPipeError):  # it has ended already; the reader says why
            if child.stdin:
                child.stdin.write(source + json.dumps([_order(c, self._interval_s) for c in group]) + "\n")
                child.stdin.flush()
        reader = threading.Thread(target=self._read, args=(child, group), daemon=True)
        reader.start()
        self._children.append((child, reader))

    def _read(self, child: subprocess.Popen[str], group: list[Check]) -> None:
        for line in child.stdout or ():
            answer = json.loads(line)
            with self._change:
                self._tallies[(answer["id"], self._phase)].add(ok=answer["ok"], detail=answer["detail"])
                self._change.notify_all()
        said = (child.stderr.read() if child.stderr else "").strip().splitlines()
        self._fail(group, f"probe ended: {said[-1] if said else 'no message'}")

    def _fail(self, group: list[Check], why: str) -> None:
        with self._change:
            self._broken.update({c.label: why for c in group})
            self._change.notify_all()

    def commit_sent(self) -> None:
        """Count what comes from now on as ``during``."""
        with self._change:
            self._phase = "during"

    def wait(self, *, rounds: int, timeout_s: float) -> None:
        """Until every check has `rounds` more results in the present phase, at most `timeout_s` seconds."""
        until = time.monotonic() + timeout_s
        with self._change:
            phase = self._phase
            goal = {label: self._tallies[(label, phase)].tries + rounds for label in self._checks}
            while not all(
                label in self._broken or self._tallies[(label, phase)].tries >= n for label, n in goal.items()
            ):
                left = until - time.monotonic()
                if left <= 0:
                    return
                self._change.wait(left)

    def results(self) -> tuple[ProbeResult, ...]:
        """One row per check and phase; a check that never answered has no tries, which is not green."""
        with self._change:
            phases = ("before", "during") if self._phase == "during" else ("before",)
            return tuple(self._result(label, phase) for label in sorted(self._checks) for phase in phases)

    def _result(self, label: str, phase: str) -> ProbeResult:
        check, tally = self._checks[label], self._tallies[(label, phase)]
        return ProbeResult(
            client=check.client.name,
            service=f"{check.server.name}/{check.service.name}",
            target=f"{check.address} {check.service.protocol}/{check.service.port}",
            phase=phase,
            tries=tally.tries,
            failures=tally.failures,
            detail=tally.detail or self._broken.get(label, "no answer yet"),
        )

    def stop(self) -> None:
        """End the agents; safe to call twice."""
        children, self._children = self._children, []
        for child, _ in children:
            child.terminate()
        for child, reader in children:
            reader.join()
            with contextlib.suppress(BrokenPipeError):
                child.communicate()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _order(check: Check, interval_s: float) -> dict[str, Any]:
    detail = check.service.check.model_dump() if check.service.check else {"type": "tcp"}
    return {
        "id": check.label,
        "address": check.address,
        "port": check.service.port,
        "timeout_s": CHECK_TIMEOUT_S,
        "first_interval_s": min(FIRST_INTERVAL_S, interval_s),
        "interval_s": interval_s,
        **detail,
    }


def _command(place: ProbeVantage, size: int) -> list[str]:
    """The agent's launcher: the source follows on its input, so nothing need be installed there."""
    if place.via == "ssh":
        remote = f'python3 -I -S -c "{_BOOT}" {size}'
        return ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "--", str(place.address), remote]
    local = [sys.executable, "-I", "-S", "-c", _BOOT, str(size)]
    return ["ip", "netns", "exec", str(place.netns), *local] if place.via == "netns" else local
