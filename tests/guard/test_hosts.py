"""Host actions under review: only what a host allows, only what the alerts are about."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import (
    Action,
    AlertSummary,
    ClosePort,
    Criticality,
    DisableAccount,
    DnsSinkhole,
    Environment,
    Plane,
    Protocol,
    StopProcess,
)
from secloop_ai.guard import review
from tests.policies.samples import (
    ADMIN,
    ATTACKER,
    DB,
    DNS,
    PC,
    SCANNER,
    WEB,
    request,
    some_environment,
    some_summaries,
    summary,
    with_access,
)

from .actions import close_port, host_action, kernel, lock, refusals, sinkhole, sshd, stop, strategy

FORGED: dict[str, Any] = {"handshake": False}
UDP: dict[str, Any] = {"protocol": Protocol.UDP, "handshake": False}
ATTACK = (summary(),)
TELNET = (summary(port=23),)
ASKS = (summary(PC, DNS, 53, domains=("t.lure.example",), **UDP),)

ALLOWED: list[tuple[str, Action, tuple[AlertSummary, ...]]] = [
    ("harden the server that is attacked", sshd(), ATTACK),
    ("the same against a forged source", sshd(), (summary(**FORGED),)),
    ("harden the kernel of a host that acts", kernel("pc"), (summary(PC, DB, 6379),)),
    ("close the port in the alert", close_port(), ATTACK),
    ("close a port without clients against a forged source", close_port(port=23), (summary(port=23, **FORGED),)),
    ("close a port the inventory does not know", close_port(port=9999), (summary(port=9999, **FORGED),)),
    ("close the port where the answer fired", close_port(), (summary(WEB, ATTACKER, 50123, to_server=False),)),
    ("stop the service in the alert", stop(), ATTACK),
    ("stop a service without clients against a forged source", stop("telnet"), (summary(port=23, **FORGED),)),
    ("lock an account of a proven alert's host", lock(), ATTACK),
    ("sink a name on a resolver that no alert names", sinkhole(), (summary(PC, ATTACKER, 443,
     domains=("t.lure.example",)),)),
    ("sink a name that our host asked the resolver for", sinkhole(), ASKS),
    ("sink it where the answer fired", sinkhole(), (summary(DNS, PC, 50123, to_server=False,
     domains=("t.lure.example",), **UDP),)),
]  # fmt: skip


@pytest.mark.parametrize(("action", "seen"), [c[1:] for c in ALLOWED], ids=[c[0] for c in ALLOWED])
def test_allowed(action: Action, seen: tuple[AlertSummary, ...]) -> None:
    assert refusals(action, seen=seen, env=with_access()) == ()


REFUSED: list[tuple[str, str, Action, tuple[AlertSummary, ...], str]] = [
    ("target-exists", "a host nobody knows", sshd("nobody"), ATTACK, "host nobody is not in"),
    ("host-access", "a host that lets no role in", kernel("admin"), (summary(ADMIN),), "host admin does not allow it"),
    ("host-access", "an action it does not list", sshd("db"), (summary(destination=DB),), "host db does not allow it"),
    ("host-access", "an account it has not", lock("root"), ATTACK, "host web has no account root"),
    ("host-access", "another host's account", lock("p.moss"), ATTACK, "host web has no account p.moss"),
    ("host-access", "a process it has not", stop("redis"), ATTACK, "host web has no process redis"),
    ("host-access", "a sinkhole on no resolver", sinkhole(host="web"), ASKS, "host web does not allow it"),
    ("evidence", "a host no alert names", sshd(), (summary(PC, DB, 6379),), "names host web"),
    ("evidence", "a port no alert names", close_port(port=80), ATTACK, "names tcp port 80 of host web"),
    ("evidence", "another protocol's port", close_port(protocol="udp"), ATTACK, "names udp port 22"),
    ("evidence", "a service no alert is about", stop("http"), ATTACK, "is about what process http serves"),
    ("evidence", "a process behind nobody knows what", stop("cron"), (summary(port=9999),), "process cron serves"),
    ("evidence", "a name no alert carries", sinkhole("lure.example"), ASKS, "asking for lure.example"),
    ("evidence", "a name that a stranger asks for", sinkhole(), (summary(ATTACKER, DNS, 53,
     domains=("t.lure.example",), **UDP),), "one of our hosts asking"),
    ("evidence", "a name in a stranger's answer", sinkhole(), (summary(PC, ATTACKER, 50123, to_server=False,
     domains=("t.lure.example",), **UDP),), "one of our hosts asking"),
    ("handshake", "a port with clients, for a forged packet", close_port(), (summary(**FORGED),), "with host web no"),
    ("handshake", "a service with clients, for a forged packet", stop("ssh"), (summary(**FORGED),), "with host web no"),
    ("handshake", "an account, for a forged packet", lock(), (summary(port=23, **FORGED),), "with host web no"),
    ("protected-set", "a protected host", kernel("scanner"), (summary(SCANNER),), "host scanner is in the protected"),
    ("budget", "the last vital service by its port", close_port(port=80), (summary(port=80),), "1 of 1 services"),
    ("budget", "the same by its process", stop("http"), (summary(port=80),), "1 of 1 services"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "_", "action", "seen", "text"), REFUSED, ids=[f"{c[0]}: {c[1]}" for c in REFUSED])
def test_refused(rule: str, _: str, action: Action, seen: tuple[AlertSummary, ...], text: str) -> None:
    found = [r for r in refusals(action, seen=seen, env=with_access()) if r.rule == rule]
    assert any(text in r.reason for r in found), found


ALONE = ("evidence", "handshake", "protected-set", "budget", "host-access")


@pytest.mark.parametrize("rule", ALONE)
def test_a_rule_refuses_alone(rule: str) -> None:
    alone = [{r.rule for r in refusals(a, seen=s, env=with_access())} for name, _, a, s, _ in REFUSED if name == rule]
    assert {rule} in alone


def test_a_protected_resolver_stays_as_it_is() -> None:
    kept = with_access(protected=(ip_network(DNS),))
    assert {r.rule for r in refusals(sinkhole(), seen=ASKS, env=kept)} == {"protected-set"}


def test_what_is_named_under_a_name_keeps_it_from_vanishing() -> None:
    hosts = tuple(h.model_copy(update={"name": "Mail.Lure.example"}) if h.name == "client" else h
                  for h in with_access().hosts)  # fmt: skip
    asks = (summary(PC, DNS, 53, domains=("lure.example", "ure.example"), **UDP),)
    found = refusals(sinkhole("lure.example"), seen=asks, env=with_access(hosts=hosts))
    assert [(r.rule, r.reason) for r in found] == [
        ("protected-set", "dns_sinkhole: Mail.Lure.example of the inventory is named under lure.example")
    ]
    assert refusals(sinkhole("ure.example"), seen=asks, env=with_access(hosts=hosts)) == ()


def test_host_actions_count_in_the_budget() -> None:
    found = refusals(sshd(), kernel(), lock(), seen=ATTACK, env=with_access(max_actions=2))
    assert [(r.rule, r.action) for r in found] == [("budget", -1)]


def test_the_same_twice_is_refused_and_two_accounts_are_not() -> None:
    assert {r.rule for r in refusals(lock(), lock(), seen=ATTACK, env=with_access())} == {"duplicates"}
    assert refusals(lock(), lock("backup"), seen=ATTACK, env=with_access()) == ()


def lost_services(action: Action, env: Environment) -> set[tuple[str, str]]:
    """What a host action takes away, worked out without the guard's help."""
    host = env.host(getattr(action, "host", ""))
    if host is None:
        return set()
    if isinstance(action, ClosePort):
        hit = [s for s in host.services if (s.protocol, s.port) == (action.protocol, action.port)]
    elif isinstance(action, StopProcess):
        hit = [s for s in host.services if s.name == action.process]
    else:
        hit = []
    return {(host.name, s.name) for s in hit}


@settings(max_examples=300, deadline=None)
@given(some_environment(), some_summaries(4), st.lists(host_action(), min_size=1, max_size=3))
def test_no_allowed_host_action_goes_beyond_access_evidence_and_protection(
    env: Environment, seen: list[AlertSummary], actions: list[Action]
) -> None:
    asked = request(*seen, env=env)
    if not review(strategy(tuple(actions), asked), asked).allowed:
        return
    assert len(actions) <= env.max_actions
    named = {a for s in seen for a in (s.source, s.destination)}
    shaken = {a for s in seen if s.handshake for a in (s.source, s.destination)}
    for action in actions:
        assert action.spec.plane is Plane.HOST
        host = env.host(getattr(action, "host", ""))
        assert host is not None
        assert host.access is not None
        assert action.kind in host.access.actions
        assert not any(a in n for a in host.addresses for n in env.protected)
        if isinstance(action, DnsSinkhole):
            carriers = [s for s in seen if action.name in s.domains]
            assert any(env.host_at(s.source if s.to_server else s.destination) for s in carriers)
            assert host.access.resolver
        else:
            assert named & set(host.addresses)
        if isinstance(action, DisableAccount):
            assert action.account in host.access.accounts
            assert shaken & set(host.addresses)
        clients = [s for s in host.services if (host.name, s.name) in lost_services(action, env) and s.clients]
        assert not clients or shaken & set(host.addresses)
    vital = {(h.name, s.name) for h in env.hosts for s in h.services if s.criticality is Criticality.HIGH}
    gone = {place for action in actions for place in lost_services(action, env)} & vital
    assert 2 * len(gone) <= len(vital)
