from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from secloop_ai.contracts import Action, AlertSummary, Criticality, Environment, Protocol, Strategy
from secloop_ai.guard import RULES, review, schema_verdict
from tests.policies.samples import (
    ADMIN,
    ATTACKER,
    ATTACKER6,
    CLIENT,
    DB,
    DNS,
    GATEWAY,
    PC,
    RESOLVER,
    SCANNER,
    STRANGER,
    WEB,
    WEB6,
    environment,
    request,
    summary,
)

from .actions import (
    blackhole,
    block_flow,
    block_ip,
    forged,
    isolate,
    observe,
    rate_limit,
    refusals,
    restrict,
    shutdown,
    strategy,
)

UDP: dict[str, Any] = {"protocol": Protocol.UDP, "handshake": False}
ICMP: dict[str, Any] = {"protocol": Protocol.ICMP, "handshake": False}
FORGED: dict[str, Any] = {"handshake": False}
ATTACK = (summary(),)
BACK = (summary(WEB, ATTACKER, 50123, to_server=False),)
PIVOT = (summary(PC, DB, 6379),)
BEACON = (summary(PC, ATTACKER, 4444),)
TUNNEL = (summary(PC, ATTACKER, 53, **UDP),)
DHCP = (summary(PC, "255.255.255.255", 68, to_server=False, **UDP),)

ALLOWED: list[tuple[str, tuple[Action, ...], tuple[AlertSummary, ...]]] = [
    ("block the attacker", (block_ip(),), ATTACK),
    ("block it where the answer fired", (block_ip(),), BACK),
    ("block an IPv6 attacker", (block_ip(ATTACKER6),), (summary(ATTACKER6, WEB6),)),
    ("block a flow", (block_flow(),), ATTACK),
    ("block a flow where the answer fired", (block_flow(port=22),), BACK),
    ("limit a forged flood", (rate_limit(),), (summary(**FORGED),)),
    ("restrict against a forged source", (restrict(),), (summary(**FORGED),)),
    ("isolate a proven host", (isolate("pc"),), PIVOT),
    ("block a proven inside host", (block_ip(PC),), PIVOT),
    ("blackhole a beacon's end", (blackhole(),), BEACON),
    ("block a tunnel without handshake", (block_flow(PC, ATTACKER, 53, protocol="udp"),), TUNNEL),
    ("blackhole a tunnel's end without handshake", (blackhole(),), (summary(PC, ATTACKER, None, **ICMP),)),
    ("shut a rogue DHCP server's port", (shutdown("lan1"),), DHCP),
    ("isolate it", (isolate("pc"),), (summary(ADMIN, "10.0.2.255", 68, **UDP), *PIVOT)),
    ("observe", (observe(),), ATTACK),
    ("two in one", (block_ip(), isolate("pc")), (*ATTACK, *PIVOT)),
]


@pytest.mark.parametrize(("actions", "seen"), [c[1:] for c in ALLOWED], ids=[c[0] for c in ALLOWED])
def test_allowed(actions: tuple[Action, ...], seen: tuple[AlertSummary, ...]) -> None:
    assert refusals(*actions, seen=seen) == ()


Case = tuple[str, str, tuple[Action, ...], tuple[AlertSummary, ...], str]
REFUSED: list[Case] = [
    ("target-exists", "a stranger to everything", (block_ip("8.8.8.8"),), ATTACK, "8.8.8.8/32 is neither"),
    ("target-exists", "no unicast source", (block_ip("224.0.0.251"),), (summary("224.0.0.251"),), "no address a host"),
    ("target-exists", "this network", (block_ip("0.0.0.0/32"),), (summary("0.0.0.0"),), "no address a host"),
    ("target-exists", "an unknown host", (isolate("nobody"),), ATTACK, "host nobody is not in"),
    ("target-exists", "an unknown service", (restrict("web", "smtp"),), ATTACK, "web has no service smtp"),
    ("target-exists", "an unknown device", (blackhole(device="other"),), BEACON, "device other is not in"),
    ("target-exists", "an unknown port", (shutdown("lan9"),), PIVOT, "gw has no port lan9"),
    ("target-exists", "a limit outside", (rate_limit(STRANGER),), (summary(ATTACKER, STRANGER),), "no inventory host"),
    ("evidence", "another host", (isolate("pc"),), ATTACK, "names host pc"),
    ("evidence", "another address", (block_ip(CLIENT),), ATTACK, f"names source {CLIENT}/32"),
    ("evidence", "a flow between two alerts", (block_flow(ATTACKER, DB, 6379),), (*ATTACK, *PIVOT), "is between"),
    ("evidence", "another port", (block_flow(port=80),), ATTACK, "names tcp port 80"),
    ("evidence", "a limit on another port", (rate_limit(port=80),), ATTACK, "names tcp port 80"),
    ("evidence", "another protocol", (rate_limit(protocol="udp"),), ATTACK, "names udp port 22"),
    ("evidence", "another service", (restrict("web", "http"),), ATTACK, "about service http"),
    ("evidence", "a port nobody named sits at", (shutdown("lan1"),), (summary(ADMIN, DB, 22),), "also carries host pc"),
    ("evidence", "an empty port", (shutdown("lan1"),), ATTACK, "also carries host pc"),
    ("evidence", "a neighbour on the port", (shutdown("dmz0"),), PIVOT, "also carries host"),
    ("handshake", "a forged source", (block_ip(),), (summary(**FORGED),), f"{ATTACKER}/32 no completed handshake"),
    ("handshake", "a UDP source", (block_ip(),), (summary(port=53, **UDP),), "may be forged"),
    ("handshake", "a flow of a forged source", (block_flow(),), (summary(**FORGED),), "may be forged"),
    ("handshake", "a flow among inside hosts", (block_flow(PC, DB, 6379),),
     (summary(PC, DB, 6379, **FORGED),), "forged"),
    ("handshake", "a forged inside source", (isolate("pc"),), (summary(PC, DB, 6379, **FORGED),), "of host pc no"),
    ("handshake", "the victim of a forged packet", (isolate("db"),),
     (summary(port=6379, destination=DB, **FORGED),), "host db"),
    ("handshake", "its port", (shutdown("lan1"),), (summary(PC, DB, 6379, **FORGED),), "of host pc no"),
    ("handshake", "a route to a forged source", (blackhole(),), (summary(**FORGED),), "may be forged"),
    ("handshake", "an answer forged in its name", (blackhole(),),
     (summary(ATTACKER, PC, 53, to_server=False, **UDP),), "forged"),
    ("handshake", "a routed UDP packet is not of the link", (isolate("pc"),), (summary(PC, DB, 53, **UDP),), "host pc"),
    ("handshake", "a SYN on the link", (isolate("db"),), (summary(DB, WEB, 22, **FORGED),), "host db"),
    ("handshake", "a beacon in a protected name", (blackhole(),), (summary(SCANNER, ATTACKER, 53, **UDP),), "forged"),
    ("protected-set", "a declared prefix", (isolate("scanner"),),
     (summary(SCANNER, DB, 22),), f"in the protected {SCANNER}"),
    ("protected-set", "an outside resolver", (blackhole(RESOLVER),),
     (summary(PC, RESOLVER, 53),), "meets the protected"),
    ("protected-set", "a flow to it", (block_flow(PC, RESOLVER, 53),),
     (summary(PC, RESOLVER, 53),), "meets the protected"),
    ("protected-set", "a limit on it", (rate_limit(DNS, 53),), (summary(PC, DNS, 53),), "meets the protected"),
    ("protected-set", "its service", (restrict("dns", "dns"),), (summary(PC, DNS, 53, **UDP),), "host dns is in"),
    ("protected-set", "the gateway", (blackhole(GATEWAY),), (summary(PC, GATEWAY, 22),), "meets the protected"),
    ("protected-set", "the management network", (blackhole("172.16.0.9"),),
     (summary(PC, "172.16.0.9", 22),), "172.16.0.0/24"),
    ("spoofed-self", "a device", (block_ip(GATEWAY),), (summary(GATEWAY),), "one of our devices"),
    ("spoofed-self", "its management", (block_ip("172.16.0.1"),), (summary("172.16.0.1"),), "one of our devices"),
    ("spoofed-self", "a protected host", (block_ip(SCANNER),), (summary(SCANNER),), "likely forged"),
    ("spoofed-self", "in IPv6 clothes", (block_ip("::ffff:10.0.2.99"),),
     (summary("::ffff:10.0.2.99", WEB6),), "forged"),
    ("budget", "the last vital service", (isolate("web"),), ATTACK, "1 of 1 services of high criticality"),
    ("budget", "the same by its address", (block_ip(WEB),), ATTACK, "1 of 1 services of high criticality"),
    ("legitimate-clients", "no clients declared", (restrict("web", "telnet"),),
     (summary(port=23),), "no declared clients"),
    ("duplicates", "twice", (block_ip(), block_ip().model_copy(update={"ttl_s": 300})), ATTACK, "twice"),
    ("observe-alone", "beside a block", (block_ip(), observe()), ATTACK, "cannot stand beside"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "_", "actions", "seen", "text"), REFUSED, ids=[f"{c[0]}: {c[1]}" for c in REFUSED])
def test_refused(rule: str, _: str, actions: tuple[Action, ...], seen: tuple[AlertSummary, ...], text: str) -> None:
    found = [r for r in refusals(*actions, seen=seen) if r.rule == rule]
    assert found
    assert any(text in r.reason for r in found), found
    assert all(-1 <= r.action < len(actions) for r in found)


# Rules that must stand alone: with nothing else wrong, each of them still refuses.
ALONE = [
    ("evidence", (block_flow(port=80),), ATTACK),
    ("handshake", (block_ip(),), (summary(**FORGED),)),
    ("protected-set", (restrict("dns", "dns"),), (summary(PC, DNS, 53, **UDP),)),
    ("budget", (isolate("web"),), ATTACK),
    ("legitimate-clients", (restrict("web", "telnet"),), (summary(port=23),)),
    ("duplicates", (block_ip(), block_ip()), ATTACK),
    ("observe-alone", (block_ip(), observe()), ATTACK),
]


@pytest.mark.parametrize(("rule", "actions", "seen"), ALONE, ids=[a[0] for a in ALONE])
def test_a_rule_refuses_alone(rule: str, actions: tuple[Action, ...], seen: tuple[AlertSummary, ...]) -> None:
    assert {r.rule for r in refusals(*actions, seen=seen)} == {rule}


def names(*actions: Action, seen: tuple[AlertSummary, ...], env: Environment) -> set[str]:
    return {r.rule for r in refusals(*actions, seen=seen, env=env)}


def test_not_offered_names_the_reason() -> None:
    found = refusals(block_ip(), seen=ATTACK, env=environment(not_offered={"block_ip": "the device has no ACL"}))
    assert [(r.rule, r.reason) for r in found] == [
        ("offered", "block_ip is not offered in this network: the device has no ACL")
    ]


def test_a_host_without_a_port_and_an_address_no_port_leads_to_are_refused() -> None:
    loose = environment(
        hosts=tuple(h.model_copy(update={"attached_to": None}) for h in environment().hosts),
        devices=(environment().devices[0].model_copy(update={"interfaces": environment().devices[0].interfaces[2:]}),),
    )
    assert names(isolate("pc"), seen=PIVOT, env=loose) == {"target-exists"}
    assert names(block_ip(), seen=ATTACK, env=loose) == {"target-exists"}


def test_a_prefix_is_as_wide_as_the_inventory_allows() -> None:
    wide = block_ip("203.0.113.0/24")
    assert names(wide, seen=ATTACK, env=environment()) == {"prefix-width"}
    assert names(wide, seen=ATTACK, env=environment(max_prefix_v4=24)) == set()
    assert "prefix-width" in names(block_ip("203.0.112.0/23"), seen=ATTACK, env=environment(max_prefix_v4=24))
    six = (summary(ATTACKER6, WEB6),)
    assert names(block_ip("2001:db8:bad::/64"), seen=six, env=environment()) == set()
    assert names(block_ip("2001:db8:bad::/63"), seen=six, env=environment()) == {"prefix-width"}


def test_a_prefix_may_not_take_in_hosts_that_did_nothing() -> None:
    seen = (summary("198.51.100.66"),)
    found = refusals(block_ip("198.51.100.0/24"), seen=seen, env=environment(max_prefix_v4=24))
    assert {r.rule for r in found} == {"evidence", "legitimate-clients", "protected-set", "spoofed-self"}
    assert any("take in host client" in r.reason for r in found)
    assert any("declared client of ssh of host web" in r.reason for r in found)


def test_a_declared_client_is_blocked_only_on_its_own_handshake() -> None:
    services = tuple(s.model_copy(update={"clients": (ip_network(STRANGER),)}) for s in environment().hosts[2].services)
    hosts = tuple(h.model_copy(update={"services": services}) if h.name == "db" else h for h in environment().hosts)
    declared = environment(hosts=hosts)
    unproven = (summary(PC, STRANGER, 53, **UDP),)
    assert names(blackhole(STRANGER), seen=unproven, env=environment()) == set()
    assert names(blackhole(STRANGER), seen=unproven, env=declared) == {"legitimate-clients"}
    assert names(blackhole(STRANGER), seen=(summary(PC, STRANGER, 443),), env=declared) == set()
    assert names(block_ip(STRANGER), seen=(summary(STRANGER, WEB),), env=declared) == set()


def test_a_vital_services_client_is_not_cut_off_on_its_link_alone() -> None:
    hosts = tuple(
        h.model_copy(update={"services": tuple(s.model_copy(update={"clients": ("pc",)}) for s in h.services)})
        if h.name == "web"
        else h
        for h in environment().hosts
    )
    assert names(shutdown("lan1"), seen=DHCP, env=environment(hosts=hosts)) == {"legitimate-clients"}
    assert names(shutdown("lan1"), seen=(*DHCP, *PIVOT), env=environment(hosts=hosts)) == set()


def test_half_of_the_vital_services_may_be_cut() -> None:
    hosts = tuple(
        h.model_copy(
            update={"services": tuple(s.model_copy(update={"criticality": Criticality.HIGH}) for s in h.services)}
        )
        if h.name in {"db", "web"}
        else h
        for h in environment().hosts
    )
    env = environment(hosts=hosts)
    assert names(isolate("db"), seen=PIVOT, env=env) == set()
    assert names(isolate("db"), isolate("web"), seen=(*PIVOT, *ATTACK), env=env) == {"budget"}


def test_the_number_of_disruptive_actions_is_bounded() -> None:
    env = environment(max_actions=1)
    found = refusals(block_ip(), isolate("pc"), seen=(*ATTACK, *PIVOT), env=env)
    assert [(r.rule, r.action) for r in found] == [("budget", -1)]


def test_a_port_that_leads_to_something_protected_or_to_management_stays_up() -> None:
    found = refusals(shutdown("mgmt0"), seen=PIVOT)
    assert any("carries the controller's own management" in r.reason for r in found)
    inband = (
        environment()
        .devices[0]
        .model_copy(
            update={"connection": environment().devices[0].connection.model_copy(update={"address": "10.0.3.1"})}
        )
    )
    assert "protected-set" in names(shutdown("lan1"), seen=PIVOT, env=environment(devices=(inband,)))
    kept = environment(protected=environment().protected + environment(protected=(ip_network("10.0.3.200"),)).protected)
    found = refusals(shutdown("lan1"), seen=PIVOT, env=kept)
    assert [r.reason for r in found] == ["shutdown_port: the protected 10.0.3.200/32 lies behind gw lan1"]


def test_evidence_must_be_of_this_request() -> None:
    asked = request(*ATTACK)
    for evidence, text in (((), "rests on no alert"), (("0" * 12,), "rests on no alert")):
        verdict = review(strategy((block_ip(),), asked, evidence), asked)
        assert any(r.rule == "evidence" and text in r.reason for r in verdict.refusals)
    more = (ATTACK[0].summary_id, "0" * 12)
    verdict = review(strategy((block_ip(),), asked, more), asked)
    assert [r.rule for r in verdict.refusals] == ["evidence"]


def test_what_the_evidence_does_not_name_does_not_count() -> None:
    asked = request(*ATTACK, *PIVOT)
    verdict = review(strategy((block_ip(),), asked, (PIVOT[0].summary_id,)), asked)
    assert {"evidence", "handshake"} <= {r.rule for r in verdict.refusals}


@pytest.mark.parametrize("action", forged(), ids=range(len(forged())))
def test_a_forged_action_is_refused_by_form_and_never_raises(action: Any) -> None:
    asked = request(*ATTACK)
    made = Strategy.model_construct(actions=(block_ip(), action), evidence=(ATTACK[0].summary_id,), policy="x")
    verdict = review(made, asked)
    assert {r.rule for r in verdict.refusals if r.action == 1} & {"closed-schema", "ttl"}
    assert not any("{{" in r.reason for r in verdict.refusals)


def test_no_action_is_no_strategy() -> None:
    asked = request(*ATTACK)
    assert [(r.rule, r.action) for r in review(strategy((), asked), asked).refusals] == [("closed-schema", -1)]


def test_problems_of_a_candidate_become_refusals_by_form() -> None:
    verdict = schema_verdict([(2, "block_ip: no slot"), (-1, "empty")])
    assert not verdict.allowed
    assert [(r.rule, r.action, r.reason) for r in verdict.refusals] == [
        ("closed-schema", 2, "block_ip: no slot"),
        ("closed-schema", -1, "empty"),
    ]
    assert not schema_verdict(()).allowed


def test_the_table_names_and_describes_every_rule() -> None:
    assert [r.name for r in RULES] == [
        "closed-schema", "ttl", "offered", "target-exists", "host-access", "evidence", "handshake", "spoofed-self",
        "protected-set", "prefix-width", "legitimate-clients", "budget", "duplicates", "observe-alone",
    ]  # fmt: skip
    assert all(r.about.endswith(".") and len(r.about) < 120 for r in RULES)
    asked = request(*ATTACK)
    assert review(strategy((observe(),), asked), asked).rules_checked == tuple(r.name for r in RULES)


def test_what_is_untouchable_is_that_of_the_network_under_review() -> None:
    plain = environment()
    shielded = plain.model_copy(update={"protected": (ip_network(f"{ATTACKER}/32"),)})
    for _ in range(2):
        assert not refusals(block_ip(), seen=ATTACK, env=plain)
        assert "protected-set" in [r.rule for r in refusals(block_ip(), seen=ATTACK, env=shielded)]
