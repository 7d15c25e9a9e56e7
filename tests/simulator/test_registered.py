"""Every means of the registry, played by the fast model where it finds what it is made for."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from labs.attacks.base import Means
from labs.attacks.registry import all_means
from labs.simulator import FastField, registered
from secloop_ai.contracts import ShutdownPort
from secloop_ai.contracts.errors import LabError

from .world import BASE, OBSERVE, case_of, strategy

PORT = 7777
LEADS_OUT = ("Command and Control", "Exfiltration")


def field_for(plugin: Means) -> FastField:
    """The means against a weak service of its kind, after one of those it needs; or from an implant to the outside."""
    hosts: list[dict[str, Any]] = deepcopy(BASE["hosts"])
    web, desk = hosts[0], hosts[2]
    outwards = any(k.startswith("c2") for k in plugin.service_kinds) or (
        not plugin.service_kinds and plugin.tactic.name in LEADS_OUT
    )
    if outwards:
        desk["infected"] = True
        return FastField(case_of({"means": plugin.id, "source": "desk", "target": "outside"}, hosts=hosts))
    ids = [*plugin.needs[:1], plugin.id]
    kind = plugin.service_kinds[0] if plugin.service_kinds else "http"
    web["services"].append({"name": "weak", "kind": kind, "port": PORT, "clients": ["desk"], "weaknesses": ids})
    target = "web/weak" if plugin.service_kinds else "web"
    return FastField(case_of(*({"means": i, "target": target} for i in ids), hosts=hosts))


@pytest.mark.parametrize("plugin", all_means(), ids=lambda p: p.id)
def test_it_succeeds_undefended_and_is_seen_unless_it_is_blind(plugin: Means) -> None:
    field = field_for(plugin)
    found = field.undefended()
    assert found.valid, found.stages
    assert field.evaluate(OBSERVE) == found
    assert bool(field.alerts()) is not plugin.blind


@pytest.mark.parametrize("plugin", all_means(), ids=lambda p: p.id)
def test_what_crosses_a_gateway_ends_with_all_ports_down(plugin: Means) -> None:
    field = field_for(plugin)
    ports = [(d.name, i.name) for d in field.case.environment.devices for i in d.interfaces]
    down = [ShutdownPort(ttl_s=300, device=d, interface=i) for d, i in ports]
    crosses = bool(plugin.exchanges(field.case.stages[-1]))
    assert bool(field.evaluate(strategy(*down)).rs_attack) is not crosses


def test_a_name_that_nobody_has_is_said() -> None:
    with pytest.raises(LabError, match="port-scam"):
        registered("port-scam")
