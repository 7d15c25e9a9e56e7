"""The fast model against what it stands for: the loop's own operations, in a device model, in the dialect's XML."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from labs.simulator import FastField
from labs.simulator.devices import device_model
from labs.simulator.effects import combine
from labs.simulator.journeys import Journey
from labs.validator.judge import Run, attack_share, collateral
from secloop_ai.contracts import (
    RATES_BYTES_PER_S,
    Action,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    DeviceModel,
    Direction,
    IsolateHost,
    RateLimit,
    RestrictService,
    RuleAction,
    ShutdownPort,
)
from secloop_ai.dialects import dialect
from secloop_ai.loop.draft import draft

from .world import GUESS_SSH, field_of, infected, strategy

FIELD = field_of(
    GUESS_SSH,
    {"means": "sweep", "target": "db"},
    {"means": "flood", "target": "web/http"},
    {"means": "upload", "source": "desk", "target": "outside", "params": {"port": 443}},
    {"means": "spoof", "source": "desk", "target": "printer"},
    hosts=infected("desk"),
    persistent=True,
)
CASE = FIELD.case
ADDRESSES = sorted({a.address for a in CASE.attackers} | {h.addresses[0] for h in CASE.environment.hosts})
SERVICES = [(h, s) for h in CASE.environment.hosts for s in h.services]
PORTS = [(d.name, i.name) for d in CASE.environment.devices for i in d.interfaces]
BASE = '<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{}</data>'
INTERFACES = '<interfaces xmlns="urn:ietf:params:xml:ns:yang:ietf-interfaces">{}</interfaces>'

networks = st.sampled_from(ADDRESSES).map(ip_network)
devices = st.sampled_from([d.name for d in CASE.environment.devices])
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(BlockIp, ttl_s=st.just(300), source=networks),
    st.builds(
        lambda source, at: BlockFlow(
            ttl_s=300, source=source, destination=at[0].addresses[0], protocol=at[1].protocol, port=at[1].port
        ),
        networks,
        st.sampled_from(SERVICES),
    ),
    st.builds(
        lambda source, at, rate: RateLimit(
            ttl_s=300, destination=at[0].addresses[0], protocol="tcp", port=at[1].port, rate_bytes_per_s=rate,
            source=source,
        ),
        st.none() | networks,
        st.sampled_from(SERVICES),
        st.sampled_from(RATES_BYTES_PER_S),
    ),
    st.builds(IsolateHost, ttl_s=st.just(300), host=st.sampled_from([h.name for h in CASE.environment.hosts])),
    st.sampled_from(SERVICES).map(lambda at: RestrictService(ttl_s=300, host=at[0].name, service=at[1].name)),
    st.builds(BlackholeRoute, ttl_s=st.just(300), destination=networks, device=devices),
    st.sampled_from(PORTS).map(lambda at: ShutdownPort(ttl_s=300, device=at[0], interface=at[1])),
)  # fmt: skip
strategies = st.lists(actions, min_size=1, max_size=8)


def passes(journey: Journey, models: dict[str, DeviceModel]) -> bool:
    """A packet's way, gate by gate, as DeviceModel documents it."""
    for hop in journey.hops:
        model = models[hop.device]
        if not (model.is_up(hop.entered) and model.is_up(hop.left)) or model.discards_to(journey.packet):
            return False
        for port, direction in ((hop.entered, Direction.INGRESS), (hop.left, Direction.EGRESS)):
            if model.filter(journey.packet, port, direction).action is not RuleAction.PERMIT:
                return False
    return True


def data_of(device: str) -> str:
    """A gateway as it comes from the factory: ports, and nothing else."""
    ports = "".join(f"<interface><name>{i}</name><enabled>true</enabled></interface>" for d, i in PORTS if d == device)
    return BASE.format(INTERFACES.format(ports))


def lines_of(field: FastField) -> list[Journey]:
    journeys: dict[int, Journey] = {}
    field.script.journeys.mask(lambda j: journeys.setdefault(j.bit, j) is None)
    return list(journeys.values())


@given(strategies)
@settings(max_examples=150, deadline=None)
def test_the_masks_say_what_the_device_models_and_the_dialect_say(chosen: list[Action]) -> None:
    planned = draft(strategy(*chosen), "0123456789", CASE.environment, ()).operations()
    models = {d.name: device_model(d.name, planned.get(d.name, ())) for d in CASE.environment.devices}
    rendered = {
        d.name: dialect("ietf").parse(dialect("ietf").apply(data_of(d.name), planned.get(d.name, ())).after)
        for d in CASE.environment.devices
    }
    dead = combine([FIELD.effect(a) for a in chosen]).dead
    for journey in lines_of(FIELD):
        want = passes(journey, models)
        assert want == passes(journey, rendered)
        assert want == (not journey.bit & dead), journey


@given(strategies)
@settings(max_examples=150, deadline=None)
def test_an_answer_never_changes(chosen: list[Action]) -> None:
    fresh = FastField(CASE, lambda name: next(m for m in FIELD._means if m.id == name))
    assert fresh.evaluate(strategy(*chosen)) == FIELD.evaluate(strategy(*chosen))


@given(strategies)
@settings(max_examples=150, deadline=None)
def test_more_drops_never_help_the_attacker_or_the_clients(chosen: list[Action]) -> None:
    drops: list[Action] = [a for a in chosen if not isinstance(a, RateLimit | RestrictService)]
    whole, part = replayed(drops), replayed(drops[:-1])
    assert attack_share(CASE, whole.stages) <= attack_share(CASE, part.stages)
    # a flood that is stopped gives its service back, so only what no attack takes can be compared
    taken = {f"{f.server}/{f.service}" for f in CASE.flows if f.server == CASE.names["web"]}
    more, less = (collateral(run.uses, replayed([]).uses) for run in (whole, part))
    for service in less.keys() - taken:
        assert more.get(service, 0.0) >= less[service] - 1e-9


def replayed(chosen: list[Action]) -> Run:
    """What the actions do, whether or not the loop would leave them there."""
    return FIELD.play(combine([FIELD.effect(a) for a in chosen]))


@given(st.permutations(PORTS))
@settings(max_examples=20, deadline=None)
def test_who_drops_everything_loses(order: list[tuple[str, str]]) -> None:
    everything = [ShutdownPort(ttl_s=300, device=d, interface=i) for d, i in order]
    found = FIELD.evaluate(strategy(*everything))
    assert not found.correct
    assert found.rs_service < 1
