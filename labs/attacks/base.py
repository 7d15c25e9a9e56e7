"""What an attack means is: how it runs, how its success is seen, what it needs of the network, what a sensor may see.

One description serves the live battlefield (`run`) and the fast model (`exchanges`, `observables`, `countered_by`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol

from pydantic import Field

from labs.scenario import Stage
from secloop_ai.contracts import IPAddress, Slug, Technique
from secloop_ai.contracts.base import Frozen


class Tactic(Frozen):
    """An ATT&CK tactic (v19 names)."""

    id: str = Field(pattern=r"^TA\d{4}$")
    name: str


class Tool(Frozen):
    """A program a means needs, and the Debian package that brings it."""

    program: str
    package: str


class Exchange(Frozen):
    """Traffic that must get through for the stage to succeed.

    Attributes:
        initiator, responder: who opens it to whom.
        two_way: an answer must come back, too (TCP, DNS); False for a flood, where one way is enough.
        bytes_needed: payload that must pass for the stage to count, for rate limits; 0 when it does not matter.
        bytes_per_s: the rate the attacker tries.
        patience_s: seconds after which the attacker gives up.
    """

    initiator: IPAddress
    responder: IPAddress
    protocol: int = 6
    port: int | None = None
    two_way: bool = True
    bytes_needed: int = 0
    bytes_per_s: int = 0
    patience_s: float = 10.0


class Observable(Frozen):
    """An alert a sensor on the gateways is expected to raise.

    Attributes:
        sid: of the battlefield's rule set; 0: no signature names it (a zero-day's middleware-like event).
        count: alerts in one summary window, about.
    """

    sid: int = Field(ge=0)
    classification: Slug
    techniques: tuple[Technique, ...] = ()
    severity: int = Field(ge=1, le=4)
    app_protocol: Slug | None = None
    handshake: bool = True
    to_server: bool = True
    count: int = Field(default=1, ge=1)


class Receipt(Frozen):
    """The red side's own word on a stage: the truth about the attack.

    Attributes:
        succeeded: proven by a canary or by the attacker's own measurement, never by silence.
        canary: what was obtained, when the means obtains something.
        started_s, ended_s: seconds on the battlefield's clock.
        last_success_s: when the attacker last got something through; None when never.
    """

    stage: int
    means: str
    attempted: bool
    succeeded: bool
    canary: str | None = None
    detail: str = ""
    started_s: float
    ended_s: float
    last_success_s: float | None = None


class Done(Protocol):
    """A finished command."""

    returncode: int
    stdout: str
    stderr: str


class Red(Protocol):
    """The red team's hands on one battlefield. Everything runs in namespaces of that battlefield, bounded in time."""

    def run(self, argv: Sequence[str], *, timeout_s: float, stdin: str = "") -> Done:
        """Run a tool where the stage starts: in the attacker's namespace, or on the infected host.

        A tool that outlives its time is ended; that is a returncode of 124, not an error.
        """

    def canary(self, stage: Stage) -> str:
        """The loot that the stage's target gives up only when the stage succeeds."""

    def scratch(self) -> Path:
        """A private folder for word lists and the like, removed with the battlefield."""

    def clock_s(self) -> float:
        """Seconds since the battlefield was up."""

    def address(self) -> IPAddress:
        """The address the stage starts from now; a persistent attacker changes it."""


class Pace(NamedTuple):
    """A parameter that says how fast a means goes.

    Attributes:
        usual: what it is where a scenario does not say.
        slowest: beyond that the means would run out of time.
    """

    name: str
    usual: int
    slowest: int


class Means(ABC):
    """A plugin: one way to attack. Subclasses are found by being defined in labs/attacks/means_*.py.

    Class attributes:
        id: name in scenario files.
        tactic, technique: ATT&CK.
        service_kinds: kinds of service it works against; empty for those that need none.
        tools: programs it needs in the attacker's hands; missing ones make the means skipped, by name.
        needs: means of which one must have succeeded earlier in the chain.
        countered_by: host actions on the target that stop it; what the role does there must have that effect live.
        asks: the name that its target must answer truly, for a means that stands or falls with one.
        names: what a sensor reads in its traffic as names (as secloop_ai.alerts.domains parses them).
        blind: no sensor of the battlefield can see it (counted in print).
        paces: parameters that are a speed: a slower retry divides them.
        pauses: parameters that are a time between two tries: a slower retry multiplies them.
    """

    id: ClassVar[str]
    about: ClassVar[str]
    tactic: ClassVar[Tactic]
    technique: ClassVar[str]
    service_kinds: ClassVar[tuple[str, ...]] = ()
    tools: ClassVar[tuple[Tool, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    countered_by: ClassVar[tuple[str, ...]] = ()
    asks: ClassVar[str] = ""
    names: ClassVar[tuple[str, ...]] = ()
    blind: ClassVar[bool] = False
    paces: ClassVar[tuple[Pace, ...]] = ()
    pauses: ClassVar[tuple[Pace, ...]] = ()

    def otherwise(self, stage: Stage) -> Stage | None:  # noqa: ARG002 - most means know one protocol
        """The same stage by another protocol, for whoever was blocked; None where the means knows no other."""
        return None

    @abstractmethod
    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """Traffic that must all get through; empty when it needs none."""

    @abstractmethod
    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """Alerts expected in an undefended run."""

    @abstractmethod
    def run(self, red: Red, stage: Stage) -> Receipt:
        """Do it, bounded in count and time, and say truthfully what came of it."""
