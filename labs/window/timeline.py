"""One battlefield run as it can be shown: what the case is, what happened when, and how much traffic there was.

Every text in it is a typed field of ours (names of the inventory, addresses, enumerations, ids); what an attacker wrote
(a signature's variable part, a URL, a tool's output) is not kept, or only in its defused form. All times are seconds on
the battlefield's clock, which starts when the clone is up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError

from labs.scenario import Kind, Link
from labs.validator.measurement import Measurement
from secloop_ai.contracts import IPAddress, Name, Port, Slug
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.errors import LabError

SAMPLE_S = 0.25
"""Seconds between two samples of a series."""
PLAIN = r"^[^\x00-\x1f\x7f]*$"
Plain = Annotated[str, Field(pattern=PLAIN, max_length=400)]
"""A line without control characters: a terminal shows it as it is."""
Mode = Literal["undefended", "blue-first", "mid-attack"]


class ServiceFact(Frozen):
    """A service of a host."""

    name: Slug
    protocol: Slug
    port: Port


class NodeFact(Frozen):
    """A machine. Hosts of the outside have the zone of their port, as the attacker has."""

    name: Name
    kind: Literal["gateway", "host", "attacker"]
    zone: Slug = "default"
    addresses: tuple[IPAddress, ...] = ()
    services: tuple[ServiceFact, ...] = ()
    infected: bool = False


class PortFact(Frozen):
    """A port of a gateway.

    Attributes:
        members: nodes that hang on it.
        links: the kernel's names of the port's cables; several behind a switch.
    """

    device: Name
    port: Name
    zone: Slug
    members: tuple[Name, ...]
    links: tuple[Name, ...]

    @property
    def key(self) -> str:
        """Name among all ports of the battlefield."""
        return f"{self.device}/{self.port}"


class StageFact(Frozen):
    """A stage as planned.

    Attributes:
        source_host, target_host: None is the attacker, or a server of it outside.
    """

    index: int
    means: Slug
    tactic: Plain = ""
    technique: Plain = ""
    source: IPAddress
    source_host: Name | None = None
    target: IPAddress
    target_host: Name | None = None
    service: Slug | None = None


class CaseFacts(Frozen):
    """What is known before anything happens."""

    case_id: Plain
    suite: Slug
    family: Slug
    kind: Kind
    seed: int
    persistent: bool = False
    nodes: tuple[NodeFact, ...]
    ports: tuple[PortFact, ...]
    cables: tuple[Link, ...] = ()
    attackers: tuple[IPAddress, ...] = ()
    stages: tuple[StageFact, ...] = ()

    def node(self, name: str) -> NodeFact | None:
        """The node of that name."""
        return next((n for n in self.nodes if n.name == name), None)


class Marked(Frozen):
    """The run enters a phase (``clients at work``, ``attack begins``, ``attack is over`` …)."""

    kind: Literal["phase"] = "phase"
    at_s: float
    phase: Plain


class StageStarted(Frozen):
    """The red team tries a stage."""

    kind: Literal["stage-started"] = "stage-started"
    at_s: float
    stage: int


class StageEnded(Frozen):
    """The red side's receipt.

    Attributes:
        detail: why it was not attempted, defused; what an attack tool printed is not kept.
    """

    kind: Literal["stage-ended"] = "stage-ended"
    at_s: float
    stage: int
    attempted: bool
    succeeded: bool
    detail: Plain = ""
    last_success_s: float | None = None


class AlertSeen(Frozen):
    """Alerts of one signature, source and destination that came with one reading of the sensor's log.

    Attributes:
        at_s: of the first, by the sensor's own clock.
        arrived_s: when they could be read.
        name: the rule's message in our own rule files; empty for a signature that is not ours.
    """

    kind: Literal["alert"] = "alert"
    at_s: float
    arrived_s: float
    signature_id: int = Field(ge=0)
    classification: Slug
    severity: int = Field(ge=1, le=4)
    source: IPAddress
    destination: IPAddress
    destination_port: Port | None = None
    protocol: Slug
    handshake: bool
    count: int = Field(default=1, ge=1)
    name: Plain = ""


class EvidenceFact(Frozen):
    """A summary of alerts that the policy was shown.

    Attributes:
        name: as of :class:`AlertSeen`.
    """

    signature_id: int = Field(ge=0)
    name: Plain = ""
    classification: Slug
    severity: int = Field(ge=1, le=4)
    source: IPAddress
    destination: IPAddress
    destination_port: Port | None = None
    handshake: bool
    count: int = Field(ge=1)


class DevicePart(Frozen):
    """A device's, or a host's, part in a change."""

    name: Name
    state: Slug


class MitigationFact(Frozen):
    """A mitigation on the network.

    Attributes:
        action: as a person reads it.
        places: devices and hosts it stands on.
    """

    mitigation_id: Plain
    action: Plain
    ttl_s: int
    places: tuple[Name, ...]


class ActionApplied(Frozen):
    """A strategy was carried out, or was not.

    Attributes:
        began_s: when the blue team began; `at_s` is when it was through.
        outcome: of the transaction; ``refused`` by the guard, ``failed`` before a transaction.
        reasons: of a refusal or a failure.
    """

    kind: Literal["action"] = "action"
    at_s: float
    began_s: float
    policy: Plain
    actions: tuple[Plain, ...]
    outcome: Slug
    devices: tuple[DevicePart, ...] = ()
    mitigations: tuple[MitigationFact, ...] = ()
    reasons: tuple[Plain, ...] = ()


class ActionUndone(Frozen):
    """The mitigations were taken off again."""

    kind: Literal["undone"] = "undone"
    at_s: float
    removed: tuple[Plain, ...]
    failures: tuple[Plain, ...] = ()


class ProbeTurned(Frozen):
    """A legitimate use began to fail, or works again."""

    kind: Literal["probe"] = "probe"
    at_s: float
    client: Name
    service: Name
    served: bool


Event = Annotated[
    Marked | StageStarted | StageEnded | AlertSeen | ActionApplied | ActionUndone | ProbeTurned,
    Field(discriminator="kind"),
]


class ProbeTotal(Frozen):
    """A client's use of a service over the whole run."""

    client: Name
    service: Name
    tries: int = Field(ge=0)
    served: int = Field(ge=0)


class PortRates(Frozen):
    """Traffic of a port, one figure a sample; `in` is what enters the gateway there."""

    packets_in_per_s: tuple[float, ...]
    packets_out_per_s: tuple[float, ...]
    bytes_in_per_s: tuple[float, ...]
    bytes_out_per_s: tuple[float, ...]


class Series(Frozen):
    """Rates over the time since the sample before.

    Attributes:
        at_s: of each sample.
        ports: by :attr:`PortFact.key`.
        tries_per_s, served_per_s: of all legitimate clients.
    """

    at_s: tuple[float, ...] = ()
    ports: dict[str, PortRates] = Field(default_factory=dict)
    tries_per_s: tuple[float, ...] = ()
    served_per_s: tuple[float, ...] = ()


class Try(NamedTuple):
    """A stage, once.

    Attributes:
        end: None where the run was over before it.
    """

    stage: int
    from_s: float
    to_s: float
    end: StageEnded | None

    @property
    def word(self) -> str:
        """What came of it."""
        if self.end is None:
            return "not over"
        return "not attempted" if not self.end.attempted else "succeeded" if self.end.succeeded else "failed"


class Timeline(Frozen):
    """A recorded run.

    Attributes:
        policy: name of what decided; empty without one.
        alerts: alerts that the sensor raised, those of events left out, too.
        alerts_left_out: alerts beyond the recorder's bound, which no event shows.
        lines_unread: lines of the sensor's log that could not be read.
        evidence: alerts of the undefended twin, which the strategy of a `blue-first` run answers.
        verdict: the judge's, of the run shown.
        twin: of the undefended twin; None where the run is that itself.
    """

    format: Literal[1] = 1
    recorded_at: datetime
    mode: Mode
    policy: Plain = ""
    facts: CaseFacts
    events: tuple[Event, ...]
    series: Series
    probes: tuple[ProbeTotal, ...] = ()
    alerts: int = 0
    alerts_left_out: int = 0
    lines_unread: int = 0
    evidence: tuple[EvidenceFact, ...] = ()
    verdict: Measurement
    twin: Measurement | None = None

    def tries(self) -> Iterator[Try]:
        """Every time that a stage was tried, or was not attempted; in mid-attack a stage comes several times."""
        begun: dict[int, float] = {}
        for event in self.events:
            if isinstance(event, StageStarted):
                begun[event.stage] = event.at_s
            elif isinstance(event, StageEnded):
                yield Try(event.stage, begun.pop(event.stage, event.at_s), event.at_s, event)
        for stage, began in begun.items():
            yield Try(stage, began, self.ends_s, None)

    @property
    def ends_s(self) -> float:
        """When the last thing happened, on the battlefield's clock."""
        return max([*(e.at_s for e in self.events), *self.series.at_s[-1:]], default=0.0)

    def save(self, path: Path) -> None:
        """Write it as JSON.

        Raises:
            LabError: the file cannot be written.
        """
        try:
            path.write_text(self.model_dump_json(exclude_defaults=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise LabError(f"{path}: {error.strerror}") from None


def load_timeline(path: Path) -> Timeline:
    """A run that was recorded earlier.

    Raises:
        LabError: the file cannot be read, or is no recorded run; names file and field.
    """
    try:
        return Timeline.model_validate_json(path.read_bytes())
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise LabError(f"{path}: not a recorded run: {where}: {first['msg']}") from None
