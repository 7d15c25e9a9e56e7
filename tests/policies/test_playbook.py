from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secloop_ai.contracts import (
    AlertSummary,
    Environment,
    ObserveReason,
    Policy,
    PolicyError,
    PolicyRequest,
    Protocol,
    Untrusted,
)
from secloop_ai.guard import review
from secloop_ai.policies import load_policy, resolve

from .samples import (
    ADMIN,
    ATTACKER,
    CLIENT,
    DB,
    DNS,
    GATEWAY,
    PC,
    RESOLVER,
    SCANNER,
    STRANGER,
    WEB,
    environment,
    request,
    some_environment,
    some_summaries,
    summary,
    with_access,
)

POLICY = load_policy("playbook")
UNPROVEN: dict[str, Any] = {"handshake": False}
UDP: dict[str, Any] = {"protocol": Protocol.UDP, "handshake": False, "app_protocol": None}


def plan(*seen: AlertSummary, env: Environment | None = None) -> list[tuple[str, ...]]:
    """The best candidate as rows of tool and what it names, after checking that the guard allows it."""
    asked = request(*seen, env=env)
    (best,) = POLICY.propose(asked, n=1, seed=0)
    strategy, problems = resolve(best, asked, POLICY.name)
    assert problems == ()
    assert review(strategy, asked).refusals == ()
    rows = [a.model_dump(mode="json") for a in strategy.actions]
    return [(str(r.pop("kind")), *(str(v) for k, v in r.items() if k != "ttl_s" and v is not None)) for r in rows]


CASES: list[tuple[str, AlertSummary, list[tuple[str, ...]]]] = [
    ("ssh brute force", summary(), [("block_ip", f"{ATTACKER}/32")]),
    ("brute force, forged", summary(**UNPROVEN), [("restrict_service", "web", "ssh")]),
    ("brute force by a declared client", summary(CLIENT, **UNPROVEN), [("rate_limit", WEB, "tcp", "22", "125000")]),
    ("scan", summary(techniques=("T1046",)), [("block_ip", f"{ATTACKER}/32")]),
    ("scan, forged, of no service", summary(port=9, techniques=("T1046",), **UNPROVEN), [("observe",
     "insufficient_evidence")]),
    ("slowloris", summary(port=80, techniques=("T1499.002",)), [("block_ip", f"{ATTACKER}/32")]),
    ("syn flood", summary(port=80, techniques=("T1499.001",), **UNPROVEN), [("rate_limit", WEB, "tcp", "80",
     "1250000")]),
    ("web attack", summary(port=80, techniques=("T1190",)), [("block_ip", f"{ATTACKER}/32")]),
    ("web attack seen in the answer", summary(WEB, ATTACKER, 50123, to_server=False, app_protocol="http",
                                              techniques=("T1505.003",)), [("block_ip", f"{ATTACKER}/32")]),
    ("lateral movement", summary(PC, DB, 6379, techniques=("T1210",)), [("isolate_host", "pc")]),
    ("lateral movement from a vital host", summary(WEB, DB, 6379, techniques=("T1210",)),
     [("block_flow", f"{WEB}/32", DB, "tcp", "6379")]),
    ("exfiltration", summary(PC, ATTACKER, 443, techniques=("T1041",)),
     [("block_flow", f"{PC}/32", ATTACKER, "tcp", "443"), ("isolate_host", "pc")]),
    ("exfiltration over UDP", summary(PC, ATTACKER, 4000, techniques=("T1048.003",), **UDP),
     [("block_flow", f"{PC}/32", ATTACKER, "udp", "4000")]),
    ("exfiltration from a vital host", summary(WEB, ATTACKER, 443, techniques=("T1041",)),
     [("block_flow", f"{WEB}/32", ATTACKER, "tcp", "443")]),
    ("command and control", summary(PC, ATTACKER, 8443, techniques=("T1571",)), [("blackhole_route",
     f"{ATTACKER}/32", "gw")]),
    ("ICMP channel", summary(PC, ATTACKER, None, techniques=("T1095",), protocol=Protocol.ICMP, **UNPROVEN),
     [("blackhole_route", f"{ATTACKER}/32", "gw")]),
    ("DNS tunnel", summary(PC, ATTACKER, 53, techniques=("T1071.004",), **UDP),
     [("block_flow", f"{PC}/32", ATTACKER, "udp", "53")]),
    ("DNS tunnel through a protected resolver", summary(PC, RESOLVER, 53, techniques=("T1071.004",), **UDP),
     [("observe", "no_safe_action")]),
    ("rogue DHCP server", summary(PC, "255.255.255.255", 68, techniques=("T1557.003",), to_server=False, **UDP),
     [("shutdown_port", "gw", "lan1")]),
    ("the same behind a shared port", summary(ADMIN, "255.255.255.255", 68, techniques=("T1557.003",),
     to_server=False, **UDP),
     [("isolate_host", "admin")]),
    ("SNMP dump", summary(port=22, techniques=("T1602.001",), **UNPROVEN), [("restrict_service", "web", "ssh")]),
    ("reverse shell", summary(WEB, ATTACKER, 4444, techniques=("T1059.004",)), [("blackhole_route", f"{ATTACKER}/32",
     "gw")]),
    ("passive sniffing", summary(techniques=("T1040",)), [("observe", "informational")]),
    ("not suspicious", summary(classification="not-suspicious"), [("observe", "informational")]),
    ("one faint alert", summary(classification="misc-activity", severity=3, count=1, techniques=()),
     [("observe", "insufficient_evidence")]),
    ("policy violation", summary(classification="policy-violation", techniques=()), [("observe", "informational")]),
    ("our own scanner", summary(SCANNER, techniques=("T1046",)), [("observe", "false_alarm")]),
    ("our scanner's address, forged", summary(SCANNER, **UNPROVEN), [("observe", "insufficient_evidence")]),
    ("the gateway's address, forged", summary(GATEWAY, **UNPROVEN), [("observe", "insufficient_evidence")]),
    ("a flood in the resolver's name", summary(DNS, port=80, techniques=("T1498.002",), **UNPROVEN),
     [("rate_limit", WEB, "tcp", "80", "1250000")]),
    ("unknown, proven", summary(techniques=(), classification="unknown", port=6379, app_protocol=None),
     [("block_flow", f"{ATTACKER}/32", WEB, "tcp", "6379")]),
    ("unknown, forged", summary(techniques=(), classification="unknown", port=6379, app_protocol=None, **UNPROVEN),
     [("observe", "insufficient_evidence")]),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_table_decides(seen: AlertSummary, expected: list[tuple[str, ...]]) -> None:
    assert plan(seen) == expected


ON_HOSTS: list[tuple[str, AlertSummary, list[tuple[str, ...]]]] = [
    ("ssh brute force", summary(), [("block_ip", f"{ATTACKER}/32"), ("secure_sshd", "web")]),
    ("the same, forged", summary(**UNPROVEN), [("restrict_service", "web", "ssh"), ("secure_sshd", "web")]),
    ("guessing at what nobody should use", summary(port=23, app_protocol=None),
     [("block_ip", f"{ATTACKER}/32"), ("close_port", "web", "tcp", "23")]),
    ("an exploit of what the inventory does not know", summary(port=9999, techniques=("T1133",), app_protocol=None),
     [("block_ip", f"{ATTACKER}/32"), ("close_port", "web", "tcp", "9999")]),
    ("an exploit of what has clients", summary(destination=DB, port=6379, techniques=("T1133",), app_protocol=None),
     [("block_ip", f"{ATTACKER}/32")]),
    ("syn flood", summary(port=80, techniques=("T1499.001",), app_protocol=None, **UNPROVEN),
     [("rate_limit", WEB, "tcp", "80", "1250000"), ("harden_kernel", "web")]),
    ("slowloris", summary(port=80, techniques=("T1499.002",)), [("block_ip", f"{ATTACKER}/32")]),
    ("DNS tunnel past the resolver", summary(PC, ATTACKER, 53, techniques=("T1071.004",), domains=("t.lure.example",),
     **UDP), [("block_flow", f"{PC}/32", ATTACKER, "udp", "53"), ("dns_sinkhole", "dns", "t.lure.example")]),
    ("DNS tunnel through the resolver", summary(PC, DNS, 53, techniques=("T1071.004",), domains=("t.lure.example",),
     **UDP), [("dns_sinkhole", "dns", "t.lure.example")]),
    ("a stranger's question to the resolver", summary(ATTACKER, DNS, 53, techniques=("T1071.004",),
     domains=("t.lure.example",), **UDP), [("rate_limit", DNS, "udp", "53", "12500")]),
    ("a beacon by name", summary(PC, ATTACKER, 443, techniques=("T1071.001",), domains=("c2.example",)),
     [("blackhole_route", f"{ATTACKER}/32", "gw"), ("dns_sinkhole", "dns", "c2.example")]),
    ("a beacon by address", summary(PC, ATTACKER, 443, techniques=("T1071.001",)),
     [("blackhole_route", f"{ATTACKER}/32", "gw")]),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "expected"), [c[1:] for c in ON_HOSTS], ids=[c[0] for c in ON_HOSTS])
def test_hosts_are_seen_to_after_the_network(seen: AlertSummary, expected: list[tuple[str, ...]]) -> None:
    assert plan(seen, env=with_access()) == expected


@pytest.mark.parametrize(("seen", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_the_network_moves_are_the_same_where_roles_are_let_in(
    seen: AlertSummary, expected: list[tuple[str, ...]]
) -> None:
    kept = with_access(protected=environment().protected)
    hosts = ("secure_sshd", "harden_kernel", "close_port", "dns_sinkhole")
    assert [row for row in plan(seen, env=kept) if row[0] not in hosts] == expected


def test_a_name_of_our_own_is_never_made_to_vanish() -> None:
    named = tuple(
        h.model_copy(update={"name": f"{h.name}.house.example"}) if h.name == "client" else h
        for h in with_access().hosts
    )
    seen = summary(PC, DNS, 53, techniques=("T1071.004",), domains=("house.example",), **UDP)
    assert ("dns_sinkhole", "dns", "house.example") not in plan(seen, env=with_access(hosts=named))
    assert ("dns_sinkhole", "dns", "house.example") in plan(seen, env=with_access())


def test_hosts_get_the_room_that_is_left() -> None:
    asked = request(summary(), env=with_access(max_actions=1))
    (best,) = POLICY.propose(asked, n=1, seed=0)
    assert [c.tool for c in best.calls] == ["block_ip"]
    assert best.rationale.endswith("1 more left out by the budget")


def test_a_hosts_action_stands_once_with_the_longest_life() -> None:
    seen = (summary(), summary(STRANGER, severity=2), summary(PC, techniques=("T1021.004",), severity=2))
    (best,) = POLICY.propose(request(*seen, env=with_access()), n=1, seed=0)
    assert [(c.tool, c.ttl_s) for c in best.calls if c.tool == "secure_sshd"] == [("secure_sshd", 14400)]
    assert best.calls[-1].tool == "secure_sshd"


def test_a_second_row_is_taken_when_the_first_is_not_offered() -> None:
    no_acl = {"block_ip": "no ACL", "restrict_service": "no ACL"}
    flow = [("block_flow", f"{ATTACKER}/32", WEB, "tcp", "22")]
    assert plan(summary(), env=environment(not_offered=no_acl)) == flow
    nothing = dict.fromkeys((*no_acl, "block_flow", "rate_limit"), "down")
    assert plan(summary(), env=environment(not_offered=nothing)) == [("observe", "insufficient_evidence")]


def test_an_unknown_target_leaves_only_what_needs_none() -> None:
    assert plan(summary(ATTACKER, STRANGER, 22, **UNPROVEN)) == [("observe", "insufficient_evidence")]
    assert plan(summary(ATTACKER, STRANGER, 22)) == [("block_ip", f"{ATTACKER}/32")]


def test_summaries_merge_into_one_action_per_entity() -> None:
    merged = plan(
        summary(),
        summary(port=23, severity=2),
        summary(port=80, techniques=("T1190",), severity=2),
        summary(STRANGER, severity=3, count=40),
        summary(PC, DB, 6379, techniques=("T1210",), severity=2, count=2),
    )
    assert merged == [("block_ip", f"{ATTACKER}/32"), ("isolate_host", "pc"), ("block_ip", f"{STRANGER}/32")]


def test_the_longest_life_of_merged_answers_stays() -> None:
    asked = request(summary(), summary(port=80, techniques=("T1190",), severity=2))
    (best,) = POLICY.propose(asked, n=1, seed=0)
    assert [c.ttl_s for c in best.calls] == [14400]


def test_the_budget_keeps_the_most_urgent_and_says_what_is_left_out() -> None:
    seen = [summary(f"198.51.100.{100 + n}", port=22 + n, severity=1 + n % 2, count=10 + n) for n in range(6)]
    asked = request(*seen, env=environment(max_actions=2))
    (best,) = POLICY.propose(asked, n=1, seed=0)
    strategy, _ = resolve(best, asked, POLICY.name)
    assert len(strategy.actions) == 2
    assert review(strategy, asked).allowed


def test_budget_leaves_out_are_told() -> None:
    hosts = (WEB, DB, PC)
    seen = [summary(f"198.51.100.{100 + n}", hosts[n % 3], 4000 + n) for n in range(6)]
    (best,) = POLICY.propose(request(*seen, env=environment(max_actions=2)), n=1, seed=0)
    assert len(best.calls) == 2
    assert best.rationale.endswith("4 more left out by the budget")


def test_a_crowd_is_met_at_the_service() -> None:
    crowd = [summary(f"198.51.100.{100 + n}", port=22) for n in range(9)]
    assert plan(*crowd) == [("restrict_service", "web", "ssh")]


def test_alternatives_are_milder_end_in_observe_and_differ() -> None:
    asked = request(summary())
    found = POLICY.propose(asked, n=16, seed=1)
    assert [[c.tool for c in f.calls] for f in found] == [
        ["block_ip"], ["restrict_service"], ["block_flow"], ["rate_limit"], ["observe"],
    ]  # fmt: skip
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)


def test_no_alerts_is_to_observe() -> None:
    (only,) = POLICY.propose(request(), n=4, seed=0)
    assert only.calls[0].params == {"reason": ObserveReason.INSUFFICIENT_EVIDENCE.value}


def test_asking_for_nothing_is_an_error() -> None:
    with pytest.raises(PolicyError, match="0 candidates"):
        POLICY.propose(request(summary()), n=0, seed=0)


def test_the_text_of_a_signature_changes_nothing() -> None:
    plain = summary().model_copy(update={"signature": Untrusted.of("SSH brute force")})
    assert POLICY.propose(request(plain), n=8, seed=3) == POLICY.propose(request(summary()), n=8, seed=3)


@given(some_summaries(), st.integers(1, 9), st.integers(0, 5))
def test_same_request_and_seed_same_candidates_in_any_order(seen: list[AlertSummary], n: int, seed: int) -> None:
    once = POLICY.propose(request(*seen), n=n, seed=seed)
    shuffled = random.Random(seed).sample(seen, len(seen))
    assert POLICY.propose(request(*shuffled), n=n, seed=seed) == once
    assert 1 <= len(once) <= n
    assert len({c.model_dump_json(include={"calls"}) for c in once}) == len(once)


@settings(max_examples=400, deadline=None)
@given(some_summaries(), some_environment(), st.integers(0, 3))
def test_the_guard_allows_whatever_the_table_proposes(seen: list[AlertSummary], env: Environment, seed: int) -> None:
    asked: PolicyRequest = request(*seen, env=env)
    for candidate in POLICY.propose(asked, n=5, seed=seed):
        strategy, problems = resolve(candidate, asked, POLICY.name)
        assert problems == ()
        assert review(strategy, asked).refusals == (), candidate.calls


def test_the_registry_knows_its_back_ends(tmp_path: Any) -> None:
    loaded: Policy = load_policy("playbook")
    assert isinstance(loaded, Policy)
    assert (loaded.name, len(loaded.digest())) == ("playbook/1", 64)
    with pytest.raises(PolicyError, match=r"no policy 'crystal-ball'; known: .*playbook"):
        load_policy("crystal-ball")
    with pytest.raises(PolicyError, match="cannot be read"):
        load_policy(f"playbook:{tmp_path}/none.yaml")
