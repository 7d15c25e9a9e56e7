from __future__ import annotations

from ipaddress import ip_address, ip_network
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import (
    Action,
    AlertSummary,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    Environment,
    IPAddress,
    IsolateHost,
    Protocol,
    RateLimit,
    RestrictService,
    ShutdownPort,
)
from secloop_ai.guard import RULES, review
from tests.policies.samples import (
    ATTACKER,
    CLIENT,
    DNS,
    GATEWAY,
    PC,
    POOL,
    POOL6,
    RESOLVER,
    SCANNER,
    WEB,
    environment,
    request,
    some_environment,
    some_summaries,
    summary,
)

from .actions import (
    any_action,
    blackhole,
    block_flow,
    block_ip,
    fitting_action,
    isolate,
    rate_limit,
    restrict,
    shutdown,
    strategy,
)

PLENTY = settings(max_examples=300, deadline=None)
EVERY = tuple(map(ip_address, (*POOL, *POOL6)))


def covered(action: Action, env: Environment) -> set[IPAddress]:
    """Addresses of the pool that an action takes something from, worked out without the guard's help."""
    found: set[IPAddress] = set()
    if isinstance(action, BlockIp | BlockFlow):
        found |= {a for a in EVERY if a in action.source}
    if isinstance(action, BlockFlow | RateLimit):
        found.add(action.destination)
    if isinstance(action, BlackholeRoute):
        found |= {a for a in EVERY if a in action.destination}
    if isinstance(action, IsolateHost | RestrictService):
        found |= {a for h in env.hosts if h.name == action.host for a in h.addresses}
    if isinstance(action, ShutdownPort):
        at = [h for h in env.hosts if h.attached_to and h.attached_to.interface == action.interface]
        found |= {a for h in at for a in h.addresses}
    return found


def forbidden(env: Environment) -> set[IPAddress]:
    """The pool's protected addresses: declared, of a device, or in the management network."""
    nets = [*env.protected, ip_network("172.16.0.0/24")]
    own = {a for d in env.devices for a in d.own_addresses()}
    return own | {a for a in EVERY if any(a in n for n in nets)}


@PLENTY
@given(some_environment(), some_summaries(4), st.data())
def test_no_allowed_strategy_covers_a_protected_address(
    env: Environment, seen: list[AlertSummary], data: st.DataObject
) -> None:
    wild = st.lists(st.one_of(fitting_action(seen), fitting_action(seen), any_action()), min_size=1, max_size=2)
    actions = data.draw(wild)
    asked = request(*seen, env=env)
    if review(strategy(tuple(actions), asked), asked).allowed:
        touched = {a for action in actions for a in covered(action, env)}
        assert not touched & forbidden(env)
        assert not any(isinstance(a, ShutdownPort) and a.interface == "mgmt0" for a in actions)


@PLENTY
@given(some_summaries(4), st.data())
def test_no_source_without_a_handshake_is_blocked_by_address(seen: list[AlertSummary], data: st.DataObject) -> None:
    action = data.draw(fitting_action(seen))
    asked = request(*seen)
    allowed = review(strategy((action,), asked), asked).allowed
    shaken = {a for s in seen if s.handshake for a in (s.source, s.destination)}
    inside = {a for h in environment().hosts for a in h.addresses}
    if isinstance(action, BlockIp) and allowed:
        assert any(a in action.source for a in shaken)
    if isinstance(action, BlackholeRoute) and allowed:
        opened = {s.destination for s in seen if s.to_server and s.source in inside} - inside
        assert any(a in action.destination for a in shaken | opened)
    if isinstance(action, BlockFlow) and allowed and not any(a in action.source for a in shaken):
        assert action.destination not in inside
        assert any(a in action.source for a in inside)


@PLENTY
@given(some_environment(), some_summaries(4), st.lists(any_action(), max_size=12))
def test_a_review_never_raises_never_quotes_and_is_pure(
    env: Environment, seen: list[AlertSummary], actions: list[Action]
) -> None:
    asked = request(*seen, env=env)
    under = strategy(tuple(actions), asked)
    verdict = review(under, asked)
    assert verdict == review(under, asked)
    assert {r.rule for r in verdict.refusals} <= {r.name for r in RULES}
    for refusal in verdict.refusals:
        assert not set(refusal.reason) & set("{}<>\n\x1b")
        assert "alert>" not in refusal.reason


@PLENTY
@given(some_summaries(4), st.lists(any_action(), min_size=1, max_size=3))
def test_without_evidence_nothing_disruptive_is_allowed(seen: list[AlertSummary], actions: list[Action]) -> None:
    asked = request(*seen)
    verdict = review(strategy(tuple(actions), asked, ()), asked)
    assert not (verdict.allowed and any(a.disruptive for a in actions))


@PLENTY
@given(some_summaries(4), st.data())
def test_an_allowed_strategy_stays_allowed_with_more_evidence(seen: list[AlertSummary], data: st.DataObject) -> None:
    action = data.draw(fitting_action(seen))
    few, all_of_them = request(*seen[:1]), request(*seen)
    if review(strategy((action,), few), few).allowed:
        assert review(strategy((action,), all_of_them), all_of_them).allowed


def every_action(one: AlertSummary) -> list[Action]:
    """Everything a policy could do about one alert's ends, right or wrong."""
    port = one.destination_port or 0
    found: list[Action] = []
    for first, second in (ends := (str(one.source), str(one.destination)), ends[::-1]):
        found += [block_ip(first), blackhole(first)]
        found += [block_flow(first, second, port, protocol=one.protocol.value)]
        found += [rate_limit(first, port, protocol=one.protocol.value)]
    found += [isolate(h) for h in ("pc", "web", "dns", "scanner")]
    found += [restrict("web", "ssh"), restrict("dns", "dns"), *map(shutdown, ("lan1", "lan0", "mgmt0", "wan0"))]
    return found


ENDS = (ATTACKER, CLIENT, WEB, DNS, PC, SCANNER, GATEWAY, RESOLVER, "255.255.255.255")


@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.UDP])
@pytest.mark.parametrize("handshake", [True, False])
def test_every_action_on_every_pair_of_ends(protocol: Protocol, *, handshake: bool) -> None:
    """The two properties without chance, and proof that they are not empty: every action is allowed somewhere."""
    env, kinds = environment(), set()
    for source, destination, to_server in product(ENDS, ENDS, (True, False)):
        port = 22 if to_server else 50123
        one = summary(source, destination, port, protocol=protocol, handshake=handshake, to_server=to_server)
        asked = request(one, env=env)
        for action in every_action(one):
            if not review(strategy((action,), asked), asked).allowed:
                continue
            kinds.add(action.kind)
            assert not covered(action, env) & forbidden(env), action
            assert handshake or not isinstance(action, BlockIp)
    proofless = {"block_flow", "blackhole_route", "rate_limit"}
    if handshake:
        assert kinds >= {"block_ip", "isolate_host", *proofless}
    elif protocol is Protocol.TCP:
        assert kinds == {*proofless, "restrict_service"}
    else:
        assert kinds == {*proofless, "isolate_host", "shutdown_port"}
