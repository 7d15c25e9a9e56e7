"""What a service of a battlefield is: a command to run, the files it reads, the weaknesses it shows.

The battlefield writes `files` below the order's private folder, sets `sysctls` in the host's network namespace, and
then runs `command` there, unprivileged. A service binds its own port; below 1024 the namespace's
``net.ipv4.ip_unprivileged_port_start`` is 0.

What weak services have in common: they look for a marker in what they receive and answer with the canary of that
means. They never run, evaluate, unpack or store what they receive, beyond a bounded buffer in memory.
"""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, ClassVar

from pydantic import Field

from labs.scenario.model import MeansId
from secloop_ai.contracts import IPAddress, Port, Slug
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

HERE = Path(__file__).resolve().parent
SERVERS = HERE / "servers"
CONFIG = "service.json"


class ServiceOrder(Frozen):
    """One service to run.

    Attributes:
        address: where it listens.
        weaknesses: means that find something here; without them the same exchange ends in a refusal.
        canaries: the loot of each means in `weaknesses` (others are ignored).
        root: private folder of the service; exists, is readable by the service, and goes with the battlefield. Its
            name is that of the service.
        etc: the host's settings that the service honours as a real one would (locked accounts, drop-ins); None where
            it runs on no host of its own.
    """

    kind: Slug
    address: IPAddress
    port: Port
    weaknesses: tuple[MeansId, ...] = ()
    canaries: dict[MeansId, str] = Field(default_factory=dict)
    root: Path
    etc: Path | None = None

    def loot(self) -> dict[str, str]:
        """The canaries that this service gives up: those of its weaknesses.

        Raises:
            LabError: a weakness has no canary.
        """
        if lacking := sorted(set(self.weaknesses) - set(self.canaries)):
            raise LabError(f"service {self.kind} at {self.address}:{self.port}: no canary for {', '.join(lacking)}")
        return {means: self.canaries[means] for means in self.weaknesses}


class ServiceProgram(ABC):
    """A kind of service. Subclasses are found by being defined in a module of labs/services.

    Class attributes:
        kind: name in scenario files.
        protocol: of its port: ``tcp`` or ``udp``.
        tools: Debian programs it needs as (program, package); own servers need none.
    """

    kind: ClassVar[str]
    protocol: ClassVar[str] = "tcp"
    tools: ClassVar[tuple[tuple[str, str], ...]] = ()

    @abstractmethod
    def command(self, order: ServiceOrder) -> list[str]:
        """The command line, to be run inside the host's namespaces without privileges; it stays in the foreground."""

    @abstractmethod
    def files(self, order: ServiceOrder) -> dict[str, str]:
        """What must lie below ``order.root`` first: relative path → content."""

    def sysctls(self, order: ServiceOrder) -> dict[str, str]:  # noqa: ARG002 - most kinds need none
        """Settings of the host's own network namespace (``net/...`` → value) that make a weakness real."""
        return {}


def python_server(name: str, order: ServiceOrder) -> list[str]:
    """The command line of one of our own servers, ``servers/NAME.py``: its one argument is the configuration file."""
    return [sys.executable, "-I", "-S", str(SERVERS / f"{name}.py"), str(order.root / CONFIG)]


def config_file(order: ServiceOrder, **more: Any) -> dict[str, str]:
    """The configuration file of one of our own servers: what all are told, loot, and whatever the kind adds (JSON)."""
    return {CONFIG: json.dumps({**place(order), "loot": order.loot(), **more}, sort_keys=True)}


def place(order: ServiceOrder) -> dict[str, Any]:
    """What every server is told: where it listens, and the host's settings (empty: none)."""
    etc = str(order.etc) if order.etc else ""
    return {"address": str(order.address), "port": order.port, "etc": etc}


def program(kind: str) -> ServiceProgram:
    """The program of that kind.

    Raises:
        LabError: no such kind.
    """
    if (found := programs().get(kind)) is None:
        raise LabError(f"no service kind {kind}; there are {', '.join(sorted(programs()))}")
    return found


@cache
def programs() -> Mapping[str, ServiceProgram]:
    """Every kind of service that a module of labs/services defines."""
    found: dict[str, ServiceProgram] = {}
    for module in _modules():
        for value in vars(import_module(module)).values():
            if _concrete(value, module):
                if value.kind in found:
                    raise LabError(f"service kind {value.kind} is defined twice, the second time in {module}")
                found[value.kind] = value()
    return found


def _modules() -> Sequence[str]:
    package = __name__.rpartition(".")[0]
    return sorted(f"{package}.{m.name}" for m in iter_modules([str(HERE)]) if not m.ispkg and m.name != "base")


def _concrete(value: object, module: str) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, ServiceProgram)
        and value.__module__ == module
        and isinstance(getattr(value, "kind", None), str)
    )
