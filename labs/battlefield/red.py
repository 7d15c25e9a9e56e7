"""The red team's hands on a battlefield."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from labs.scenario import Stage
from secloop_ai.contracts import IPAddress
from secloop_ai.contracts.errors import LabError

from .atlas import RED, Atlas
from .nodes import Nodes
from .services import stage_canary
from .wiring import batch, source_lines

LONGEST_S = 120.0
"""Seconds that any one tool may run, whatever it is given."""


class FieldRed:
    """Implements :class:`labs.attacks.base.Red` for one stage.

    Tools run as root without rights but those over their own network namespace, on the attacker's node or on the host
    where the stage starts.
    """

    def __init__(self, atlas: Atlas, nodes: Nodes, stage: Stage, scratch: Path, clock: Callable[[], float]) -> None:
        self._atlas, self._nodes, self._stage = atlas, nodes, stage
        self._scratch, self._clock = scratch, clock
        self._address = stage.source

    @property
    def node(self) -> str:
        """Where the tools run."""
        return self._stage.source_host or RED

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a tool where the stage starts; one that outlives its time is ended, with a returncode of 124."""
        folder = str(self._scratch)
        limit = min(timeout_s, LONGEST_S)
        return self._nodes.run(self.node, argv, rights="red", timeout_s=limit, stdin=stdin, folder=folder)

    def canary(self, stage: Stage) -> str:
        """The loot that the stage's target gives up only when the stage succeeds."""
        return stage_canary(self._atlas.case, stage)

    def scratch(self) -> Path:
        """A private folder, under the same path here and where the tools run."""
        return self._scratch

    def clock_s(self) -> float:
        """Seconds since the battlefield was up."""
        return self._clock()

    def address(self) -> IPAddress:
        """The address the stage starts from now."""
        return self._address

    def move(self, address: IPAddress) -> None:
        """Go on from another of the attacker's addresses: its packets bear that one from now on.

        Raises:
            LabError: it is none of the attacker's, or the stage starts on a host.
        """
        if self._stage.source_host is not None or address not in {p.address for p in self._atlas.case.attackers}:
            raise LabError(f"stage {self._stage.index}: {address} is no address the attacker can go to")
        node = self._atlas.nodes[RED]
        batch(node.netns, source_lines(node, str(address)), self._nodes.env)
        self._address = address
