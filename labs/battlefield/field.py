"""A battlefield as one object: up, down, and everybody's hands in it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from labs.lab import requirements
from labs.lab.netns import can_connect
from labs.scenario import Case, Scenario, Stage, draw
from secloop_ai.contracts import AlertSummary, CommitReport, Environment, Strategy
from secloop_ai.contracts.errors import LabError
from secloop_ai.loop.undo import Removal

from . import gateway, launcher, login, oddities, outside, sensor, services, skeleton, wiring
from .atlas import chart, netns
from .blue import Blue
from .gateway import Gateway, Keys
from .launcher import Rights
from .login import HostLogin
from .nodes import PATH, Nodes
from .observe import Observer
from .pulse import Heart
from .reaper import demolish
from .record import FieldRecord, claim
from .red import FieldRed
from .services import Place, Placed, Serving
from .surroundings import describe

EXEC_S = 60.0
SERVES_S = 20.0
POLL_S = 0.01
CONNECT_S = 0.5


class Battlefield:
    """An isolated live copy of a case. Needs root and the lab's Debian packages.

    Args:
        case: what to build.
        kinds: kind and weaknesses behind each (host, service); None takes a service's name for its kind.
        host_services: False leaves the hosts without services, for those who need the network alone.

    Attributes:
        observer: is told of a run on it; None: nobody looks on.
    """

    observer: Observer | None = None

    def __init__(self, case: Case, kinds: Mapping[Place, Serving] | None = None, *, host_services: bool = True) -> None:
        self.case = case
        self._kinds = kinds
        self._host_services = host_services
        self._record: FieldRecord | None = None
        self._gateways: tuple[Gateway, ...] = ()
        self._blue: Blue | None = None
        self._sensing = False
        self._env = {"PATH": PATH}
        self.timings: dict[str, float] = {}

    @classmethod
    def clone(cls, scenario: Scenario, seed: int, *, host_services: bool = True) -> Self:
        """The battlefield of a scenario and a seed; the same pair always gives the same one."""
        return cls(draw(scenario, seed), services.servings(scenario, seed), host_services=host_services)

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def up(self) -> Self:
        """Build it; nothing is left of one that could not be built.

        Raises:
            LabError: something is missing, or a part did not start (named, with the end of its log).
        """
        if lacking := requirements.explain():
            raise LabError(f"{lacking}: labs/setup/install_packages.sh installs them")
        if self._record is not None:
            raise LabError(f"battlefield {self.index} is up already")
        self._begun = time.monotonic()
        self._record = claim(self.case.case_id)
        finished = False
        try:
            self._build()
            finished = True
        finally:
            if not finished:
                self.down()
        self._up_s = time.monotonic()
        return self

    def _build(self) -> None:
        self.atlas = chart(self.case, self.index)
        self._kinds = self._kinds if self._kinds is not None else services.guessed(self.case)
        nodes = self.atlas.nodes.values()
        names = tuple(node.netns for node in nodes)
        links = tuple(m.link for m in self.atlas.management.values())
        self._record = self._taken().model_copy(update={"namespaces": names, "links": links}).save()
        binary = launcher.program(self._env)
        launcher.make_networks(binary, names, [n.netns for n in self.atlas.gateways()], self._env)
        with ThreadPoolExecutor(1) as side:
            wired = side.submit(wiring.build, self.atlas, self._env)
            modpath = self._write()
            self.nodes = Nodes(self.atlas, self.run_dir, binary, services.SERVERS)
            self.nodes.boot(nodes, self._binds())
            wired.result()
        self._lap("network")
        self._start(modpath)

    def _write(self) -> str:
        """Everything that is read by what is started; returns netconfd's module search path."""
        for name in ("log", "scratch"):
            (self.run_dir / name).mkdir(mode=0o700)
        known = ((str(h.addresses[0]), h.name) for h in self.case.environment.hosts)
        skeleton.write(self.run_dir / "host", known)
        skeleton.write_gateway(self.run_dir / "gateway")
        modpath = gateway.install(self.run_dir, self._env)
        self._keys = keys = Keys(self.run_dir / "keys")
        hosts = [node.name for node in self.atlas.hosts()]
        keys.know((str(m.device.ip) for m in self.atlas.management.values()), hosts)
        self._gateways = tuple(Gateway(self.atlas, n.name, self.run_dir) for n in self.atlas.gateways())
        for one in self._gateways:
            one.prepare(keys)
        self.environment: Environment = describe(self.atlas, self._kinds or {}, keys)
        return modpath

    def _binds(self) -> dict[str, list[str]]:
        """What of the battlefield's folder each node sees: gateways their own, the rest the red team's scratch."""
        scratch = f"{self.scratch}:{self.scratch}:rw"
        found = {one.name: one.binds() for one in self._gateways}
        return {name: found.get(name, [scratch]) for name in self.atlas.nodes}

    def _start(self, modpath: str) -> None:
        for one in self._gateways:
            one.enforce()
        starting = [process for one in self._gateways for process in one.start(self.nodes, modpath)]
        starting += list(login.start(self.nodes, self._keys))
        placed = tuple(services.place(self.case, self._kinds or {})) if self._host_services else ()
        starting += [services.start(one, self.nodes) for one in placed]
        if self._host_services:
            starting += list(outside.start(self.atlas, self.nodes))
        self.nodes.settle(starting)
        with ThreadPoolExecutor(len(self._gateways)) as pool:
            list(pool.map(Gateway.configure, self._gateways))
        self._lap("gateways")
        for service in placed:
            self._await(service)
        self._lap("services")

    def _await(self, placed: Placed) -> None:
        """Seen from the gateway it hangs on. A UDP service says nothing unasked."""
        if placed.service.protocol != "tcp" or placed.host.attached_to is None:
            return
        where = self.netns(placed.host.attached_to.device)
        deadline = time.monotonic() + SERVES_S
        log = self.nodes.log(placed.name)
        while not can_connect(where, str(placed.order.address), placed.order.port, CONNECT_S):
            if time.monotonic() > deadline or not Path(f"/proc/{self.nodes.daemons[placed.name]}/root/.").exists():
                said = log.read_text(encoding="utf-8", errors="replace")[-400:].strip()
                raise LabError(f"{placed.name}: does not serve: {said or 'no message'}")
            time.sleep(POLL_S)

    def _lap(self, name: str) -> None:
        self.timings[name] = round(time.monotonic() - self._begun, 4)

    def down(self) -> None:
        """Remove everything; safe to call twice.

        Raises:
            LabError: a process or a namespace would not go.
        """
        if self._record is None:
            return
        if self._blue:
            self._blue.close()
            self._blue = None
        for one in self._gateways:
            one.stop()
        demolish(self._record)
        if hasattr(self, "nodes"):
            self.nodes.collect()
        for one in self._gateways:
            one.join()
        self._record, self._gateways, self._sensing = None, (), False

    def _taken(self) -> FieldRecord:
        if self._record is None:
            raise LabError(f"{self.case.case_id}: the battlefield is not up")
        return self._record

    @property
    def index(self) -> int:
        """Its number on this machine, the lowest that was free."""
        return self._taken().index

    @property
    def run_dir(self) -> Path:
        """Its private folder."""
        return self._taken().run_dir

    @property
    def scratch(self) -> Path:
        """The red team's folder, under the same path on every host."""
        return self.run_dir / "scratch"

    @property
    def eve_path(self) -> Path:
        """The sensor's event log, on the sensor's node; it is there once the sensor was started."""
        folder = sensor.logs(self.nodes) if self._sensing else self.run_dir / sensor.NAME
        return folder / sensor.EVE

    def netns(self, node: str) -> str:
        """Network namespace of a host, a gateway, or ``red``."""
        return netns(self.index, node)

    def clock_s(self) -> float:
        """Seconds since the battlefield was up."""
        return time.monotonic() - self._up_s

    def start_sensor(self) -> Path:
        """Start the sensor, if it does not run; returns its event log. It takes about half a second.

        Raises:
            LabError: Suricata did not start.
        """
        if self._sensing:
            return self.eve_path
        own = sensor.node(self.index)
        record = self._taken()
        self._record = record.model_copy(update={"namespaces": (*record.namespaces, own.netns)}).save()
        launcher.make_networks(self.nodes.binary, [own.netns], [], self._env)
        sensor.wire(self.atlas, self._env)
        config = sensor.write_config(self.atlas, self._kinds or {}, self.run_dir / sensor.NAME)
        sensor.start(self.atlas, self.nodes, config)
        self._sensing = True
        return self.eve_path

    def heart(self) -> Heart:
        """A context manager that tells whether the sensor saw all the time.

        Raises:
            LabError: the sensor was not started.
        """
        if not self._sensing:
            raise LabError(f"{self.case.case_id}: the sensor was not started")
        return Heart(self.atlas, self.nodes)

    def sensor_alive(self) -> bool:
        """Whether the sensor sees now: known packets are sent to it and must be in its log within seconds."""
        if not self._sensing:
            return False
        with self.heart() as heart:
            return heart.check().alive

    def alerts(self) -> tuple[AlertSummary, ...]:
        """Summaries of what the sensor has raised so far; a line that is cut off is left out."""
        return oddities.heard(self.eve_path) if self._sensing else ()

    def red(self, stage: Stage) -> FieldRed:
        """The red team's hands for a stage."""
        return FieldRed(self.atlas, self.nodes, stage, self.scratch, self.clock_s)

    def exec(
        self, node: str, argv: Sequence[str], *, timeout_s: float = EXEC_S, stdin: str = "", rights: Rights = "service"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a node, by default without any rights; a non-zero exit is no error, 124 is out of time.

        Raises:
            LabError: there is no such node.
        """
        return self.nodes.run(node, argv, rights=rights, timeout_s=timeout_s, stdin=stdin)

    def login(self, host: str) -> HostLogin:
        """How the controller's roles log in on a host."""
        return login.login(self.nodes, self._keys, host)

    def snapshot(self) -> dict[str, bytes]:
        """Device → its running configuration, read over NETCONF, in canonical XML.

        Raises:
            LabError: a gateway does not answer.
        """
        found = {}
        for one in self._gateways:
            with one.session() as session:
                found[one.name] = session.running()
        return found

    def host_digest(self, host: str) -> str:
        """A number for what roles may have changed on a host: the same before a role and after its undo.

        Raises:
            LabError: no such host, or it could not be looked at.
        """
        return login.digest(self.nodes, host)

    def apply(self, strategy: Strategy, summaries: Sequence[AlertSummary] = ()) -> CommitReport:
        """Put a strategy on gateways and hosts, as respond.yml would: same guard, same plan, same transaction.

        Args:
            strategy: what to do.
            summaries: the alerts that are its evidence.

        Raises:
            GuardRefusal: the guard does not allow it.
            PlanError: an action does not fit this network.
            TransactionFailed: the change was undone, or is in doubt.
        """
        return self.team().apply(strategy, summaries)

    def undo(self) -> Removal:
        """Take everything that `apply` did off the gateways and hosts again.

        Raises:
            TransactionFailed: it could not be; everything is as before.
        """
        return self.team().undo()

    def team(self) -> Blue:
        """The blue team, with its ledger; it is there once it is asked for."""
        if self._blue is None:
            logins = {node.name: self.login(node.name).variables() for node in self.atlas.hosts()}
            self._blue = Blue(self.environment, self.run_dir / "blue", logins)
        return self._blue
