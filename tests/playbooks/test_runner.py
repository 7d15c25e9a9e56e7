"""`secloop respond`: a run through ansible-runner, and the Feedback that its events leave in the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from secloop_ai.contracts import Feedback

from .desk import Desk, Done, reckless

MODULES = ("secloop_alerts", "secloop_decide", "secloop_plan", "secloop_commit")
PASSWORD = "hunter2-of-the-vault"


class Story(NamedTuple):
    """Each run, the Feedback the ledger has of it, and the files it left in the temporary directory."""

    runs: dict[str, Done]
    kept: dict[str, list[Feedback]]
    left: dict[str, list[str]]
    clean: str


def feedback(desk: Desk) -> list[Feedback]:
    """Everything the ledger was told of runs."""
    with desk.ledger() as ledger:
        return [f for line in ledger.incidents() for f in ledger.feedback_for(line.incident_id)]


@pytest.fixture(scope="module")
def story(desk: Desk) -> Story:
    told = Story({}, {}, {}, desk.device.running())
    whole = desk.inventory / "group_vars" / "all.yml"
    open_to_all = whole.read_text()
    environ = {"ANSIBLE_NET_PASSWORD": PASSWORD, "SECLOOP_TEST_SECRET": PASSWORD}

    def note(name: str, *arguments: str, **more: str) -> None:
        known = feedback(desk)
        told.runs[name] = desk.on_inventory("respond", desk.alerts, *arguments, environ={**environ, **more})
        told.kept[name] = [f for f in feedback(desk) if f not in known]
        told.left[name] = [str(p) for p in desk.scratch.rglob("*")]

    note("look", "--check")
    desk.protect("203.0.113.66")
    note("refused", "--json", **reckless())
    whole.write_text(open_to_all)
    desk.device.fault("validate", "error", error_tag="invalid-value")
    note("undone", "--json")
    note("made", "--json")
    return told


def only(story: Story, name: str) -> Feedback:
    (kept,) = story.kept[name]
    return kept


@pytest.mark.parametrize("name", ["refused", "undone", "made"])
def test_what_is_printed_as_json_is_what_the_ledger_keeps(story: Story, name: str) -> None:
    (printed,) = story.runs[name].json()
    assert Feedback.model_validate(printed) == only(story, name)


def test_a_change_that_was_made(story: Story) -> None:
    kept = only(story, "made")
    assert (kept.rc, kept.status, kept.changed, kept.outcome) == (0, "successful", True, "confirmed")
    assert (kept.rs_exe, kept.rs_attack, kept.rs_service) == (1.0, None, None)
    assert kept.failed_tasks == ()
    assert kept.incident_id is not None


def test_seconds_are_those_of_the_modules(story: Story) -> None:
    kept = only(story, "made")
    spent = [kept.task_seconds[m] for m in MODULES]
    assert min(spent) > 0
    assert sum(spent) < kept.seconds


def test_a_refused_strategy_has_not_executed(story: Story) -> None:
    kept = only(story, "refused")
    assert story.runs["refused"].rc == 1
    assert (kept.status, kept.changed, kept.outcome, kept.rs_exe) == ("failed", False, None, 0.0)
    assert kept.failed_tasks == ("Decide on a strategy that the guard allows",)
    assert kept.incident_id == only(story, "made").incident_id
    assert "secloop_commit" not in kept.task_seconds
    assert story.runs["refused"].err.startswith("secloop: the guard refused every candidate: [spoofed-self]")


def test_an_undone_change_has_not_executed(story: Story) -> None:
    kept = only(story, "undone")
    assert story.runs["undone"].rc == 1
    assert (kept.status, kept.changed, kept.outcome, kept.rs_exe) == ("failed", False, "undone", 0.0)
    assert set(MODULES) <= set(kept.task_seconds)
    said = story.runs["undone"].err
    assert said.startswith("secloop: the change was not made: undone: gw1: validate [invalid-value]: ")
    assert said.count("gw1: validate") == 1


def test_a_look_is_no_experience_and_shows_what_would_change(story: Story) -> None:
    assert story.runs["look"].rc == 0
    assert story.kept["look"] == []
    diff = story.runs["look"].out.partition("traffic that changes:")[2]
    assert "203.0.113.66/32 -> any: permit -> drop" in diff
    assert "+        <ace>" in diff


def test_a_run_leaves_nothing_behind(story: Story) -> None:
    assert story.left == {name: [] for name in story.runs}


def test_no_secret_and_no_alert_text_is_said_or_kept_in_clear(story: Story, desk: Desk) -> None:
    for done in story.runs.values():
        assert PASSWORD not in done.said
        assert "SECLOOP SSH brute force" not in done.said
    files = [p for p in desk.root.rglob("*") if p.is_file() and p.stat().st_size]
    assert [p for p in files if PASSWORD.encode() in p.read_bytes()] == []


def test_what_the_files_of_a_run_hold_is_private(story: Story, desk: Desk) -> None:
    private = [p for p in Path(desk.environ["SECLOOP_RUN_DIR"]).rglob("*") if "plan" not in p.parts]
    assert private
    assert [p for p in private if p.is_file() and p.stat().st_mode & 0o077] == []


def test_what_ansible_says_before_the_first_task_is_passed_on(desk: Desk) -> None:
    missing = desk.root / "no-such-password-file"
    done = desk.on_inventory("respond", desk.alerts, environ={"ANSIBLE_VAULT_PASSWORD_FILE": str(missing)})
    assert done.rc == 1
    assert done.err.startswith("secloop: ")
    assert str(missing) in done.err
    assert "Traceback" not in done.said
