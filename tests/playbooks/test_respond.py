"""respond.yml and expire.yml, run by ansible-playbook: once to look, twice to act, then the time is up."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from .desk import PROJECT, Desk, Done

DAY_S = 86400


class Story(NamedTuple):
    """Each run, what the device held after it, and what it was asked to alter meanwhile."""

    runs: dict[str, Done]
    held: dict[str, str]
    altered: dict[str, list[str]]


@pytest.fixture(scope="module")
def story(desk: Desk) -> Story:
    config = {"ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg")}
    told = Story({}, {"before": desk.device.running()}, {})

    def note(name: str, done: Done) -> None:
        told.runs[name] = done
        told.held[name] = desk.device.running()
        told.altered[name] = desk.altering()
        desk.device.clear("log")

    note("look", desk.play("respond.yml", "--check", "--diff", alert_file=desk.alerts))
    note("first", desk.play("respond.yml", alert_file=desk.alerts))
    note("second", desk.play("respond.yml", cwd=desk.scratch, environ=config, alert_file=desk.alerts))
    note("look at the end", desk.play("expire.yml", "--check", "--diff", within_s=DAY_S))
    note("late", desk.play("expire.yml", within_s=DAY_S))
    return told


def test_every_run_ends_well_and_without_a_traceback(story: Story) -> None:
    assert {name: done.rc for name, done in story.runs.items()} == dict.fromkeys(story.runs, 0)
    for name, done in story.runs.items():
        assert "Traceback" not in done.said, name


def test_a_look_sends_nothing_that_alters_the_device(story: Story) -> None:
    for name in ("look", "look at the end"):
        assert story.altered[name] == []
    assert story.held["look"] == story.held["before"]
    assert story.held["look at the end"] == story.held["first"]


def test_a_look_says_that_it_would_change_something(story: Story) -> None:
    assert story.runs["look"].changed == 1


def test_the_diff_names_the_traffic_and_shows_the_document(story: Story) -> None:
    traffic, document = "gw1: ge0 ingress: ip 203.0.113.66/32 -> any: permit -> drop", "203.0.113.66/32</source-ipv4"
    said = story.runs["look"].out
    before, _, diff = said.partition("traffic that changes:")
    assert "TASK [Commit" in before
    assert traffic in diff
    assert any(line.startswith("+") and document in line for line in diff.splitlines())


def test_the_diff_of_an_expiry_is_the_other_way_round(story: Story) -> None:
    diff = story.runs["look at the end"].out
    assert "gw1: ge0 ingress: ip 203.0.113.66/32 -> any: drop -> permit" in diff
    assert any(line.startswith("-") and "203.0.113.66/32</source-ipv4" in line for line in diff.splitlines())


def test_a_response_changes_one_task_and_the_device(story: Story) -> None:
    first = story.runs["first"]
    assert first.changed == 1
    assert "203.0.113.66/32" in story.held["first"]
    assert story.altered["first"] == ["lock", "discard", "edit", "validate", "commit", "confirm"]


def test_a_response_says_what_it_did_and_that_nothing_would_end_it(story: Story) -> None:
    first = " ".join(story.runs["first"].said.split())
    assert "block_ip source=203.0.113.66/32 for 60 min" in first
    assert "gw1: confirmed" in first
    assert "no expirer is alive" in first


def test_the_same_file_again_from_another_directory_changes_nothing(story: Story) -> None:
    assert story.runs["second"].changed == 0
    assert story.altered["second"] == []
    assert story.held["second"] == story.held["first"]
    assert "already active" in story.runs["second"].out


def test_when_the_time_is_up_the_configuration_is_byte_equal_to_the_start(story: Story, desk: Desk) -> None:
    assert story.runs["late"].changed == 1
    assert story.held["late"] == story.held["before"]
    assert desk.active() == []
