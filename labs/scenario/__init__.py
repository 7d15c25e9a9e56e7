"""What happens on a battlefield, written down once: for packets, for the fast model, for the suites.

scenario = load_scenario(Path("labs/suites/autoattack/port-scan.yaml"))
case = draw(scenario, seed=7)       # addresses, names, client mix, attack parameters
case.environment                    # what SecLoop is told
case.stages                         # what the red team does
"""

from __future__ import annotations

from .case import AttackerPlace, Case, LegitFlow, Link, Stage
from .draw import draw
from .load import load_scenario
from .model import (
    ChainStep,
    Draw,
    FlowSpec,
    GatewaySpec,
    HostSpec,
    Kind,
    Scenario,
    ServiceSpec,
    Split,
    Suite,
    ZoneSpec,
)

__all__ = [
    "AttackerPlace",
    "Case",
    "ChainStep",
    "Draw",
    "FlowSpec",
    "GatewaySpec",
    "HostSpec",
    "Kind",
    "LegitFlow",
    "Link",
    "Scenario",
    "ServiceSpec",
    "Split",
    "Stage",
    "Suite",
    "ZoneSpec",
    "draw",
    "load_scenario",
]
