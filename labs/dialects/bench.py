"""Runs the checks: a session with an emulated device of each dialect, and the vendor's YANG beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from labs.emulator import Device as Emulated
from labs.emulator import DeviceSpec, EmulatedFleet
from labs.emulator.confirmed import Timer
from labs.emulator.device import VirtualDevice
from labs.emulator.profile import load_profile
from secloop_ai.contracts import Connection, DeviceModel, Environment, Family, LabError, SecLoopError, TaggedOp
from secloop_ai.dialects import dialect, document_diff, known
from secloop_ai.dialects.compose import TreeDialect
from secloop_ai.netconf import Session, open_session

from .cells import ACTION_ROWS, Cell, Row, State, failed, not_checked, passed, whole_row
from .network import TAG, network, operations
from .yang import Yang

OUTSIDE, INSIDE = "outside", "dmz-app"
"""Roles of the emulated gateway's ports."""
WORKERS = 2
"""Checkers of YANG that run side by side."""
SHOWN_LINES = 4


def check(yang: Yang, only: Sequence[str] = ()) -> Iterator[Row]:
    """Every row of the table, as it is found.

    Args:
        yang: what documents are held against.
        only: names of dialects; none: all there are.

    Side effects: starts an emulated device for each dialect, and ends it.

    Raises:
        UnknownDialectError: no dialect of such a name.
    """
    names = only or known()
    for name in names:
        try:
            yield from _rows_of(name, yang)
        except SecLoopError as error:
            yield from _every_row(name, failed(f"the emulated device: {error}"))


def _rows_of(name: str, yang: Yang) -> Iterator[Row]:
    try:
        found, spec = _loaded(name), DeviceSpec(name=name, dialect=name)
        VirtualDevice(spec, _no_timer)
    except Exception as error:  # noqa: BLE001 - whatever a half-made dialect raises is what its rows say
        yield from _every_row(name, failed(f"the dialect or its emulated device is incomplete: {_said(error)}"))
        return
    with EmulatedFleet([spec]) as (device,), ThreadPoolExecutor(WORKERS) as pool:
        environment = network(_connection(device), name, *_ports(name, found, device))
        session = open_session(environment.devices[0])
        try:
            bench = _Bench(found, session, device, environment, yang, pool, device.running())
            waiting = [bench.row(action, family) for action, family in ACTION_ROWS]
        finally:
            session.close()
        for row, valid in waiting:
            yield row if valid is None else row.model_copy(update={"valid": valid.result()})


@dataclass(frozen=True)
class _Bench:
    """One dialect with a device of its own."""

    dialect: TreeDialect
    session: Session
    device: Emulated
    environment: Environment
    yang: Yang
    pool: ThreadPoolExecutor
    initial: str

    def row(self, action: str, family: Family | None) -> tuple[Row, Future[Cell] | None]:
        """A row, and the check of its documents that is still going on."""
        name = self.dialect.name
        if reason := self.dialect.not_offered(self.session.capabilities).get(action):
            return whole_row(name, action, family, Cell(state=State.NOT_OFFERED, text="no model", detail=reason)), None
        if self.device.running() != self.initial:
            self.device.set_running(self.initial)
        try:
            before, whole = self._read(), self.session.get_config()
            ops = operations(action, family, self.environment, self.dialect.parse(before))
            there = self.dialect.apply(before, ops)
            back = self.dialect.remove(there.after, ops)
        except Exception as error:  # noqa: BLE001 - of a half-made dialect too
            return whole_row(name, action, family, failed(f"cannot be rendered: {_said(error)}")), None
        if there.edit is None or back.edit is None:
            return whole_row(name, action, family, failed("rendered to no edit")), None
        steps = [("edit", before, there.edit), ("inverse", there.after, back.edit)]
        valid = self.pool.submit(self.yang.check, name, steps, whole)
        applied, undone = self._round(before, ops)
        row = whole_row(name, action, family, passed())
        return row.model_copy(update={"applied": applied, "rolled_back": undone}), valid

    def _round(self, before: str, ops: list[TaggedOp]) -> tuple[Cell, Cell]:
        """Apply and read back, then take back and compare."""
        raw = self.device.running()
        try:
            applied = self._apply(before, ops)
        except Exception as error:  # noqa: BLE001 - as above
            return failed(_said(error)), not_checked("not done", "there was nothing to roll back")
        try:
            return applied, self._undo(before, raw, ops)
        except Exception as error:  # noqa: BLE001 - as above
            return applied, failed(_said(error))

    def _apply(self, before: str, ops: list[TaggedOp]) -> Cell:
        there = self.dialect.apply(before, ops)
        self._commit(there.edit or "")
        data = self._read()
        if self.dialect.canonical(data) != self.dialect.canonical(there.after):
            return failed(f"what the device holds is not what was rendered: {self._differing(there.after, data)}")
        if _meaning(self.dialect.parse(data)) != _meaning(self.dialect.parse(there.after)):
            return failed("what was read back means something else")
        if self.dialect.apply(data, ops).edit is not None:
            return failed("read back, the action does not hold")
        marked = TAG in self.dialect.tags(data)
        return (
            passed() if marked else passed("untagged", f"its tag has no place on the device; {self.dialect.tag_place}")
        )

    def _undo(self, before: str, raw: str, ops: list[TaggedOp]) -> Cell:
        back = self.dialect.remove(self._read(), ops)
        self._commit(back.edit or "")
        if self.dialect.canonical(self._read()) != self.dialect.canonical(before):
            return failed(f"what the device holds is not what it held before: {self._differing(before, self._read())}")
        if self.device.running() != raw:
            return failed("equal in canonical XML, but the device's own document differs")
        return passed("byte-equal")

    def _differing(self, wanted: str, held: str) -> str:
        """The first lines of the two documents that differ."""
        lines = document_diff(self.dialect.pretty(wanted), self.dialect.pretty(held)).splitlines()[2:]
        found = [" ".join(line.split()) for line in lines if line[:1] in "+-"]
        return "; ".join(found[:SHOWN_LINES])

    def _read(self) -> str:
        return self.session.get_config("running", self.dialect.read_filter())

    def _commit(self, edit: str) -> None:
        """Make an edit take effect the way the device offers."""
        if not any(":capability:candidate:" in uri for uri in self.session.capabilities):
            self.session.edit("running", edit)
            return
        self.session.lock()
        try:
            self.session.discard()
            self.session.edit("candidate", edit)
            self.session.validate()
            self.session.commit()
        finally:
            self.session.unlock()


def _meaning(model: DeviceModel) -> tuple[frozenset[str], ...]:
    """What a model says, in whatever order a server shows its lists."""
    parts = (model.acls, model.attachments, model.interfaces, model.discards, model.notes)
    return tuple(frozenset(map(str, part)) for part in parts)


def _said(error: Exception) -> str:
    """An error as one sentence; one that was not made on purpose with its kind."""
    return str(error) if isinstance(error, SecLoopError) else f"{type(error).__name__}: {error}"


def _loaded(name: str) -> TreeDialect:
    found = dialect(name)
    if not isinstance(found, TreeDialect):
        raise TypeError(f"DIALECT is a {type(found).__name__}, not a TreeDialect")
    return found


def _no_timer(delay_s: float, call: Callable[[], None]) -> Timer:
    """For a device that is only built, to see whether it can be."""
    raise NotImplementedError(delay_s, call)


def _every_row(name: str, cell: Cell) -> Iterator[Row]:
    return (whole_row(name, action, family, cell) for action, family in ACTION_ROWS)


def _connection(device: Emulated) -> Connection:
    return Connection(
        address=device.host,
        port=device.port,
        user=device.user,
        key_file=str(device.private_key),
        known_hosts=str(device.known_hosts),
    )


def _ports(name: str, found: TreeDialect, device: Emulated) -> tuple[str, str]:
    """Names of the outside port and of one inside."""
    ports = load_profile(name).ports
    if OUTSIDE in ports and INSIDE in ports:
        return ports[OUTSIDE], ports[INSIDE]
    names = [i.name for i in found.parse(device.running()).interfaces]
    if len(names) <= 1:
        raise LabError(f"{name}: the emulated device has fewer than two interfaces")
    return names[0], names[1]
