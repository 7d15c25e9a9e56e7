"""The attacker's own servers: what stages reach on the outside, on the attacker's node under the target's address."""

from __future__ import annotations

from collections.abc import Iterator

from labs.attacks.registry import means
from labs.scenario import Stage
from labs.services.base import ServiceOrder, program, programs
from secloop_ai.contracts import IPAddress, Port

from .atlas import RED, Atlas
from .launcher import Starting
from .nodes import Nodes
from .services import FOLDER, put, stage_canary

Server = tuple[str, IPAddress, Port]
"""Kind, address, port."""


def servers(stages: tuple[Stage, ...]) -> dict[Server, list[Stage]]:
    """The servers that stages need outside, each with its stages: the kind and port are the means' own."""
    found: dict[Server, list[Stage]] = {}
    for stage in (s for s in stages if s.target_host is None):
        plugin = means(stage.means)
        ports = [e.port for e in plugin.exchanges(stage) if e.responder == stage.target and e.port]
        kinds = [k for k in plugin.service_kinds if k in programs()]
        if kinds and ports:
            found.setdefault((kinds[0], stage.target, ports[0]), []).append(stage)
    return found


def start(atlas: Atlas, nodes: Nodes) -> Iterator[Starting]:
    """Start them, unprivileged like any service.

    Raises:
        LabError: a stage's means is not known, or a server's files cannot be written.
    """
    for (kind, address, port), stages in servers(atlas.case.stages).items():
        order = ServiceOrder(
            kind=kind,
            address=address,
            port=port,
            weaknesses=tuple(sorted({s.means for s in stages})),
            canaries={s.means: stage_canary(atlas.case, s) for s in stages},
            root=FOLDER / f"{kind}-{port}",
        )
        served = program(kind)
        put(served, order, nodes, RED)
        name = f"{RED}/{kind}-{port}"
        yield nodes.start(name, RED, served.command(order), folder=str(order.root))
