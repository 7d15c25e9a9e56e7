"""Roles through ansible-runner: what each host's part of a run was."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from secloop_ai.contracts import HostPlan, HostStep, InputError, RoleOp
from secloop_ai.loop.host_events import diff_lines, results
from secloop_ai.loop.hosts import AnsibleHosts, work_of
from tests.loop.ground import ROLES, host_plan, variables

BOTH = (HostStep.APPLY, HostStep.VERIFY)


def runner(root: Path, *names: str, **more: object) -> AnsibleHosts:
    for name in names:
        (root / name).mkdir()
    return AnsibleHosts({n: variables(root, n, **more) for n in names}, roles_path=[str(ROLES)], timeout_s=60)


def test_each_host_goes_its_own_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    hosts = runner(tmp_path, "a", "b", "c")
    before = signal.getsignal(signal.SIGTERM)
    plans = [
        host_plan("a", "operator", "guest"),
        host_plan("b", "no-apply"),
        host_plan("gone", "x"),
        host_plan("c", "no-verify"),
    ]
    a, b, gone, c = hosts.run(plans, BOTH)
    assert (a.host, a.ok, a.changed, a.task, a.message) == ("a", True, True, "", "")
    assert a.seconds > 0
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == ["guest", "operator"]
    assert (b.ok, b.task, b.began) == (False, "Stop here where the name says so", True)
    assert "non-zero return code" in b.message
    assert (gone.ok, gone.began) == (False, False)
    assert gone.message == "Ansible's inventory has no host of that name"
    assert (c.ok, c.task, c.message) == (False, "It must be disabled", "the account can still log in")
    assert signal.getsignal(signal.SIGTERM) is before
    assert not list(tmp_path.glob("secloop-hosts-*"))


def test_a_second_run_changes_nothing_and_undo_puts_back(tmp_path: Path) -> None:
    hosts = runner(tmp_path, "a")
    plan = [host_plan("a", "operator")]
    (would,) = hosts.run(plan, [HostStep.APPLY], check=True)
    assert (would.ok, would.changed) == (True, True)
    assert any("aaaaaaaaaa-0" in line for line in would.diff)
    assert list((tmp_path / "a").iterdir()) == []
    assert [r.changed for r in hosts.run(plan, BOTH)] == [True]
    assert [r.changed for r in hosts.run(plan, [HostStep.APPLY])] == [False]
    assert [r.changed for r in hosts.run(plan, [HostStep.UNDO])] == [True]
    assert list((tmp_path / "a").iterdir()) == []


def test_a_host_that_is_down_was_not_begun(tmp_path: Path) -> None:
    down = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
    (found,) = runner(tmp_path, "a", **down).run([host_plan("a", "operator")], BOTH)
    assert (found.ok, found.began) == (False, False)
    assert "Connection refused" in found.message


@pytest.mark.exhaustive
def test_an_unknown_role_is_said_in_ansibles_words(tmp_path: Path) -> None:
    plan = HostPlan(
        host="a", operations=(host_plan("a", "x").operations[0].model_copy(update={"op": RoleOp(role="nope")}),)
    )
    (found,) = runner(tmp_path, "a").run([plan], [HostStep.APPLY])
    assert not found.ok
    assert "nope" in found.message


def test_what_ansible_cannot_begin_is_an_error(tmp_path: Path) -> None:
    bad = tmp_path / "hosts.yml"
    bad.write_text("all: [")
    hosts = AnsibleHosts([str(tmp_path / "nowhere")], config=str(bad), timeout_s=60)
    with pytest.raises(InputError, match="the roles could not be run"):
        hosts.run([host_plan("a", "x")], [HostStep.APPLY])


def test_a_run_out_of_time_leaves_every_host_in_question(tmp_path: Path) -> None:
    del tmp_path
    heard = [{"event": "runner_on_ok", "event_data": {"host": "a", "task": "t", "task_action": "set_fact", "res": {}}}]
    a, b = results(["a", "b"], heard, status="timeout", timeout_s=7.0) or ()
    assert (a.ok, a.began, b.began) == (False, True, True)
    assert a.message == "the roles were ended: they had not finished after 7 s"
    assert results(["a"], [], status="failed", timeout_s=7.0) is None


def test_a_failure_that_a_role_rescues_is_none() -> None:
    def event(kind: str, **res: object) -> dict[str, Any]:
        return {"event": kind, "event_data": {"host": "a", "task": kind, "task_action": "command", "res": res}}

    stats: dict[str, Any] = {"event": "playbook_on_stats", "event_data": {"processed": {"a": 1}, "rescued": {"a": 1}}}
    events = [event("runner_on_failed", msg="no"), event("runner_on_ok", changed=True), stats]
    (found,) = results(["a"], events, status="successful", timeout_s=7.0) or ()
    assert (found.ok, found.changed, found.message) == (True, True, "")


def test_an_items_own_words_are_told() -> None:
    def event(kind: str, msg: str) -> dict[str, Any]:
        return {"event": kind, "event_data": {"host": "a", "task": "t", "task_action": "command", "res": {"msg": msg}}}

    stats: dict[str, Any] = {"event": "playbook_on_stats", "event_data": {"processed": {"a": 1}, "failures": {"a": 1}}}
    events = [
        event("runner_item_on_failed", "no such user"),
        event("runner_on_failed", "One or more items failed"),
        stats,
    ]
    (found,) = results(["a"], events, status="failed", timeout_s=7.0) or ()
    assert found.message == "no such user"


@pytest.mark.parametrize(
    ("diff", "lines"),
    [
        (None, []),
        ({"prepared": "x\ny"}, ["x", "y"]),
        ([{"before": "a\n", "after": "b\n"}], ["--- before", "+++ after", "@@ -1 +1 @@", "-a", "+b"]),
        (
            {"before": {"state": "file"}, "after": {"state": "absent"}, "before_header": "/x"},
            ["--- /x", "+++ after", "@@ -1 +1 @@", "-state: file", "+state: absent"],
        ),
    ],
)
def test_a_diff_in_any_shape_becomes_lines(diff: object, lines: list[str]) -> None:
    assert diff_lines(diff) == lines


def test_variables_carry_the_roles_name_and_undo_goes_backwards() -> None:
    plan = host_plan("a", "one", "two")
    given = work_of([plan], BOTH)
    assert given["secloop_steps"] == ["main", "verify"]
    assert given["secloop_work"]["a"][0] == {
        "role": "disable_account",
        "vars": {"disable_account_tag": "aaaaaaaaaa-0", "disable_account_account": "one"},
    }
    back = work_of([plan], [HostStep.UNDO])["secloop_work"]["a"]
    assert [c["vars"]["disable_account_account"] for c in back] == ["two", "one"]


@pytest.mark.parametrize("value", ["{{ 1 + 1 }}", "{% if x %}", "a b", "$(id)", "`id`", "x;y", "-rf", "", "a\nb", "ü"])
def test_no_value_can_hold_a_template_or_a_command(value: str) -> None:
    with pytest.raises(ValidationError):
        RoleOp(role="disable_account", values={"account": value})


def test_host_keys_are_checked_unless_the_user_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANSIBLE_HOST_KEY_CHECKING", raising=False)
    assert AnsibleHosts([])._environ()["ANSIBLE_HOST_KEY_CHECKING"] == "True"
    monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
    assert AnsibleHosts([])._environ()["ANSIBLE_HOST_KEY_CHECKING"] == "False"
    assert os.environ["PATH"] in AnsibleHosts([])._environ()["PATH"]
