"""Reads scenario files; what is wrong in one is named by file and key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from secloop_ai.contracts import Frozen, InputError

from .layout import MOST_HOSTS, OUTSIDE_ROOM, ROUTED_ROOM, SWITCHED_ROOM, counts
from .model import Kind, Scenario

Model = TypeVar("Model", bound=Frozen)


class ScenarioError(InputError):
    """A scenario file that cannot be used; every problem in it, one a line."""


def load_scenario(path: Path) -> Scenario:
    """Read and check one scenario.

    Raises:
        ScenarioError: unreadable, not of the schema, or not consistent; names file and key.
    """
    return scenario_of(read_yaml(path), path)


def scenario_of(raw: Any, where: object) -> Scenario:
    """The scenario that a file's content is, checked.

    Args:
        raw: keys and values; parts that are models already are taken as they are.
        where: whose content it is, for messages.

    Raises:
        ScenarioError: not of the schema, or not consistent; every problem with its key.
    """
    scenario = model_of(raw, where, Scenario)
    if problems := [f"{where}: {p}" for p in inconsistencies(scenario)]:
        raise ScenarioError("\n".join(problems))
    return scenario


def model_of(raw: Any, where: object, model: type[Model]) -> Model:
    """Content as the model that it should be.

    Raises:
        ScenarioError: it is not; names where, and every key.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        lines = [f"{where}: {'.'.join(map(str, e['loc']))}: {e['msg']}" for e in found]
        raise ScenarioError("\n".join(lines)) from None


def read_yaml(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        ScenarioError: it cannot be read, or is no YAML.
    """
    import yaml  # here, as a rehearsal in a short process reads no file

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path}: {' '.join(str(error).split())}") from None


def inconsistencies(scenario: Scenario) -> Iterator[str]:
    """What a schema cannot say: names that lead nowhere, loops, a chain where none belongs."""
    yield from _zones(scenario)
    yield from _uplinks(scenario)
    yield from _hosts(scenario)
    yield from _room(scenario)
    yield from _chain(scenario)


def _zones(scenario: Scenario) -> Iterator[str]:
    names = [z.name for z in scenario.zones]
    yield from (f"zones: {n} is named twice" for n, times in Counter(names).items() if times > 1)
    if sum(z.outside for z in scenario.zones) != 1:
        yield "zones: exactly one zone is outside"
    inside = {z.name for z in scenario.zones if not z.outside}
    held = Counter(z for g in scenario.gateways for z in g.zones)
    for gateway in scenario.gateways:
        yield from (
            f"gateways.{gateway.name}.zones: {z} is not an inside zone of this scenario"
            for z in gateway.zones
            if z not in inside
        )
    yield from (f"zones: {z} hangs on no gateway" for z in sorted(inside - set(held)))
    yield from (f"zones: {z} hangs on {n} gateways" for z, n in held.items() if n > 1)


def _uplinks(scenario: Scenario) -> Iterator[str]:
    uplink = {g.name: g.uplink for g in scenario.gateways}
    if len(uplink) < len(scenario.gateways):
        yield "gateways: a name is used twice"
    if sum(u is None for u in uplink.values()) != 1:
        yield "gateways: exactly one has no uplink: the one that leads outside"
    for name, to in uplink.items():
        seen, at = {name}, to
        while at is not None:
            if at not in uplink:
                yield f"gateways.{name}.uplink: no gateway {at}"
                break
            if at in seen:
                yield f"gateways.{name}.uplink: a loop by {at}"
                break
            seen.add(at)
            at = uplink[at]


def _hosts(scenario: Scenario) -> Iterator[str]:
    inside = {z.name for z in scenario.zones if not z.outside}
    names = Counter(h.name for h in scenario.hosts)
    yield from (f"hosts: {n} is named twice" for n, times in names.items() if times > 1)
    for host in scenario.hosts:
        if host.zone not in inside and host.role != "client":
            yield f"hosts.{host.name}.zone: {host.zone} is not an inside zone (only clients may be outside)"
        ports = Counter((s.protocol, s.port) for s in host.services)
        yield from (f"hosts.{host.name}.services: {p}/{n} serves twice" for (p, n), t in ports.items() if t > 1)
        for service in host.services:
            yield from (
                f"hosts.{host.name}.services.{service.name}.clients: no host {c}"
                for c in service.clients
                if c not in names
            )
    for flow in scenario.flows:
        if not _service(scenario, flow.service):
            yield f"flows: no service {flow.service}"


def _room(scenario: Scenario) -> Iterator[str]:
    """Hosts beyond these have no name or address left that is not another's."""
    wanted: Counter[str] = Counter()
    for host in scenario.hosts:
        wanted[host.zone] += counts(host)[1]
        if counts(host)[0] < 1:
            yield f"hosts.{host.name}.count: at least 1"
    if (every := wanted.total()) > MOST_HOSTS:
        yield f"hosts: {every} of them; there are names for {MOST_HOSTS}"
    for zone in scenario.zones:
        room = OUTSIDE_ROOM if zone.outside else SWITCHED_ROOM if zone.switched else ROUTED_ROOM
        if (number := wanted[zone.name]) > room:
            yield f"zones.{zone.name}: {number} hosts in it; there are addresses for {room}"


def _chain(scenario: Scenario) -> Iterator[str]:
    if (scenario.kind is Kind.QUIET) == bool(scenario.chain):
        yield f"chain: a scenario of kind {scenario.kind.value} {'has none' if scenario.chain else 'needs one'}"
    for n, step in enumerate(scenario.chain):
        if step.source != "attacker" and scenario.host(step.source) is None:
            yield f"chain.{n}.source: no host {step.source}"
        if step.target == "outside":
            continue
        host, _, service = step.target.partition("/")
        if scenario.host(host) is None:
            yield f"chain.{n}.target: no host {host}"
        elif service and not _service(scenario, step.target):
            yield f"chain.{n}.target: host {host} has no service {service}"


def _service(scenario: Scenario, path: str) -> bool:
    host, _, service = path.partition("/")
    found = scenario.host(host)
    return found is not None and any(s.name == service for s in found.services)
