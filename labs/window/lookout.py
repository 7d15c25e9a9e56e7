"""Looks at battlefields and labs from outside, whichever process made them: records, counters, logs, ledgers.

It changes nothing there. Needs root.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from labs.battlefield import sensor, standing
from labs.battlefield.atlas import MANAGEMENT_PORT
from labs.battlefield.record import FieldRecord
from labs.lab import state as lab_state
from labs.lab.paths import BASE, FIELDS, RunPaths
from labs.lab.processes import NETNS_DIR, alive, start_ticks
from labs.lab.topology import GATEWAY, PORTS, namespace
from secloop_ai.contracts import Mitigation, MitigationState
from secloop_ai.contracts.errors import LabError, SecLoopError
from secloop_ai.ledger import open_ledger
from secloop_ai.loop.story import action_line
from secloop_ai.settings import Settings

from .alerts import EveTail, grouped
from .counters import Count, Meter, read
from .status import FACTS, FRESH_S, Status, facts_in, status_in
from .tally import port_counts
from .timeline import AlertSeen, CaseFacts, PortFact
from .view import AlertRow, MitigationRow, PortRow, StageRow, View
from .watched import standing_on

LAB_DEVICE = "gw1"
"""The gateway's name in a lab's inventory."""
OWN_PORTS = ("lo", "mgmt", "span", "mon")
"""Beginnings of the names of links that are no port of the network."""
MOST_ALERTS = 200
"""Kinds of alert that are kept in mind; the oldest go first."""


class Lookout(Protocol):
    """One thing to look at."""

    @property
    def name(self) -> str:
        """As a person calls it."""

    @property
    def case(self) -> str:
        """What is played there; a lab's name."""

    @property
    def played(self) -> bool:
        """Whether somebody plays on it and says how it stands."""

    @property
    def identity(self) -> object:
        """Another one means another thing of the same name."""

    def view(self) -> View | None:
        """How it stands; None when it is gone. Rates are since the last look."""


class Sighted:
    """Alerts of one log, grouped over time."""

    def __init__(self) -> None:
        self._tail = EveTail()
        self._groups: dict[tuple[object, ...], tuple[AlertSeen, int]] = {}
        self.total = 0

    def look(self, log: Path) -> tuple[AlertRow, ...]:
        """The groups, the newest first. `at_s` of an alert is seconds since 1970 here."""
        for alert in grouped(self._tail.read(log), lambda us: us / 1e6, time.time()):
            key = (alert.signature_id, alert.source, alert.destination, alert.destination_port)
            before = self._groups.pop(key, (alert, 0))[1]
            self._groups[key] = (alert, before + alert.count)
            self.total += alert.count
        while len(self._groups) > MOST_ALERTS:
            del self._groups[next(iter(self._groups))]
        now = time.time()
        return tuple(_alert_row(alert, count, now) for alert, count in reversed(self._groups.values()))


def _alert_row(alert: AlertSeen, count: int, now: float) -> AlertRow:
    same = ("signature_id", "name", "classification", "severity", "source", "destination", "destination_port")
    values: dict[str, Any] = {name: getattr(alert, name) for name in same}
    return AlertRow(**values, count=count, age_s=round(max(0.0, now - alert.at_s), 1))


class FieldLookout:
    """Looks at one battlefield."""

    def __init__(self, record: FieldRecord) -> None:
        self._record = record
        self.name = f"battlefield {record.index}"
        self.case = record.case_id
        self.played = (record.run_dir / FACTS).exists()
        self.identity = (record.owner, record.owner_ticks, _made(record.run_dir))
        self._meter, self._alerts = Meter(), Sighted()
        self._sensor: tuple[int, int] | None = None

    def view(self) -> View | None:
        """How it stands."""
        record = next((r for r in standing() if r.index == self._record.index), None)
        if record is None or FieldLookout(record).identity != self.identity:
            return None
        self._record = record
        notes: list[str] = []
        facts, status = None, None
        mitigations: tuple[MitigationRow, ...] = ()
        try:
            facts, status = facts_in(record.run_dir), status_in(record.run_dir)
            mitigations = mitigation_rows(standing_on(record.run_dir))
        except SecLoopError as error:
            notes.append(str(error))
        fresh = status is not None and status.age_s < FRESH_S
        alerts = self._heard()
        return View(
            name=self.name,
            case=record.case_id,
            state="abandoned" if not record.owned else "playing" if fresh else "standing",
            maker=record.owner,
            ports=self._ports(facts),
            alerts=alerts,
            alerts_seen=self._alerts.total,
            mitigations=mitigations,
            sensor=self._sensor_word(),
            notes=tuple(notes),
            **_told(facts, status),
        )

    def _ports(self, facts: CaseFacts | None) -> tuple[PortRow, ...]:
        if facts:
            counts = port_counts(self._record.index, facts.ports)
            return tuple(port_row(p, self._meter, counts[p.key]) for p in facts.ports if p.key in counts)
        prefix = f"bf{self._record.index}-"
        spaces = [n for n in self._record.namespaces if n.startswith(prefix) and n != prefix + sensor.NAME]
        return tuple(row for n in spaces for row in bare_rows(n, n.removeprefix(prefix), self._meter))

    def _heard(self) -> tuple[AlertRow, ...]:
        self._find_sensor()
        if self._sensor is None:
            return ()
        return self._alerts.look(Path(f"/proc/{self._sensor[0]}/root") / sensor.LOG.relative_to("/") / sensor.EVE)

    def _find_sensor(self) -> None:
        own = sensor.node(self._record.index).netns
        if self._sensor is None and own in self._record.namespaces:
            self._sensor = next(suricatas(own), None)

    def _sensor_word(self) -> Any:
        if self._sensor is None:
            return None
        return "alive" if alive(*self._sensor) else "gone"


def _told(facts: CaseFacts | None, status: Status | None) -> dict[str, Any]:
    """What the playing process says."""
    if facts is None or status is None:
        return {}
    planned = {s.index: s for s in facts.stages}
    now = status.clock_s + (status.age_s if status.age_s < FRESH_S else 0.0)
    stages = tuple(
        StageRow(
            stage=state.index + 1,
            means=planned[state.index].means,
            source=planned[state.index].source_host or str(planned[state.index].source),
            target=planned[state.index].target_host or str(planned[state.index].target),
            state=state.state,
            seconds=None if state.began_s is None else round((state.ended_s or now) - state.began_s, 1),
        )
        for state in status.stages
        if state.index in planned
    )
    return {
        "mode": status.mode,
        "policy": status.policy,
        "phase": status.phase,
        "clock_s": round(now, 1),
        "stages": stages,
        "probes": status.probes,
    }


class LabLookout:
    """Looks at one lab of `secloop lab up`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._lab = folder, name
        self.name = f"lab {name}"
        self.case = self.name
        self.played = False
        self.identity = _made(folder)
        self._meter, self._alerts = Meter(), Sighted()

    def view(self) -> View | None:
        """How it stands; its mitigations are those of the ledger that the settings name."""
        state = lab_state.load(self._folder)
        if state is None:
            return None
        netns, notes = namespace(self._lab, GATEWAY), []
        mitigations: tuple[MitigationRow, ...] = ()
        try:
            mitigations = mitigation_rows(_lab_mitigations())
        except SecLoopError as error:
            notes.append(str(error))
        zones = {p.name: PortFact(device=GATEWAY, port=p.name, zone=p.zone, members=(p.host,), links=()) for p in PORTS}
        counts = _counts(netns)
        running = [p for p in state.processes if p.name == "suricata"]
        return View(
            name=self.name,
            state="standing" if state.ready else "abandoned",
            ports=tuple(port_row(fact, self._meter, counts[n]) for n, fact in zones.items() if n in counts),
            alerts=self._alerts.look(RunPaths(root=self._folder).eve),
            alerts_seen=self._alerts.total,
            mitigations=mitigations,
            sensor=None if not running else "alive" if alive(running[0].pid, running[0].start_ticks) else "gone",
            notes=tuple(notes),
        )


def lookouts() -> list[Lookout]:
    """Everything there is to look at, battlefields whose player says how it stands first, labs last.

    Raises:
        LabError: not root, or a record that cannot be read.
    """
    if os.geteuid() != 0:
        raise LabError("looking into battlefields and labs needs root")
    found = sorted(map(FieldLookout, standing()), key=lambda one: not one.played)
    return [*found, *_labs()]


def _made(folder: Path) -> int:
    """Number of the folder: a new one has another; 0 when it is gone."""
    try:
        return folder.stat().st_ino
    except OSError:
        return 0


def _labs() -> Iterator[Lookout]:
    for folder in sorted(BASE.iterdir()) if BASE.is_dir() else ():
        if folder != FIELDS and (found := lab_state.load(folder)):
            yield LabLookout(folder, found.name)


def port_row(port: PortFact, meter: Meter, count: Count) -> PortRow:
    """A port with its rates since the last look."""
    rate = meter.rate(port.key, count)
    return PortRow(device=port.device, port=port.port, zone=port.zone, hosts=port.members, **rate._asdict())


def bare_rows(netns: str, node: str, meter: Meter) -> Iterator[PortRow]:
    """Every link of a gateway, where nobody says what hangs on it; a namespace without management is no gateway."""
    counts = _counts(netns)
    for link, count in sorted(counts.items()) if MANAGEMENT_PORT in counts else ():
        if not link.startswith(OWN_PORTS):
            yield PortRow(device=node, port=link, **meter.rate(f"{node}/{link}", count)._asdict())


def _counts(netns: str) -> dict[str, Count]:
    try:
        return read(netns)
    except LabError:
        return {}


def suricatas(netns: str) -> Iterator[tuple[int, int]]:
    """Process id and start of every Suricata in the namespace."""
    try:
        inode = (NETNS_DIR / netns).stat().st_ino
    except OSError:
        return
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            inside = (entry / "ns" / "net").stat().st_ino == inode
            named = inside and (entry / "comm").read_text(encoding="utf-8", errors="replace").startswith("Suricata")
        except OSError:
            continue
        if named and (ticks := start_ticks(int(entry.name))) is not None:
            yield int(entry.name), ticks


def mitigation_rows(found: Sequence[Mitigation]) -> tuple[MitigationRow, ...]:
    """Mitigations with the time they have left."""
    now = datetime.now(UTC)
    return tuple(
        MitigationRow(
            mitigation_id=m.mitigation_id,
            action=action_line(m.action),
            places=tuple(m.operations),
            state=m.state.value,
            left_s=round(m.left_s(now), 1),
        )
        for m in found
    )


def _lab_mitigations() -> list[Mitigation]:
    url = Settings.load(os.environ).ledger_url
    if not url.startswith("sqlite:///") or not Path(url.removeprefix("sqlite:///")).is_file():
        return []
    with open_ledger(url) as ledger:
        found = ledger.mitigations(states=(MitigationState.ACTIVE, MitigationState.IN_DOUBT))
    return [m for m in found if LAB_DEVICE in m.operations]
