"""Host actions in the fast model: they do what the roles do live, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from labs.attacks import registry
from labs.scenario import Case
from labs.scenario.accounts import LOGIN_KINDS, USED_BY
from labs.services import chats, files, smb
from labs.services.ssh import account
from labs.simulator import FastField
from labs.simulator.effects import combine
from labs.simulator.hosts import below
from secloop_ai.contracts import (
    CATALOGUE,
    Action,
    ClosePort,
    DeployHids,
    DisableAccount,
    DnsSinkhole,
    EnforceApparmor,
    HardenKernel,
    Host,
    PatchVulnerability,
    Plane,
    SecureSshd,
    StopProcess,
)

from .world import BASE, case_of, collateral_of, field_of, host_of, infected, strategy

TTL = 300
BEACON = {"means": "beacon", "source": "desk", "target": "outside", "params": {"port": 443}}
SERVICES: list[dict[str, Any]] = [
    {"name": "ssh", "kind": "ssh", "port": 22},
    {"name": "ftp", "kind": "ftp", "port": 21},
    {"name": "smtp", "kind": "smtp", "port": 25},
    {"name": "smb", "kind": "smb", "port": 445},
    {"name": "http", "kind": "http", "port": 80},
    {"name": "dns", "kind": "dns", "port": 53, "protocol": "udp", "clients": ["desk"]},
    {"name": "monitoring-agent-of-the-house", "kind": "snmp", "port": 161, "protocol": "udp"},
]
SERVER: dict[str, Any] = {"name": "multi", "zone": "dmz", "services": SERVICES}


def multi(*chain: dict[str, Any], flows: bool = False) -> FastField:
    """A field whose attacked host serves nearly everything; every stage finds its weakness."""
    services = [
        s | {"weaknesses": [c["means"] for c in chain if c["target"].endswith(f"/{s['name']}")]} for s in SERVICES
    ]
    hosts = [*BASE["hosts"], SERVER | {"services": services}]
    more = [{"service": "multi/dns"}] if flows else []
    return FastField(case_of(*chain, hosts=hosts, flows=[*BASE["flows"], *more]))


def stage(means: str, service: str, **params: Any) -> dict[str, Any]:
    return {"means": means, "target": f"multi/{service}", "params": params}


def stops(field: FastField, *actions: Action) -> bool:
    found = field.evaluate(strategy(*actions))
    assert found.executed, found
    assert field.undefended().rs_attack == 1.0
    return found.rs_attack == 0.0


def test_an_implant_is_no_process_that_a_role_could_stop() -> None:
    field = field_of(BEACON, hosts=infected("desk"))
    desk = host_of(field.case, "desk")
    assert desk.access is not None
    assert desk.access.processes == ()
    named = field.evaluate(strategy(StopProcess(ttl_s=TTL, host=desk.name, process="updater")))
    assert (named.executed, named.rs_attack) == (False, 1.0)


def test_a_frozen_service_answers_nobody_and_is_still_found_by_a_scan() -> None:
    frozen = StopProcess(ttl_s=TTL, host="x", process="http")
    http = multi(stage("sql-injection", "http"))
    name = http.case.names["multi"]
    assert stops(http, frozen.model_copy(update={"host": name}))
    assert not stops(http, frozen.model_copy(update={"host": name, "process": "ssh"}))
    scan = multi(stage("port-scan", "http"))
    assert not stops(scan, frozen.model_copy(update={"host": scan.case.names["multi"]}))
    web = field_of()
    freeze = StopProcess(ttl_s=TTL, host=web.case.names["web"], process="http")
    assert {u.service for u in web.play(combine([web.effect(freeze)])).uses if not u.served} == {f"{freeze.host}/http"}
    assert "/http is lost for" in web.evaluate(strategy(freeze)).fault


def test_a_long_name_is_the_kernels() -> None:
    field = multi(stage("snmp-mib-dump", "monitoring-agent-of-the-house", protocol="udp"))
    name = field.case.names["multi"]
    assert "monitoring-agen" in _access(field.case, "multi").processes
    assert stops(field, StopProcess(ttl_s=TTL, host=name, process="monitoring-agen"))
    whole = field.evaluate(strategy(StopProcess(ttl_s=TTL, host=name, process="monitoring-agent-of-the-house")))
    assert not whole.executed


def test_a_closed_port_is_closed_by_its_protocol() -> None:
    field = multi(stage("snmp-mib-dump", "monitoring-agent-of-the-house", protocol="udp"))
    name = field.case.names["multi"]
    assert stops(field, ClosePort(ttl_s=TTL, host=name, protocol="udp", port=161))
    assert not stops(field, ClosePort(ttl_s=TTL, host=name, protocol="tcp", port=161))


@pytest.mark.parametrize(
    ("means", "service"),
    [
        ("ssh-brute-force", "ssh"), ("ssh-pivot", "ssh"), ("smb-brute-force", "smb"), ("ftp-brute-force", "ftp"),
        ("credential-stuffing", "ftp"), ("valid-accounts", "ftp"), ("password-spray", "smtp"),
    ],
)  # fmt: skip
def test_a_locked_account_ends_its_own_logins_alone(means: str, service: str) -> None:
    field = multi(stage(means, service))
    host = host_of(field.case, "multi")
    assert host.access is not None
    right = USED_BY[means]
    assert right in host.access.accounts
    for name in host.access.accounts:
        assert stops(field, DisableAccount(ttl_s=TTL, host=host.name, account=name)) is (name == right)
    assert "disable_account" in registry.means(means).countered_by


def test_the_accounts_are_those_of_the_services() -> None:
    known = {
        **{means: account(means)[0] for means in ("ssh-brute-force", "ssh-pivot")},
        "smb-brute-force": smb.USER,
        "ftp-brute-force": files.GUESSED[0],
        "credential-stuffing": files.LEAKED[0],
        "valid-accounts": files.LEAKED[0],
        "password-spray": chats.SPRAYED[0],
    }
    assert known == USED_BY
    assert {k for m in USED_BY for k in registry.means(m).service_kinds} <= set(LOGIN_KINDS)
    assert {p.id for p in registry.all_means() if "disable_account" in p.countered_by} == set(USED_BY)


def test_passwords_over_ssh_are_all_that_secure_sshd_ends() -> None:
    for means, service, ends in (("ssh-brute-force", "ssh", True), ("ftp-brute-force", "ftp", False)):
        field = multi(stage(means, service))
        assert stops(field, SecureSshd(ttl_s=TTL, host=field.case.names["multi"])) is ends


@pytest.mark.parametrize(
    ("chain", "ends"),
    [
        (stage("syn-half-open", "http"), True),
        (stage("dos-flood", "http"), True),
        (stage("dos-flood", "dns", kind="udp"), False),
        (stage("slow-http", "http"), False),
        (stage("sql-injection", "http"), False),
    ],
)
def test_syn_cookies_end_floods_of_half_open_connections(chain: dict[str, Any], ends: bool) -> None:
    field = multi(chain)
    assert stops(field, HardenKernel(ttl_s=TTL, host=field.case.names["multi"])) is ends


def test_a_sinkhole_holds_for_its_name_on_its_resolver() -> None:
    field = multi(stage("dns-hijack", "dns"), flows=True)
    name = field.case.names["multi"]
    for domain, ends in (("intranet.house.example", True), ("house.example", True), ("t.lure.example", False)):
        assert stops(field, DnsSinkhole(ttl_s=TTL, host=name, name=domain)) is ends
    one = field.evaluate(strategy(DnsSinkhole(ttl_s=TTL, host=name, name="intranet.house.example")))
    assert (one.rs_service, one.correct) == (1.0, True)
    zone = field.evaluate(strategy(DnsSinkhole(ttl_s=TTL, host=name, name="house.example")))
    assert collateral_of(field.case, zone.collateral) == {"multi/dns": 1.0}


def test_a_tunnel_to_its_own_server_asks_no_resolver_of_ours() -> None:
    hosts = [*(h | {"infected": h["name"] == "desk"} for h in BASE["hosts"]), SERVER]
    tunnel = {"means": "dns-tunnel", "source": "desk", "target": "outside", "params": {"protocol": "udp"}}
    field = FastField(case_of(tunnel, hosts=hosts))
    assert {s.domains for s in field.alerts()} == {("t.lure.example",)}
    sink = DnsSinkhole(ttl_s=TTL, host=field.case.names["multi"], name="t.lure.example")
    assert not stops(field, sink)


def test_watching_stops_nothing() -> None:
    field = multi(stage("ssh-brute-force", "ssh"))
    found = field.evaluate(strategy(DeployHids(ttl_s=TTL, host=field.case.names["multi"])))
    assert (found.executed, found.rs_attack, found.rs_service) == (True, 1.0, 1.0)
    assert not any("deploy_hids" in p.countered_by for p in registry.all_means())


def test_what_a_host_does_not_allow_has_not_executed() -> None:
    field = field_of()
    web, partner = field.case.names["web"], field.case.names["partner"]
    for action in (
        HardenKernel(ttl_s=TTL, host=partner),
        SecureSshd(ttl_s=TTL, host=field.case.names["db"]),
        EnforceApparmor(ttl_s=TTL, host=web, process="http"),
        PatchVulnerability(ttl_s=TTL, host=web, package="ssh"),
        DnsSinkhole(ttl_s=TTL, host=web, name="lure.example"),
        DisableAccount(ttl_s=TTL, host=web, account="nobody"),
        HardenKernel(ttl_s=TTL, host="not-here"),
    ):
        found = field.evaluate(strategy(action))
        assert (found.executed, found.rs_exe, found.rs_attack) == (False, 0.0, 1.0), action
    assert set(field.case.environment.not_offered) >= {"enforce_apparmor", "patch_vulnerability", "dns_sinkhole"}


def test_no_implant_is_said_to_be_stopped_on_its_host() -> None:
    kinds = {name for name, kind in CATALOGUE.items() if kind.spec.plane is Plane.HOST}
    for plugin in registry.all_means():
        assert set(plugin.countered_by) <= kinds
        if getattr(plugin, "outside", False) or plugin.service_kinds == ("c2",):
            assert plugin.countered_by == ()


@pytest.mark.parametrize("parent", ["house.example", "www.house.example", "e.house.example", "example", "use.example"])
def test_a_name_is_below_another_by_whole_labels(parent: str) -> None:
    assert below("www.house.example", parent) is (parent in {"house.example", "www.house.example", "example"})


def test_neighbours_of_the_segment_meet_a_closed_port_too() -> None:
    field = field_of()
    printer = field.case.names["printer"]
    found = field.evaluate(strategy(ClosePort(ttl_s=TTL, host=printer, protocol="tcp", port=80)))
    assert collateral_of(field.case, found.collateral) == {"printer/http": 1.0}


def _access(case: Case, name: str) -> Any:
    host: Host = host_of(case, name)
    assert host.access is not None
    return host.access
