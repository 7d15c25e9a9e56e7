"""The services of a battlefield: which program runs where, with which canaries."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from labs.lab.netns import run_in
from labs.scenario import Case, Scenario, Stage
from labs.scenario.draw import rng
from labs.scenario.layout import lay_out
from labs.services.base import SERVERS, ServiceOrder, ServiceProgram, program, programs
from secloop_ai.contracts import Host, Service
from secloop_ai.contracts.errors import LabError

from .launcher import SERVICE_ID, Starting
from .nodes import Nodes
from .skeleton import interpreter

FOLDER = Path("/srv")
ETC = Path("/etc")
RENAMED = ("/bin/bash", "-c", 'exec -a "$1" "$0" "${@:2}"')
"""Executes the file of the first argument under the name of the second."""
Place = tuple[str, str]
"""Host and service."""


class Serving(NamedTuple):
    """A service as the scenario has it."""

    kind: str
    weaknesses: tuple[str, ...] = ()


class Placed(NamedTuple):
    """A service where it runs."""

    host: Host
    service: Service
    order: ServiceOrder

    @property
    def name(self) -> str:
        """Of its process."""
        return f"{self.host.name}/{self.service.name}"


def servings(scenario: Scenario, seed: int) -> dict[Place, Serving]:
    """The kinds and weaknesses behind a case's services: the scenario's, under the names the seed draws."""
    layout = lay_out(scenario, rng(scenario.name, seed))
    return {
        (name, s.name): Serving(s.kind, s.weaknesses) for name in layout.hosts for s in layout.spec_of[name].services
    }


def guessed(case: Case) -> dict[Place, Serving]:
    """The same where only the case is known: the kind is the service's name, the weaknesses those of its stages.

    Raises:
        LabError: no kind has the name of a service.
    """
    found: dict[Place, Serving] = {}
    for host in case.environment.hosts:
        for service in host.services:
            if service.name not in programs():
                known = ", ".join(sorted(programs()))
                raise LabError(f"{case.case_id}: {host.name}: no service kind {service.name}; there are {known}")
            weak = {s.means for s in case.stages if s.weak and (s.target_host, s.service) == (host.name, service.name)}
            found[host.name, service.name] = Serving(service.name, tuple(sorted(weak)))
    return found


def canary(case: Case, place: Place | None, means: str) -> str:
    """The loot of a means at a service, or of one that needs none; the same in every clone of the case."""
    digest = hashlib.sha256("\x00".join((case.case_id, *(place or ()), means)).encode()).hexdigest()
    return f"canary-{digest[:20]}"


def stage_canary(case: Case, stage: Stage) -> str:
    """The loot of a stage."""
    place = (stage.target_host, stage.service) if stage.target_host and stage.service else None
    return canary(case, place, stage.means)


def place(case: Case, kinds: Mapping[Place, Serving]) -> Iterator[Placed]:
    """Every service of the case with its order.

    Raises:
        LabError: the kind of a service is not known.
    """
    for host in case.environment.hosts:
        for service in host.services:
            where = (host.name, service.name)
            if (serving := kinds.get(where)) is None:
                raise LabError(f"{case.case_id}: the kind of {host.name}/{service.name} is not known")
            order = ServiceOrder(
                kind=serving.kind,
                address=host.addresses[0],
                port=service.port,
                weaknesses=serving.weaknesses,
                canaries={means: canary(case, where, means) for means in serving.weaknesses},
                root=FOLDER / service.name,
                etc=ETC,
            )
            yield Placed(host, service, order)


def start(placed: Placed, nodes: Nodes) -> Starting:
    """Put the service's files on its host and start it there, unprivileged.

    Raises:
        LabError: no such kind, or the host's network namespace refused a setting.
    """
    kind, order, host = program(placed.order.kind), placed.order, placed.host.name
    put(kind, order, nodes, host)
    if settings := kind.sysctls(order):
        _set(nodes.atlas.nodes[host].netns, settings)
    own = named(kind.command(order), order, nodes.inside(host))
    return nodes.start(placed.name, host, own, folder=str(order.root))


def named(command: list[str], order: ServiceOrder, root: Path) -> list[str]:
    """The command line under which the kernel calls the process as the service is called, for roles to find it.

    The kernel names a process after the file that was executed: a link of that name to our Python, which for its part
    goes by the name it is called with. The link comes last into the folder: nothing may follow it from out here.
    """
    if command[0] != sys.executable:
        return command
    link = order.root / order.root.name
    (root / link.relative_to("/")).symlink_to(interpreter())
    return [*RENAMED, str(link), *command]


def put(kind: ServiceProgram, order: ServiceOrder, nodes: Nodes, node: str) -> None:
    """Write a service's files below the node's root, in its memory.

    Nothing runs on the node yet, so no link there can lead astray.
    """
    root = nodes.inside(node) / order.root.relative_to("/")
    root.mkdir()
    for name, content in kind.files(order).items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content, encoding="utf-8")
        target.chmod(0o600)
    for folder, folders, files in os.walk(root):
        for entry in (".", *folders, *files):
            os.chown(Path(folder) / entry, SERVICE_ID, SERVICE_ID)


def _set(netns: str, settings: Mapping[str, str]) -> None:
    """Settings of the namespace's own network: what the thread that opens the file is in."""

    def write() -> None:
        for key, value in settings.items():
            if not key.startswith("net/") or ".." in key:
                raise LabError(f"{key}: only net/ settings belong to a host")
            (Path("/proc/sys") / key).write_text(value, encoding="utf-8")

    run_in(netns, write)


__all__ = ["SERVERS", "Placed", "Serving", "canary", "guessed", "place", "put", "servings", "stage_canary", "start"]
