"""Host actions as roles, and the hosts that allow them."""

from __future__ import annotations

import pytest

from secloop_ai.contracts import (
    Action,
    ClosePort,
    DisableAccount,
    DnsSinkhole,
    Environment,
    HostAccess,
    Mitigation,
    MitigationState,
    PatchVulnerability,
    PlanError,
    RoleOp,
    SecureSshd,
    StopProcess,
)
from secloop_ai.loop.compile import compile_action
from secloop_ai.loop.draft import draft
from secloop_ai.loop.intent import meant_to_fail
from secloop_ai.loop.pending import device_half, host_half
from secloop_ai.loop.plan import plan_removal, plan_response
from secloop_ai.loop.story import plan_story
from secloop_ai.loop.watch import checks
from tests.loop.ground import strategy
from tests.loop.make import NOON, network

ACCESS = HostAccess(
    actions=("secure_sshd", "stop_process", "close_port", "disable_account", "dns_sinkhole"),
    accounts=("operator",),
    processes=("nginx",),
    resolver="dnsmasq",
)
LOCK = DisableAccount(ttl_s=900, host="web1", account="operator")


def allowing(access: HostAccess | None = ACCESS) -> Environment:
    base = network()
    hosts = tuple(h.model_copy(update={"access": access}) if h.name == "web1" else h for h in base.hosts)
    return base.model_copy(update={"hosts": hosts})


@pytest.mark.parametrize(
    ("action", "values"),
    [
        (SecureSshd(ttl_s=300, host="web1"), {}),
        (StopProcess(ttl_s=300, host="web1", process="nginx"), {"process": "nginx"}),
        (ClosePort(ttl_s=300, host="web1", protocol="tcp", port=80), {"protocol": "tcp", "port": 80}),
        (LOCK, {"account": "operator"}),
        (DnsSinkhole(ttl_s=300, host="web1", name="evil.example"), {"name": "evil.example", "resolver": "dnsmasq"}),
    ],
)
def test_an_action_is_the_role_of_its_name(action: Action, values: dict[str, str | int]) -> None:
    assert compile_action(action, allowing()) == {"web1": (RoleOp(role=action.kind, values=values),)}


@pytest.mark.parametrize(
    ("action", "access", "says"),
    [
        (LOCK, None, "disable_account: host web1 has no access: no role may touch it"),
        (LOCK, HostAccess(), "disable_account: host web1: its access.actions does not allow it: it lists none"),
        (
            PatchVulnerability(ttl_s=300, host="web1", package="nginx"),
            ACCESS,
            "patch_vulnerability: host web1: its access.actions does not allow it: secure_sshd, ",
        ),
        (
            DisableAccount(ttl_s=300, host="web1", account="root"),
            ACCESS,
            "disable_account: host web1: its access.accounts does not list root",
        ),
        (
            StopProcess(ttl_s=300, host="web1", process="sshd"),
            ACCESS,
            "stop_process: host web1: its access.processes does not list sshd",
        ),
        (
            DnsSinkhole(ttl_s=300, host="web1", name="evil.example"),
            HostAccess(actions=("dns_sinkhole",)),
            "dns_sinkhole: host web1: it is no resolver: its access has none",
        ),
        (
            DisableAccount(ttl_s=300, host="ghost", account="root"),
            ACCESS,
            "disable_account: host ghost is not in the inventory",
        ),
    ],
)
def test_what_a_host_does_not_allow_is_refused(action: Action, access: HostAccess | None, says: str) -> None:
    with pytest.raises(PlanError) as raised:
        compile_action(action, allowing(access))
    assert str(raised.value).startswith(says)


def standing(environment: Environment) -> Mitigation:
    (planned,) = draft(strategy(LOCK), "aaaaaaaaaa", environment, ()).planned
    return Mitigation(
        mitigation_id=planned.mitigation_id,
        incident_id="aaaaaaaaaa",
        action=planned.action,
        operations=planned.operations,
        state=MitigationState.ACTIVE,
        installed_at=NOON,
        expires_at=NOON,
    )


def test_the_same_effect_is_renewed_and_no_role_runs_again() -> None:
    environment = allowing()
    other = LOCK.model_copy(update={"ttl_s": 3600})
    made = draft(strategy(other), "bbbbbbbbbb", environment, [standing(environment)])
    assert (made.planned, [m.mitigation_id for m in made.renewed]) == ((), ["aaaaaaaaaa-0"])
    plan = plan_response("bbbbbbbbbb", made, environment, {}, NOON)
    assert (plan.hosts, plan.changes, plan.renewed) == ((), False, ("aaaaaaaaaa-0",))


def test_a_plan_tells_its_hosts_and_its_id_hangs_on_them() -> None:
    environment = allowing()
    close = ClosePort(ttl_s=300, host="web1", protocol="tcp", port=80)
    made = draft(strategy(LOCK, close), "aaaaaaaaaa", environment, ())
    plan = plan_response("aaaaaaaaaa", made, environment, {}, NOON)
    assert plan.changes
    assert plan_story(plan, None)[1:] == (
        "web1: disable_account account=operator (by aaaaaaaaaa-0)",
        "web1: close_port port=80 protocol=tcp (by aaaaaaaaaa-1)",
    )
    again = plan_response("aaaaaaaaaa", made, environment, {}, NOON)
    alone = plan_response("aaaaaaaaaa", made._replace(planned=made.planned[:1]), environment, {}, NOON)
    assert again.plan_id == plan.plan_id != alone.plan_id
    assert host_half(plan, "web1").mitigations == plan.mitigations
    assert (device_half(plan).hosts, device_half(plan).mitigations) == ((), ())


def test_a_removal_needs_the_host_but_not_its_leave() -> None:
    leaving = [standing(allowing())]
    plan = plan_removal("aaaaaaaaaa", "rollback", leaving, allowing(None), {}, NOON)
    assert plan_story(plan, None)[1:] == ("web1: undo disable_account account=operator (by aaaaaaaaaa-0)",)
    nobody = Environment(devices=network().devices)
    with pytest.raises(PlanError, match="web1: not in the inventory any more"):
        plan_removal("aaaaaaaaaa", "rollback", leaving, nobody, {}, NOON)


def test_only_the_port_that_is_closed_is_meant_to_fail() -> None:
    (check,) = checks(network())
    closed = ClosePort(ttl_s=300, host="web1", protocol="tcp", port=80)
    assert meant_to_fail(check, [closed])
    for other in (
        closed.model_copy(update={"port": 81}),
        closed.model_copy(update={"protocol": "udp"}),
        closed.model_copy(update={"host": "app1"}),
        LOCK,
        StopProcess(ttl_s=300, host="web1", process="nginx"),
    ):
        assert not meant_to_fail(check, [other])
