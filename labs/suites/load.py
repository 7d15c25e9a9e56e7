"""Reads suite files: a scenario that names a network of ``networks/`` and says what happens in it.

Many scenarios share a network, so a suite file holds only what is its own. Put together, the two are a Scenario like
any other, checked by the rules of labs.scenario.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from labs.scenario import ChainStep, FlowSpec, GatewaySpec, HostSpec, Kind, Scenario, Split, Suite, ZoneSpec
from labs.scenario.load import Model, ScenarioError, model_of, read_yaml, scenario_of
from labs.scenario.model import MeansId
from secloop_ai.contracts import Slug
from secloop_ai.contracts.base import Frozen

HERE = Path(__file__).resolve().parent
NETWORKS = "networks"


class SuiteError(ScenarioError):
    """A suite that cannot be used; every problem in it, one a line."""


class Network(Frozen):
    """A topology with its hosts and their legitimate traffic, for the scenarios of one split.

    Attributes:
        split: scenarios of other splits may not use it.
    """

    name: Slug
    split: Split
    about: str
    zones: tuple[ZoneSpec, ...] = Field(min_length=2)
    gateways: tuple[GatewaySpec, ...] = Field(min_length=1)
    hosts: tuple[HostSpec, ...] = Field(min_length=4)
    flows: tuple[FlowSpec, ...] = Field(min_length=1)


class Story(Frozen):
    """A suite file.

    Attributes:
        network: of ``networks/``.
        weak: ``host/service`` → means that find something there, beside those that follow from the chain: the
            target of an attack is always weak to what the attack does to it.
        infected: hosts with an implant.
        protected: hosts that no action may touch (an allow-listed scanner).
        hosts, flows: beside those of the network.
    """

    name: Slug
    family: Slug
    split: Split
    kind: Kind = Kind.ATTACK
    about: str = Field(min_length=10, max_length=400)
    network: Slug
    weak: dict[str, tuple[MeansId, ...]] = Field(default_factory=dict)
    infected: tuple[Slug, ...] = ()
    protected: tuple[Slug, ...] = ()
    hosts: tuple[HostSpec, ...] = ()
    flows: tuple[FlowSpec, ...] = ()
    chain: tuple[ChainStep, ...] = ()
    persistent: bool = False


@cache
def load_suite(suite: Suite | str, root: Path = HERE) -> tuple[Scenario, ...]:
    """The scenarios of one suite, by name.

    Args:
        suite: its folder below `root`.
        root: holds the suites and ``networks/``.

    Raises:
        SuiteError: no such suite, or a file that cannot be used; names file and key.
    """
    try:
        which = Suite(suite)
    except ValueError:
        raise SuiteError(f"no suite {suite!r}; there are {', '.join(Suite)}") from None
    files = sorted((root / which.value).glob("*.yaml"))
    if not files:
        raise SuiteError(f"{root / which.value}: no scenario files")
    networks = load_networks(root)
    found = [_scenario(path, _read(path, Story), which, networks) for path in files]
    _refuse([f"{root / which.value}: {n} is named twice" for n, k in Counter(s.name for s in found).items() if k > 1])
    return tuple(sorted(found, key=lambda s: s.name))


@cache
def load_networks(root: Path = HERE) -> Mapping[str, Network]:
    """The networks by name; a file is named after its network.

    Raises:
        SuiteError: a file that cannot be used; names file and key.
    """
    found = {path: _read(path, Network) for path in sorted((root / NETWORKS).glob("*.yaml"))}
    _refuse([f"{p}: name: {n.name} is not the file's" for p, n in found.items() if n.name != p.stem])
    return {network.name: network for network in found.values()}


@cache
def network_of(scenario: str, suite: Suite, root: Path = HERE) -> str:
    """Name of the network that a scenario plays in.

    Raises:
        SuiteError: no such file.
    """
    return _read(root / suite.value / f"{scenario}.yaml", Story).network


def compose(story: Story, suite: Suite, network: Network, where: object) -> Scenario:
    """Story and network as one scenario, checked.

    Args:
        story: a suite file's content.
        suite: whose file it is.
        network: the one that the story names.
        where: the file, for messages.

    Raises:
        SuiteError: the story names a host or service that the network lacks.
        ScenarioError: what they make together is not consistent.
    """
    hosts = (*network.hosts, *story.hosts)
    weak = _weaknesses(story)
    served = {f"{h.name}/{s.name}" for h in hosts for s in h.services}
    problems = [f"{where}: weak: no service {place}" for place in story.weak if place not in served]
    for key, names in (("infected", story.infected), ("protected", story.protected)):
        problems += [f"{where}: {key}: no host {name}" for name in names if name not in {h.name for h in hosts}]
    _refuse(problems)
    told = ("name", "family", "split", "kind", "about", "chain", "persistent")
    raw = {
        **{key: getattr(story, key) for key in told},
        **{key: getattr(network, key) for key in ("zones", "gateways")},
        "suite": suite,
        "hosts": tuple(_marked(host, story, weak) for host in hosts),
        "flows": (*network.flows, *story.flows),
    }
    return scenario_of(raw, where)


def _weaknesses(story: Story) -> dict[str, dict[str, None]]:
    """Place → means, each once and in a fixed order."""
    found: dict[str, dict[str, None]] = {place: dict.fromkeys(means) for place, means in story.weak.items()}
    for step in story.chain if story.kind is Kind.ATTACK else ():
        if "/" in step.target:
            found.setdefault(step.target, {})[step.means] = None
    return found


def _marked(host: HostSpec, story: Story, weak: Mapping[str, Mapping[str, None]]) -> HostSpec:
    services = tuple(
        s.model_copy(
            update={"weaknesses": tuple(dict.fromkeys((*s.weaknesses, *weak.get(f"{host.name}/{s.name}", ()))))}
        )
        for s in host.services
    )
    infected, protected = host.name in story.infected, host.name in story.protected
    return host.model_copy(
        update={
            "services": services,
            "infected": host.infected or infected,
            "protected": host.protected or protected,
        }
    )


def _scenario(path: Path, story: Story, suite: Suite, networks: Mapping[str, Network]) -> Scenario:
    _refuse(f"{path}: {problem}" for problem in _misplaced(path, story, networks))
    try:
        return compose(story, suite, networks[story.network], path)
    except ScenarioError as error:
        raise SuiteError(str(error)) from None


def _misplaced(path: Path, story: Story, networks: Mapping[str, Network]) -> Iterator[str]:
    if story.name != path.stem:
        yield f"name: {story.name} is not the file's"
    if (network := networks.get(story.network)) is None:
        yield f"network: no {story.network}; there are {', '.join(sorted(networks))}"
    elif network.split is not story.split:
        yield f"network: {story.network} is for {network.split.value}, the scenario for {story.split.value}"


def _read(path: Path, model: type[Model]) -> Model:
    try:
        return model_of(read_yaml(path), path, model)
    except ScenarioError as error:
        raise SuiteError(str(error)) from None


def _refuse(problems: Any) -> None:
    if found := list(problems):
        raise SuiteError("\n".join(found))
