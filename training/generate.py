"""Scenarios beyond the suites' own: the networks and means of the train split, mixed anew by a seed.

Hosts change their roles, services and clients; chains are drawn from the train split's means; a sensor with other rules
names the same traffic differently. So what a policy can learn from is who did what to whom, not what a rule is called.
Nothing here reads a scenario, network or means of another split (a test holds that).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from labs.attacks.registry import means as means_of
from labs.scenario import ChainStep, Kind, Scenario, Split, Suite
from labs.scenario.draw import rng
from labs.scenario.load import scenario_of
from labs.scenario.model import FlowSpec, HostSpec, ServiceSpec
from labs.suites import load_suite
from labs.suites.load import Network, load_networks
from secloop_ai.contracts import Criticality
from secloop_ai.policies.embedded import features
from secloop_ai.policies.embedded.features import DUTIES, PLAIN_ROLES

from .drawn import PREFIX, Aim

OUTSIDE = "outside"
ATTACKER = "attacker"
BENIGN, QUIET = 0.32, 0.03
"""Shares of false alarms and of quiet periods; the rest are attacks."""
UNNAMED = 0.08
"""Share of the hosts whose role is a word that no list of ours has."""
PERSISTENT = 0.35
DRAWN = 0.75
"""Share of the means that are new, where any is."""
MOST_SERVICES = 4
"""Services of a host, at most, after some were added."""


class Use(NamedTuple):
    """How the train split uses a means.

    Attributes:
        kinds: of services that it is aimed at; empty: at a host, or at the outside.
        outward: it goes to an address outside.
        params: every set of parameters that some scenario gives it.
    """

    means: str
    kinds: tuple[str, ...]
    outward: bool
    params: tuple[Mapping[str, Any], ...]


@cache
def uses() -> tuple[Use, ...]:
    """Every means of the train split, in order of its name."""
    params: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    kinds: dict[str, dict[str, None]] = defaultdict(dict)
    outward: set[str] = set()
    for scenario in train_scenarios():
        for step in scenario.chain:
            if step.params not in params[step.means]:
                params[step.means].append(step.params)
            if step.target == OUTSIDE:
                outward.add(step.means)
            elif spec := _service(scenario, step.target):
                kinds[step.means][spec.kind] = None
    return tuple(Use(m, tuple(kinds[m]), m in outward, tuple(params[m])) for m in sorted(params))


@cache
def train_scenarios() -> tuple[Scenario, ...]:
    """All suites' scenarios for training."""
    return tuple(s for suite in Suite for s in load_suite(suite) if s.split is Split.TRAIN)


@cache
def train_networks() -> tuple[Network, ...]:
    """The networks for training."""
    return tuple(n for n in load_networks().values() if n.split is Split.TRAIN)


@cache
def _stock() -> tuple[ServiceSpec, ...]:
    """Every service of the networks for training, once per kind."""
    found = {s.kind: s for n in train_networks() for h in n.hosts for s in h.services}
    return tuple(s.model_copy(update={"weaknesses": (), "clients": ()}) for s in found.values())


def _service(scenario: Scenario, path: str) -> ServiceSpec | None:
    name, _, service = path.partition("/")
    host = scenario.host(name)
    return next((s for s in host.services if s.name == service), None) if host else None


def generated(seed: int, *, drawn: bool = False) -> Scenario:
    """The scenario of this seed; equal seeds give equal scenarios.

    Args:
        seed: of all its draws.
        drawn: most of its means are ones that nobody has met (training/drawn.py).
    """
    kind = "drawn" if drawn else "generated"
    for turn in range(100):
        made = _Maker(rng(kind, seed, turn), drawn=drawn).scenario(f"{kind}-{seed}")
        if made is not None:
            return made
    raise ValueError(f"no scenario from seed {seed}")


def _on_duty(host: HostSpec) -> bool:
    """Whether its role explains what it does: who inside begins an attack of the train split is a user's machine.

    A role that no list of ours has is that of a machine for some purpose, as far as anybody can tell.
    """
    return host.role in DUTIES or host.role == features.REST


def _looks(chain: Sequence[ChainStep]) -> bool:
    return any("/" not in s.target and s.target != OUTSIDE for s in chain)


class _Maker:
    """One scenario's draws."""

    def __init__(self, dice: random.Random, *, drawn: bool) -> None:
        self._dice = dice
        self._new_means = DRAWN if drawn else 0.0
        self._network = dice.choice(train_networks())
        self._outside = {z.name for z in self._network.zones if z.outside}
        self._hosts: dict[str, HostSpec] = {}
        self._infected: set[str] = set()
        self._protected: set[str] = set()

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share

    def scenario(self, name: str) -> Scenario | None:
        """A scenario, or None where the draws lead nowhere."""
        self._people()
        drawn = self._dice.random()
        kind = Kind.QUIET if drawn < QUIET else Kind.FALSE_ALARM if drawn < QUIET + BENIGN else Kind.ATTACK
        chain: Sequence[ChainStep] = ()
        if kind is not Kind.QUIET:
            chain = tuple(self._attack() if kind is Kind.ATTACK else self._false_alarm())
            if not chain:
                return None
        weak = {(s.target, s.means) for s in chain} if kind is Kind.ATTACK else set()
        raw = {
            "name": name,
            "suite": Suite.AUTOATTACK,
            "family": "generated",
            "split": Split.TRAIN,
            "kind": kind,
            "about": "Drawn from the means and networks of the train split.",
            "zones": self._network.zones,
            "gateways": self._network.gateways,
            "hosts": tuple(self._told(h, weak) for h in self._hosts.values()),
            "flows": tuple(self._flows()),
            "chain": chain,
            # a scan from ever new addresses has no right answer: nobody can be told to stop it
            "persistent": kind is Kind.ATTACK and self._chance(0.05 if _looks(chain) else PERSISTENT),
        }
        return scenario_of(raw, name)

    def _told(self, host: HostSpec, weak: set[tuple[str, str]]) -> HostSpec:
        services = tuple(
            s.model_copy(update={"weaknesses": tuple(sorted(m for t, m in weak if t == f"{host.name}/{s.name}"))})
            for s in host.services
        )
        marks = {"infected": host.name in self._infected, "protected": host.name in self._protected}
        return host.model_copy(update={"services": services, **marks})

    def _flows(self) -> Iterator[FlowSpec]:
        for host in self._hosts.values():
            for service in host.services:
                if service.clients and self._chance(0.85):
                    yield FlowSpec(service=f"{host.name}/{service.name}", per_minute=self._dice.randint(6, 40))

    def _people(self) -> None:
        """Hosts, with roles, services, clients and worth of their own."""
        dice = self._dice
        inside = [z.name for z in self._network.zones if not z.outside]
        kept = [h for h in self._network.hosts if h.services or self._chance(0.8)]
        duties = [
            HostSpec(name=f"duty{n}", zone=dice.choice(inside), role=dice.choice(DUTIES))
            for n in range(dice.choice((0, 1, 1, 2)))
        ]
        for host in (*kept, *duties):
            self._hosts[host.name] = host.model_copy(
                update={"role": self._role(host), "criticality": self._worth(host)}
            )
        for name, host in list(self._hosts.items()):
            services = tuple(self._served(host, s) for s in self._offered(host))
            self._hosts[name] = host.model_copy(update={"services": services})

    def _role(self, host: HostSpec) -> str:
        if host.zone in self._outside:
            return host.role
        if self._chance(UNNAMED):
            return features.REST
        if host.role in DUTIES:
            return self._dice.choice(DUTIES) if self._chance(0.7) else host.role
        return self._dice.choice(PLAIN_ROLES) if self._chance(0.3) else host.role

    def _worth(self, host: HostSpec | ServiceSpec) -> Criticality:
        return self._dice.choice(tuple(Criticality)) if self._chance(0.25) else host.criticality

    def _offered(self, host: HostSpec) -> Sequence[ServiceSpec]:
        found = list(host.services)
        if found and host.zone not in self._outside and len(found) < MOST_SERVICES and self._chance(0.3):
            more = self._dice.choice(_stock())
            taken = {(s.protocol, s.port) for s in found}
            if (more.protocol, more.port) not in taken and more.name not in {s.name for s in found}:
                found.append(more)
        return found

    def _served(self, host: HostSpec, service: ServiceSpec) -> ServiceSpec:
        known = [n for n in self._hosts if n != host.name]
        clients = tuple(c for c in service.clients if c in self._hosts)
        if self._chance(0.35):
            clients = tuple(self._dice.sample(known, min(len(known), self._dice.choice((0, 0, 1, 1, 2, 2, 3, 4)))))
        return service.model_copy(update={"clients": clients, "criticality": self._worth(service)})

    # -- what happens

    def _attack(self) -> Sequence[ChainStep]:
        (kind,) = self._dice.choices(("outside", "within", "through", "both"), weights=(42, 26, 22, 10))
        if kind == "outside":
            return self._from_outside(self._dice.choice((1, 1, 1, 2, 2, 3, 4)))
        if kind == "within":
            return self._from_within()
        if kind == "through":
            return self._through()
        return [*self._from_within(), *self._from_outside(1)]

    def _from_outside(self, number: int) -> list[ChainStep]:
        """A stranger against one or two servers, looking around first or not."""
        targets = self._dice.sample(self._servers(), min(len(self._servers()), self._dice.choice((1, 1, 2))))
        looks = [self._look(ATTACKER, self._dice.choice(targets)) for _ in range(2) if self._chance(0.15)]
        steps = [self._at(ATTACKER, self._dice.choice(targets)) for _ in range(number)]
        return [*looks, *(s for s in steps if s)]

    def _from_within(self) -> list[ChainStep]:
        """An implant on a host that has no duty which would explain it.

        One act of a server, or of a declared client at its service, is its usual business as far as anybody can tell:
        such a host shows more than one.
        """
        inside = [h for h in self._hosts.values() if h.zone not in self._outside and not _on_duty(h)]
        users = [h for h in inside if not h.services]
        served = not users or self._chance(0.1)
        if not inside:
            return []
        host = self._dice.choice(inside if served else users)
        self._infected.add(host.name)
        steps = self._spread(host, self._dice.choice((1, 1, 2, 2, 3, 4)))
        plain = (host.services and len(steps) == 1) or all(self._usual(host, s.target) for s in steps)
        return [] if plain else steps

    def _usual(self, host: HostSpec, target: str) -> bool:
        """Whether the host is a declared client there."""
        name, _, service = target.partition("/")
        served = self._hosts[name].services if name in self._hosts else ()
        return any(s.name == service and host.name in s.clients for s in served)

    def _through(self) -> list[ChainStep]:
        """A server first, and from there on."""
        servers = [h for h in self._servers() if not _on_duty(h)]
        if not servers:
            return []
        host = self._dice.choice(servers)
        first = [s for s in [self._at(ATTACKER, host) for _ in range(self._dice.choice((1, 1, 2)))] if s]
        return [*first, *self._spread(host, self._dice.choice((1, 1, 2)))] if first else []

    def _spread(self, host: HostSpec, number: int) -> list[ChainStep]:
        steps: list[ChainStep | None] = []
        others = [h for h in self._servers() if h.name != host.name]
        for _ in range(number):
            (way,) = self._dice.choices(("outward", "look", "at"), weights=(50, 15, 35))
            if way == "outward" or not others:
                steps.append(self._outward(host.name))
            elif way == "look" and (near := self._looked_at(host)):
                steps.append(self._look(host.name, self._dice.choice(near)))
            else:
                steps.append(self._at(host.name, self._dice.choice(others)))
        return [s for s in steps if s]

    def _false_alarm(self) -> list[ChainStep]:
        """Somebody whose duty it is, a declared client at its usual business, or a server at its own."""
        (kind,) = self._dice.choices(("duty", "client", "server"), weights=(45, 30, 25))
        if kind == "client":
            return self._usual_business()
        if kind == "server":
            able = [h for h in self._servers() if not _on_duty(h)]
        else:
            able = [h for h in self._hosts.values() if _on_duty(h)]
        if not able:
            return []
        host = self._dice.choice(able)
        if self._chance(0.3):
            self._protected.add(host.name)
        if kind == "server":
            return [self._outward(host.name)] if self._chance(0.7) else self._spread(host, 1)
        return self._spread(host, self._dice.choice((1, 1, 1, 2)))

    def _usual_business(self) -> list[ChainStep]:
        pairs = [
            (client, h, s) for h in self._servers() for s in h.services for client in s.clients if client in self._hosts
        ]
        if not pairs:
            return []
        client, host, service = self._dice.choice(pairs)
        step = self._against(client, host, service)
        return [step] if step else []

    def _servers(self) -> list[HostSpec]:
        return [h for h in self._hosts.values() if h.services and h.zone not in self._outside]

    def _looked_at(self, host: HostSpec) -> list[HostSpec]:
        """Mostly servers; at times anybody inside."""
        among = self._servers() if self._chance(0.75) else [*self._hosts.values()]
        return [h for h in among if h.name != host.name and h.zone not in self._outside]

    def _at(self, source: str, host: HostSpec) -> ChainStep | None:
        return self._against(source, host, self._dice.choice(host.services))

    def _against(self, source: str, host: HostSpec, service: ServiceSpec) -> ChainStep | None:
        target = f"{host.name}/{service.name}"
        if self._chance(self._new_means):
            return self._unmet("service", source, target)
        fits = [u for u in uses() if service.kind in u.kinds and not means_of(u.means).needs]
        return self._step(self._dice.choice(fits), source, target) if fits else None

    def _look(self, source: str, host: HostSpec) -> ChainStep:
        if self._chance(self._new_means):
            return self._unmet("host", source, host.name)
        fits = [u for u in uses() if not u.kinds and not u.outward]
        return self._step(self._dice.choice(fits), source, host.name)

    def _outward(self, source: str) -> ChainStep:
        if self._chance(self._new_means):
            return self._unmet("outside", source, OUTSIDE)
        return self._step(self._dice.choice([u for u in uses() if u.outward]), source, OUTSIDE)

    def _unmet(self, aim: Aim, source: str, target: str) -> ChainStep:
        return ChainStep(means=f"{PREFIX}-{aim}-{self._dice.getrandbits(32)}", source=source, target=target)

    def _step(self, use: Use, source: str, target: str) -> ChainStep:
        params = dict(self._dice.choice(use.params))
        return ChainStep(means=use.means, source=source, target=target, params=params)
