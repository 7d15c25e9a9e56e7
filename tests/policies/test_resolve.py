from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from secloop_ai.contracts import (
    CATALOGUE,
    TTLS_S,
    ActionCall,
    AlertSummary,
    Candidate,
    Environment,
    Plane,
    PolicyRequest,
    Role,
)
from secloop_ai.policies import Resolution, choices, resolve, strategy_schema

from .samples import (
    ATTACKER,
    ATTACKER6,
    DB,
    DNS,
    PC,
    STRANGER,
    WEB,
    WEB6,
    environment,
    request,
    some_summaries,
    summary,
    with_access,
)


def call(tool: str, ttl_s: int = 3600, **params: str) -> ActionCall:
    return ActionCall(tool=tool, params=params, ttl_s=ttl_s)


def resolved(*calls: ActionCall, of: PolicyRequest | None = None) -> Resolution:
    return resolve(Candidate(calls=calls), of or request(summary()), "test")


GOOD = [
    (call("block_ip", source="@src0"), {"source": f"{ATTACKER}/32"}),
    (call("block_ip", source="@host0"), {"source": f"{WEB}/32"}),
    (
        call("block_flow", source="@src0", destination="@host0", port="@port0"),
        {"source": f"{ATTACKER}/32", "destination": WEB, "protocol": "tcp", "port": 22},
    ),
    (
        call("rate_limit", destination="@host0", port="@port0", rate="125000"),
        {"destination": WEB, "protocol": "tcp", "port": 22, "rate_bytes_per_s": 125000, "source": None},
    ),
    (call("isolate_host", host="@host0"), {"host": "web"}),
    (call("restrict_service", service="@svc0"), {"host": "web", "service": "ssh"}),
    (
        call("blackhole_route", destination="@src0", device="@dev0"),
        {"destination": f"{ATTACKER}/32", "device": "gw"},
    ),
    (call("shutdown_port", interface="@if0"), {"device": "gw", "interface": "dmz0"}),
    (call("close_port", host="@host0", port="@port0"), {"host": "web", "protocol": "tcp", "port": 22}),
    (call("secure_sshd", host="@host0"), {"host": "web"}),
    (call("observe", reason="false_alarm"), {"reason": "false_alarm"}),
]


@pytest.mark.parametrize(("good", "fields"), GOOD, ids=lambda v: v.tool if isinstance(v, ActionCall) else "")
def test_a_call_becomes_the_typed_action(good: ActionCall, fields: dict[str, Any]) -> None:
    strategy, problems = resolved(good)
    assert problems == ()
    assert strategy.actions[0].model_dump(mode="json") == {"kind": good.tool, "ttl_s": 3600, **fields}
    assert strategy.policy == "test"


def test_an_ipv6_source_becomes_a_single_address() -> None:
    strategy, problems = resolved(call("block_ip", source="@src0"), of=request(summary(ATTACKER6, WEB6)))
    assert problems == ()
    assert str(strategy.actions[0].model_dump()["source"]) == f"{ATTACKER6}/128"


BAD = [
    (call("format_disk"), "format_disk: no such tool"),
    (call("patch_vulnerability", host="@host0", package="@pkg0"), "package: slot '@pkg0' is not in this request"),
    (call("block_ip"), "block_ip: missing parameter source"),
    (call("block_ip", source="@src0", force="yes"), "block_ip: has no parameter force"),
    (call("block_ip", source="@src9"), "block_ip: source: slot '@src9' is not in this request"),
    (call("block_ip", source="@dev0"), "block_ip: source: slot @dev0 stands for a device"),
    (call("block_ip", source="10"), "block_ip: source: slot '10' is not in this request"),
    (call("block_ip", 7, source="@src0"), "block_ip: ttl_s 7 is none of 300"),
    (call("rate_limit", destination="@host0", port="@port0", rate="1"), "rate_limit: rate: 1 is none of 12500"),
    (call("observe", reason="because"), "observe: reason: because is none of false_alarm"),
]


@pytest.mark.parametrize(("bad", "text"), BAD, ids=lambda v: v if isinstance(v, str) else "")
def test_a_bad_call_is_a_problem_that_names_tool_and_parameter(bad: ActionCall, text: str) -> None:
    strategy, problems = resolved(call("isolate_host", host="@host0"), bad)
    assert len(strategy.actions) == 1
    assert [index for index, _ in problems] == [1]
    assert text in problems[0][1]


def test_an_action_that_is_not_offered_is_a_problem() -> None:
    limited = request(summary(), env=environment(not_offered={"block_ip": "no ACL"}))
    assert resolved(call("block_ip", source="@src0"), of=limited).problems == (
        (0, "block_ip: not offered in this request"),
    )


def test_a_flow_between_address_families_is_a_problem() -> None:
    mixed = request(summary(), summary(ATTACKER6, WEB6, severity=2))
    flow = call("block_flow", source="@src0", destination="@host1", port="@port0")
    assert resolved(flow, of=mixed).problems == (
        (0, "block_flow: source and destination are of different address families"),
    )


def test_a_host_without_an_address_cannot_be_blocked_by_it() -> None:
    hosts = (environment().hosts[0].model_copy(update={"addresses": ()}),)
    bare = request(summary(), env=environment(hosts=hosts))
    assert "does not know" in resolved(call("block_ip", source="@host0"), of=bare).problems[0][1]


def test_a_candidate_without_calls_is_a_problem_of_the_whole() -> None:
    assert [index for index, _ in resolved().problems] == [-1]


def test_a_hostile_parameter_name_is_never_echoed() -> None:
    hostile = ActionCall(tool="block_ip", params={"source": "@src0", "{{ x }}\n": "a"}, ttl_s=300)
    assert "{{" not in resolved(hostile).problems[0][1]


def test_evidence_is_the_summaries_that_name_what_is_acted_on() -> None:
    attack, other = summary(), summary(PC, DB, 6379, severity=3)
    asked = request(attack, other)
    assert resolved(call("block_ip", source="@src0"), of=asked).strategy.evidence == (attack.summary_id,)
    port = call("shutdown_port", interface="@if1")
    assert request(attack, other).pointers.resolve("@if1", ("if",)).value == "lan1"
    assert resolved(port, of=asked).strategy.evidence == (other.summary_id,)
    quiet = resolved(call("observe", reason="informational"), of=asked).strategy
    assert quiet.evidence == (attack.summary_id, other.summary_id)


def on_hosts() -> PolicyRequest:
    """An alert about the web server, and one about a name that the workstation asks for."""
    return request(summary(), summary(PC, DNS, 53, severity=2, domains=("t.lure.example",)), env=with_access())


def slot(asked: PolicyRequest, role: Role, host: str | None = None, value: str | None = None) -> str:
    """The slot of an entity by its owner and name."""
    fits = (s for s in asked.pointers.of(role) if (host or s.host) == s.host and (value or s.value) == s.value)
    return next(fits).slot


def test_a_host_actions_slots_become_names() -> None:
    asked = on_hosts()
    web, dns = slot(asked, Role.HOST, "web"), slot(asked, Role.HOST, "dns")
    account, process = slot(asked, Role.ACCOUNT, "web", "backup"), slot(asked, Role.PROCESS, "web", "ssh")
    for said, fields in (
        (call("disable_account", host=web, account=account), {"host": "web", "account": "backup"}),
        (call("stop_process", host=web, process=process), {"host": "web", "process": "ssh"}),
        (call("dns_sinkhole", host=dns, name="@name0"), {"host": "dns", "name": "t.lure.example"}),
    ):
        strategy, problems = resolved(said, of=asked)
        assert problems == ()
        assert strategy.actions[0].model_dump(mode="json") == {"kind": said.tool, "ttl_s": 3600, **fields}


def test_what_belongs_to_another_host_is_a_problem() -> None:
    asked = on_hosts()
    web, pc = slot(asked, Role.HOST, "web"), slot(asked, Role.HOST, "pc")
    account = slot(asked, Role.ACCOUNT, "web")
    foreign = call("disable_account", host=pc, account=account)
    said = f"disable_account: account: {account} belongs to another host than {pc}"
    assert resolved(foreign, of=asked).problems == ((0, said),)
    stop = call("stop_process", host=web, process=slot(asked, Role.PROCESS, "db"))
    assert "belongs to another host" in resolved(stop, of=asked).problems[0][1]


def test_a_sinkhole_is_for_a_resolver() -> None:
    asked = on_hosts()
    web = slot(asked, Role.HOST, "web")
    said = (0, f"dns_sinkhole: host: {web} is no resolver")
    assert resolved(call("dns_sinkhole", host=web, name="@name0"), of=asked).problems == (said,)


def test_evidence_of_a_sinkhole_is_what_carries_the_name() -> None:
    asked = request(
        summary(), summary(PC, STRANGER, 443, severity=2, domains=("t.lure.example",)), env=with_access()
    )  # fmt: skip
    dns = slot(asked, Role.HOST, "dns")
    found = resolved(call("dns_sinkhole", host=dns, name="@name0"), of=asked).strategy
    assert found.evidence == (asked.summaries[1].summary_id,)


def test_a_tool_that_takes_a_hosts_own_has_a_row_for_each_host() -> None:
    asked = on_hosts()
    found = {name: list(choices(name, asked)) for name in asked.offered}
    owners = {s.slot: s.host for s in asked.pointers.slots}
    for name in ("stop_process", "disable_account"):
        assert len(found[name]) == len({s for row in found[name] for s in row["host"]})
        for row in found[name]:
            assert len({owners[s] for words in row.values() for s in words}) == 1
    assert {owners[s] for row in found["stop_process"] for s in row["host"]} == {"web", "db", "dns"}
    assert [owners[s] for row in found["dns_sinkhole"] for s in row["host"]] == ["dns"]
    assert found["enforce_apparmor"] == found["patch_vulnerability"] == []
    assert [owners[s] for row in found["secure_sshd"] for s in row["host"]] == ["web"]


def test_the_schema_admits_what_resolves_and_nothing_with_a_foreign_slot() -> None:
    asked = request(summary(), env=with_access())
    validator = Draft202012Validator(strategy_schema(asked))
    for good, _ in GOOD:
        assert validator.is_valid({"calls": [good.model_dump()]}), good
    for bad, _ in BAD:
        assert not validator.is_valid({"calls": [bad.model_dump()]}), bad
    assert not validator.is_valid({"calls": []})
    assert not validator.is_valid({"calls": [GOOD[0][0].model_dump()], "note": "x"})


def test_the_schema_leaves_out_tools_that_are_not_offered_or_have_no_slot() -> None:
    schema = strategy_schema(request(summary(), env=environment(not_offered={"block_ip": "no ACL"})))
    tools = [row["properties"]["tool"]["const"] for row in schema["properties"]["calls"]["items"]["anyOf"]]
    assert "block_flow" in tools
    assert not {"block_ip", "stop_process", "disable_account", "secure_sshd"} & set(tools)


@given(some_summaries(), st.data())
def test_whatever_the_schema_admits_resolves(summaries: list[AlertSummary], data: st.DataObject) -> None:
    asked = request(*summaries, env=with_access())
    row = data.draw(st.sampled_from(strategy_schema(asked)["properties"]["calls"]["items"]["anyOf"]))
    fields = row["properties"]
    params = {n: data.draw(st.sampled_from(p["enum"])) for n, p in fields["params"]["properties"].items()}
    said = call(fields["tool"]["const"], data.draw(st.sampled_from(fields["ttl_s"]["enum"])), **params)
    strategy, problems = resolved(said, of=asked)
    assert all("different address families" in text for _, text in problems)
    assert len(strategy.actions) + len(problems) == 1
    assert set(strategy.evidence) <= {s.summary_id for s in summaries}


@given(
    some_summaries(3),
    st.sampled_from([*CATALOGUE, "run_shell", "x"]),
    st.dictionaries(st.text(max_size=12), st.from_regex(r"@?[a-z0-9_]{1,8}", fullmatch=True), max_size=4),
    st.integers(-1, 90000),
)
def test_no_utterance_raises(summaries: list[AlertSummary], tool: str, params: dict[str, str], ttl_s: int) -> None:
    asked = request(*summaries, env=with_access())
    strategy, problems = resolved(ActionCall(tool=tool, params=params, ttl_s=ttl_s), of=asked)
    assert len(strategy.actions) + len(problems) == 1
    assert bool(strategy.actions) == (tool in CATALOGUE and ttl_s in TTLS_S and not problems)


def test_the_schema_is_json_and_covers_the_network_plane() -> None:
    network: Environment = environment()
    schema = strategy_schema(request(summary(), env=network))
    assert json.loads(json.dumps(schema)) == schema
    tools = {row["properties"]["tool"]["const"] for row in schema["properties"]["calls"]["items"]["anyOf"]}
    assert {n for n, t in CATALOGUE.items() if t.spec.plane is not Plane.HOST} <= tools
