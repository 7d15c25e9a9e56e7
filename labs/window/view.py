"""What stands on this machine now, as one frame of `secloop lab top` shows it."""

from __future__ import annotations

from typing import Literal

from secloop_ai.contracts import IPAddress
from secloop_ai.contracts.base import Frozen

from .status import ProbeState, StageWord


class PortRow(Frozen):
    """A port's traffic; `in` is what enters the gateway there. `hosts` is empty where nothing is known of them."""

    device: str
    port: str
    zone: str = ""
    hosts: tuple[str, ...] = ()
    packets_in_per_s: float
    packets_out_per_s: float
    bytes_in_per_s: float
    bytes_out_per_s: float

    @property
    def packets_per_s(self) -> float:
        """Both ways."""
        return self.packets_in_per_s + self.packets_out_per_s


class StageRow(Frozen):
    """A stage of the attack. `seconds`: it has lasted; None before it began."""

    stage: int
    means: str
    source: str
    target: str
    state: StageWord
    seconds: float | None = None


class AlertRow(Frozen):
    """Alerts of one signature, source and destination. `age_s`: since the last of them."""

    signature_id: int
    name: str
    classification: str
    severity: int
    source: IPAddress
    destination: IPAddress
    destination_port: int | None = None
    count: int
    age_s: float


class MitigationRow(Frozen):
    """A mitigation on the network, and the seconds until it leaves by itself."""

    mitigation_id: str
    action: str
    places: tuple[str, ...]
    state: str
    left_s: float


class View(Frozen):
    """A battlefield, or a lab.

    Attributes:
        state: ``playing``: somebody plays on it and says so; ``standing``: its maker lives; ``abandoned``: it does
            not, and ``secloop lab reap`` removes it.
        case: of a battlefield; empty for a lab.
        clock_s: on the battlefield's clock; None where nobody says.
        alerts_seen: alerts since the sensor was started.
        sensor: None where there is no sensor yet.
        notes: what could not be read.
    """

    name: str
    state: Literal["playing", "standing", "abandoned"]
    case: str = ""
    maker: int | None = None
    mode: str = ""
    policy: str = ""
    phase: str = ""
    clock_s: float | None = None
    stages: tuple[StageRow, ...] = ()
    ports: tuple[PortRow, ...] = ()
    alerts: tuple[AlertRow, ...] = ()
    alerts_seen: int = 0
    mitigations: tuple[MitigationRow, ...] = ()
    probes: tuple[ProbeState, ...] = ()
    sensor: Literal["alive", "gone"] | None = None
    notes: tuple[str, ...] = ()
