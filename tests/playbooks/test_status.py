"""The commands an operator looks and acts with, on a network that holds a mitigation."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from secloop_ai.contracts import CATALOGUE

from .desk import Desk, Done

PRINTED = {
    "status": ["status"],
    "incidents": ["incidents"],
    "actions": ["actions", "-i", "INVENTORY"],
    "inventory": ["inventory", "-i", "INVENTORY"],
}
SHOWN = {
    "status": ("mitigation", "action", "state", "left"),
    "incidents": ("incident_id", "alerts", "policy", "outcome", "active"),
    "actions": ("action", "plane", "attack_mitigation"),
    "inventory": ("host", "zone", "attached_to"),
}


class Story(NamedTuple):
    """What each command printed, by name and width; width 0 is --json."""

    incident: str
    printed: dict[tuple[str, int], Done]


@pytest.fixture(scope="module")
def story(desk: Desk) -> Story:
    desk.respond()
    (mitigation,) = desk.active()
    printed = {}
    for name, words in PRINTED.items():
        command = [str(desk.inventory) if word == "INVENTORY" else word for word in words]
        printed[name, 0] = desk.secloop(*command, "--json")
        for columns in (80, 140):
            printed[name, columns] = desk.secloop(*command, columns=columns)
    return Story(mitigation.partition("-")[0], printed)


def rows(story: Story, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = story.printed[name, 0].json()
    return found


def test_every_command_ends_well(story: Story) -> None:
    assert {key: done.rc for key, done in story.printed.items()} == dict.fromkeys(story.printed, 0)


@pytest.mark.parametrize("columns", [80, 140])
@pytest.mark.parametrize("name", PRINTED)
def test_a_table_fits_the_terminal(story: Story, name: str, columns: int) -> None:
    lines = story.printed[name, columns].out.splitlines()
    table = [line for line in lines if not line.endswith("roles path")]
    assert [line for line in table if len(line) > columns] == []


@pytest.mark.parametrize("columns", [80, 140])
@pytest.mark.parametrize("name", PRINTED)
def test_a_table_holds_the_rows_of_the_json_and_breaks_no_name(story: Story, name: str, columns: int) -> None:
    out = story.printed[name, columns].out
    found = rows(story, name)
    assert found
    for row in found:
        assert any(all(str(row[key]) in line for key in SHOWN[name]) for line in out.splitlines()), row


def test_the_status_is_one_line_for_a_mitigation(story: Story) -> None:
    for columns in (80, 140):
        lines = [x for x in story.printed["status", columns].out.splitlines() if story.incident in x]
        assert len(lines) == 1
        assert "block_ip source=203.0.113.66/32" in lines[0]


def test_the_status_in_json_can_be_reckoned_with(story: Story) -> None:
    (row,) = rows(story, "status")
    assert (row["incident"], row["state"], row["devices"]) == (story.incident, "active", ["gw1"])
    assert 3000 < row["left_s"] <= 3600


def test_the_status_warns_when_nothing_would_expire_it(story: Story) -> None:
    done = story.printed["status", 80]
    assert "no expirer is alive" in done.err
    assert "no expirer" not in done.out


def test_the_catalogue_is_whole_and_says_why_something_is_not_offered(story: Story) -> None:
    found = {row["action"]: row for row in rows(story, "actions")}
    assert list(found) == list(CATALOGUE)
    assert found["block_ip"]["offered"] is True
    assert (found["secure_sshd"]["offered"], found["secure_sshd"]["hosts"]) == (False, [])
    assert "access.actions" in found["secure_sshd"]["reason"]
    assert f"secure_sshd: {found['secure_sshd']['reason']}" in story.printed["actions", 80].out


def test_an_incident_is_told_from_evidence_to_mitigation(story: Story, desk: Desk) -> None:
    told = desk.secloop("show", story.incident)
    assert told.rc == 0
    words = ("6 x sid 9000001", "allowed: block_ip", "respond, transaction", "gw1: confirmed", "active, time left")
    assert [w for w in words if w not in told.out] == []
    record = desk.secloop("show", story.incident, "--json").json()
    assert record["line"]["incident_id"] == story.incident
    assert len(record["mitigations"]) == 1


def test_the_audit_holds_until_a_line_of_it_is_changed(story: Story, desk: Desk) -> None:
    import sqlite3

    whole = desk.secloop("audit", "--json")
    assert (whole.rc, whole.json()) == (0, [])
    copy = desk.root / "copy.sqlite"
    with sqlite3.connect(desk.root / "ledger.sqlite") as kept, sqlite3.connect(copy) as other:
        kept.backup(other)
        other.execute("UPDATE audit SET content = replace(content, 'respond', 'refrain') WHERE line = 2")
    kept.close()
    other.close()
    broken = desk.secloop("audit", "--json", "--ledger", f"sqlite:///{copy}")
    assert broken.rc == 1
    assert broken.json() == [{"broken_line": 2}]
    assert "broken line" in desk.secloop("audit", "--ledger", f"sqlite:///{copy}").out


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["show", "0123456789"], "no such incident: 0123456789"),
        (["rollback", "0123456789", "-i", "INVENTORY"], "no such incident: 0123456789"),
        (["status", "--ledger", "nonsense"], "sqlite:////absolute/path"),
        (["inventory", "-i", "/nowhere"], "/nowhere: no such inventory"),
        (["actions"], "give one with --inventory"),
        (["respond", "eve.json", "--project", "/"], "no playbooks/respond.yml"),
    ],
)
def test_a_mistake_is_answered_with_one_sentence(desk: Desk, command: list[str], words: str) -> None:
    empty = desk.root / "empty"
    (empty / "playbooks").mkdir(parents=True, exist_ok=True)
    (empty / "playbooks/respond.yml").touch()
    (empty / "ansible.cfg").write_text("[defaults]\ninventory = ./inventory/lab\n")
    given = [str(desk.inventory) if word == "INVENTORY" else word for word in command]
    done = desk.secloop(*given, environ={"SECLOOP_PROJECT": str(empty)})
    assert done.rc == 1
    assert done.out == ""
    assert done.err.startswith("secloop: ")
    assert len(done.err.splitlines()) == 1
    assert words in done.err


def test_a_wrong_setting_is_named(desk: Desk) -> None:
    done = desk.secloop("status", environ={"SECLOOP_CANDIDATES": "many"})
    assert done.rc == 1
    assert done.err.startswith("secloop: SECLOOP_CANDIDATES: ")
