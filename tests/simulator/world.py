"""A small network with two gateways, a shared segment, and means whose traffic one can follow by hand.

outside: attacker, partner ── edge ──(cable)── core ── servers: db
                               ├── dmz: web (http, ssh)
                               └── office, one segment: desk1, desk2, printer (http)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from labs.attacks.base import Exchange, Means, Observable, Receipt, Red, Tactic
from labs.scenario import Case, Scenario, Stage, draw
from labs.simulator import FastField
from secloop_ai.contracts import Action, Host, IPAddress, Observe, ObserveReason, Strategy

FLOOD_BYTES_PER_S = 10_000_000


class _Means(Means):
    """One exchange with the target's port, and one alert."""

    about = "traffic to follow by hand"
    tactic = Tactic(id="TA0006", name="Credential Access")
    technique = "T1110"
    seen = Observable(sid=9001001, classification="attempted-admin", severity=1, count=20, app_protocol="ssh")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        return (Exchange(initiator=stage.source, responder=stage.target, port=stage.port),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:  # noqa: ARG002 - the same for every stage
        return (self.seen,)

    def run(self, red: Red, stage: Stage) -> Receipt:
        raise NotImplementedError


class Guess(_Means):
    id = "guess"
    service_kinds = ("ssh", "http", "redis")
    countered_by = ("secure_sshd", "close_port")


class Sweep(_Means):
    id = "sweep"
    technique = "T1046"


class Pivot(_Means):
    id = "pivot"
    technique = "T1021"
    needs = ("guess",)


class Beacon(_Means):
    id = "beacon"
    technique = "T1071"
    countered_by = ("stop_process",)
    seen = Observable(sid=9001002, classification="command-and-control", severity=1, app_protocol="http")


class Flood(_Means):
    """Ten megabytes a second one way; five seconds' worth of it has to arrive."""

    id = "flood"
    technique = "T1498.001"
    seen = Observable(sid=9001003, classification="attempted-dos", severity=2, handshake=False, count=900)

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        (one,) = super().exchanges(stage)
        sent = {"bytes_needed": 5 * FLOOD_BYTES_PER_S, "bytes_per_s": FLOOD_BYTES_PER_S, "patience_s": 5.0}
        return (one.model_copy(update={"two_way": False, **sent}),)


class Upload(_Means):
    """A megabyte at 200 kB/s, and ten seconds' patience."""

    id = "upload"
    technique = "T1041"

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        (one,) = super().exchanges(stage)
        return (one.model_copy(update={"bytes_needed": 1_000_000, "bytes_per_s": 200_000, "patience_s": 10.0}),)


class Loot(_Means):
    """Answers that name what was taken: the alert fires on the way back."""

    id = "loot"
    seen = Observable(sid=9001004, classification="web-application-attack", severity=1, to_server=False)


class Spoof(_Means):
    """A neighbour's trick that gateways see as a broadcast."""

    id = "spoof"
    technique = "T1557"
    seen = Observable(sid=9001005, classification="misc-attack", severity=2, app_protocol="arp")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        return (Exchange(initiator=stage.source, responder=stage.target, protocol=17, port=68),)


class Silent(_Means):
    id = "silent"
    blind = True


MEANS: dict[str, Means] = {
    m.id: m for m in (Guess(), Sweep(), Pivot(), Beacon(), Flood(), Upload(), Loot(), Spoof(), Silent())
}
GUESS_SSH = {"means": "guess", "target": "web/ssh"}
BASE: dict[str, Any] = {
    "name": "two-gateways", "suite": "autoattack", "family": "hand-made", "split": "train",
    "zones": [
        {"name": "outside", "outside": True}, {"name": "dmz"}, {"name": "office", "switched": True},
        {"name": "servers"},
    ],
    "gateways": [
        {"name": "edge", "zones": ["dmz", "office"]}, {"name": "core", "zones": ["servers"], "uplink": "edge"},
    ],
    "hosts": [
        {"name": "web", "zone": "dmz", "services": [
            {"name": "http", "kind": "http", "port": 80, "clients": ["partner", "desk"]},
            {"name": "ssh", "kind": "ssh", "port": 22, "clients": ["desk"], "weaknesses": ["guess"]},
        ]},
        {"name": "db", "zone": "servers", "services": [
            {"name": "redis", "kind": "redis", "port": 6379, "clients": ["web"], "weaknesses": ["guess"]},
        ]},
        {"name": "desk", "zone": "office", "role": "client", "count": 2},
        {"name": "printer", "zone": "office", "services": [
            {"name": "http", "kind": "http", "port": 80, "clients": ["desk"]},
        ]},
        {"name": "partner", "zone": "outside", "role": "client"},
    ],
    "flows": [
        {"service": "web/http", "per_minute": 30}, {"service": "web/ssh", "per_minute": 12},
        {"service": "db/redis", "per_minute": 60}, {"service": "printer/http", "per_minute": 6},
    ],
    "chain": [GUESS_SSH],
}  # fmt: skip


def scenario_of(*chain: Mapping[str, Any], **change: Any) -> Scenario:
    return Scenario.model_validate(BASE | {"chain": list(chain) or BASE["chain"]} | change)


def case_of(*chain: Mapping[str, Any], seed: int = 7, **change: Any) -> Case:
    return draw(scenario_of(*chain, **change), seed)


def infected(*names: str) -> list[dict[str, Any]]:
    """The hosts, with an implant on some."""
    return [h | {"infected": h["name"] in names} for h in BASE["hosts"]]


def field_of(*chain: Mapping[str, Any], seed: int = 7, **change: Any) -> FastField:
    return FastField(case_of(*chain, seed=seed, **change), MEANS.__getitem__)


def strategy(*actions: Action) -> Strategy:
    return Strategy(actions=actions, evidence=(), policy="by hand")


OBSERVE = strategy(Observe(ttl_s=300, reason=ObserveReason.INFORMATIONAL))


def host_of(case: Case, name: str) -> Host:
    """A host by its name in the scenario."""
    found = case.environment.host(case.names[name])
    assert found is not None
    return found


def address_of(case: Case, name: str) -> IPAddress:
    return host_of(case, name).addresses[0]


def collateral_of(case: Case, found: Mapping[str, float]) -> dict[str, float]:
    """Collateral under the scenario's names, rounded."""
    back = {drawn: name for name, drawn in case.names.items()}
    return {f"{back[k.split('/')[0]]}/{k.split('/')[1]}": round(v, 6) for k, v in found.items()}
