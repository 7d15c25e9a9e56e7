"""Roles as a transaction over hosts: on all of them, verified, or on none; and off again."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

import pytest

from secloop_ai.contracts import (
    DisableAccount,
    Environment,
    HostPlan,
    HostResult,
    HostRunner,
    HostStep,
    LedgerError,
    MitigationState,
    PlanError,
    TransactionFailed,
)
from secloop_ai.loop.commit import commit_plan
from secloop_ai.loop.context import EXPIRER, now
from secloop_ai.loop.recover import recover_all
from secloop_ai.loop.undo import expire_due, roll_back
from tests.loop.ground import Ground, variables, with_access
from tests.loop.make import network


def disable(host: str, account: str = "operator") -> DisableAccount:
    return DisableAccount(ttl_s=900, host=host, account=account)


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    monkeypatch.setenv("SECLOOP_STATE_DIR", str(tmp_path / "state"))
    hosts = tuple(h.model_copy(update={"services": ()}) for h in network().hosts)
    made = Ground(with_access(Environment(hosts=hosts), "web1", "app1"), tmp_path, ("web1", "app1"))
    made.ledger.heartbeat(EXPIRER, interval_s=3600, now=now())
    yield made
    made.ledger.close()


def test_hosts_are_changed_together_and_left_in_any_order(ground: Ground) -> None:
    report = ground.apply(disable("web1"), disable("app1"))
    assert (report.outcome, report.warnings, report.reasons) == ("confirmed", (), ())
    assert [(h.host, h.state, h.changed) for h in report.hosts] == [
        ("app1", "confirmed", True),
        ("web1", "confirmed", True),
    ]
    assert (ground.disabled("web1"), ground.disabled("app1")) == (["operator"], ["operator"])
    assert [m.mitigation_id for m in ground.active()] == ["aaaaaaaaaa-0", "aaaaaaaaaa-1"]

    assert ground.apply(disable("web1"), incident="bbbbbbbbbb").outcome == "unchanged"
    ground.apply(disable("web1", "guest"), incident="cccccccccc")
    removal = roll_back(ground, "aaaaaaaaaa")
    assert (removal.removed, removal.failures) == (("aaaaaaaaaa-0", "aaaaaaaaaa-1"), ())
    assert "web1: undo disable_account account=operator (by aaaaaaaaaa-0)" in removal.story
    assert (ground.disabled("web1"), ground.disabled("app1")) == (["guest"], [])
    assert [m.incident_id for m in ground.active()] == ["cccccccccc"]


@pytest.mark.parametrize(
    ("account", "task", "message"),
    [
        pytest.param("no-apply", "Stop here where the name says so", "non-zero", marks=pytest.mark.exhaustive),
        ("no-verify", "It must be disabled", "the account can still log in"),
    ],
)
def test_one_host_that_fails_undoes_all(ground: Ground, account: str, task: str, message: str) -> None:
    with pytest.raises(TransactionFailed, match=f"the change was not made: undone: web1: {task}") as raised:
        ground.apply(disable("app1"), disable("web1", account))
    app1, web1 = raised.value.report.hosts
    assert (app1.host, app1.state, app1.message) == ("app1", "undone", "")
    assert (web1.host, web1.state, web1.task) == ("web1", "undone", task)
    assert message in web1.message
    assert (ground.disabled("web1"), ground.disabled("app1")) == ([], [])
    assert ground.active() == ()
    assert ground.ledger.pending_commits() == ()


@pytest.mark.exhaustive
def test_a_host_that_is_down_is_not_in_doubt(ground: Ground) -> None:
    ground.reach["web1"] |= {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    with pytest.raises(TransactionFailed, match=r"web1: .*Connection refused") as raised:
        ground.apply(disable("app1"), disable("web1"))
    assert raised.value.report.outcome == "undone"
    assert ground.disabled("app1") == []


def test_an_undo_that_fails_is_in_doubt_until_it_works(ground: Ground) -> None:
    with pytest.raises(TransactionFailed, match="in doubt") as raised:
        ground.apply(disable("app1"), disable("web1", "no-verify-no-undo"))
    app1, web1 = raised.value.report.hosts
    assert (app1.state, web1.state, web1.task) == ("undone", "in_doubt", "Fail where the name says so")
    assert [m.state for m in ground.ledger.mitigations()] == [MitigationState.IN_DOUBT] * 2
    with pytest.raises(LedgerError, match="web1: transaction"):
        ground.apply(disable("web1", "guest"), incident="bbbbbbbbbb")

    (ground.root / "healed").touch()
    (report,) = recover_all(ground)
    assert report.outcome == "undone"
    assert ground.disabled("web1") == []
    assert [m.state for m in ground.ledger.mitigations()][:2] == [MitigationState.UNDONE] * 2


class Dies(Exception):  # noqa: N818 - what happens to the controller
    """The controller is gone."""


class Dying:
    """The real runner, of a controller that dies right after a step."""

    def __init__(self, real: HostRunner, step: HostStep) -> None:
        self._real = real
        self._step = step
        self._dead = False

    def run(
        self, plans: Sequence[HostPlan], steps: Sequence[HostStep], *, check: bool = False
    ) -> tuple[HostResult, ...]:
        if self._dead:
            raise Dies
        found = self._real.run(plans, steps, check=check)
        self._dead = self._step in steps
        if self._dead:
            raise Dies
        return found


def test_what_a_dead_controller_left_is_undone(ground: Ground) -> None:
    runner = Dying(ground.host_runner(), HostStep.APPLY)
    with pytest.raises(Dies):
        commit_plan(ground.plan(disable("web1")), ground.network, {}, ground.ledger, ground.settings, hosts=runner)
    assert ground.disabled("web1") == ["operator"]
    assert [p.devices for p in ground.ledger.pending_commits()] == [("web1",)]
    (report,) = recover_all(ground)
    assert (report.outcome, [h.state for h in report.hosts]) == ("undone", ["undone"])
    assert ground.disabled("web1") == []
    assert ground.ledger.pending_commits() == ()


@pytest.mark.exhaustive
def test_a_removal_that_broke_off_is_done_again(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.apply(disable("web1"))
    real = ground.host_runner()
    monkeypatch.setattr(ground, "host_runner", lambda: Dying(real, HostStep.UNDO))
    with pytest.raises(Dies):
        roll_back(ground, "aaaaaaaaaa")
    monkeypatch.undo()
    (report,) = recover_all(ground)
    assert report.outcome == "confirmed"
    assert [m.state for m in ground.ledger.mitigations()] == [MitigationState.ROLLED_BACK]


def test_a_host_that_is_down_keeps_only_its_own_waiting(ground: Ground) -> None:
    ground.apply(disable("web1"), disable("app1"))
    reach = dict(ground.reach["web1"])
    ground.reach["web1"] |= {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    removal = expire_due(ground, within_s=86400)
    assert removal.removed == ("aaaaaaaaaa-1",)
    (failure,) = removal.failures
    assert failure.startswith("aaaaaaaaaa-0: web1: ")
    assert any(line.startswith("still on the network: aaaaaaaaaa-0") for line in removal.story)
    assert (ground.disabled("web1"), ground.disabled("app1")) == (["operator"], [])
    assert [m.mitigation_id for m in ground.active()] == ["aaaaaaaaaa-0"]
    ground.reach["web1"] = reach
    assert expire_due(ground, within_s=86400).removed == ("aaaaaaaaaa-0",)
    assert ground.disabled("web1") == []


class Page(http.server.BaseHTTPRequestHandler):
    """Serves while the account is enabled."""

    account = Path()

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.SERVICE_UNAVAILABLE if self.account.exists() else HTTPStatus.OK)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def page(ground: Ground) -> Iterator[int]:
    """Port of web1's page, which is there while its account is enabled."""
    Page.account = ground.root / "web1" / "operator"
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_a_service_that_a_role_breaks_undoes_it(ground: Ground, page: int) -> None:
    served = network(web_address="127.0.0.1", web_port=page)
    ground.network = with_access(Environment(hosts=served.hosts), "web1", "app1")
    with pytest.raises(TransactionFailed, match="HTTP 503") as raised:
        ground.apply(disable("web1"))
    assert {p.phase for p in raised.value.report.probes} == {"before", "during"}
    assert ground.disabled("web1") == []
    assert ground.active() == ()


def test_a_host_that_allows_it_no_more_is_not_touched(ground: Ground) -> None:
    plan = ground.plan(disable("web1"))
    ground.network = with_access(ground.network)
    hosts = tuple(h.model_copy(update={"access": None}) for h in ground.network.hosts)
    ground.network = ground.network.model_copy(update={"hosts": hosts})
    with pytest.raises(PlanError, match="host web1 has no access"):
        ground.commit(plan)
    ground.network = with_access(ground.network, "web1")
    with pytest.raises(PlanError, match="web1: nothing here can run roles"):
        commit_plan(plan, ground.network, {}, ground.ledger, ground.settings)
    assert ground.disabled("web1") == []


@pytest.mark.exhaustive
def test_a_pause_holds_installs_but_not_removals(ground: Ground) -> None:
    ground.apply(disable("web1"))
    ground.ledger.pause("maintenance", now=now())
    with pytest.raises(LedgerError, match="maintenance"):
        ground.apply(disable("app1"), incident="bbbbbbbbbb")
    assert ground.disabled("app1") == []
    assert roll_back(ground, "all").removed == ("aaaaaaaaaa-0",)
    assert variables(ground.root, "web1")["ground"] == str(ground.root / "web1")
