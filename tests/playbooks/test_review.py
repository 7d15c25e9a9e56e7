"""render.yml, apply.yml and rollback.yml: what was reviewed is what is applied, or nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.respond.test_story import FOREIGN

from .desk import Desk, Done


class Story(NamedTuple):
    """Each run, what the device held after it, and what it was asked to alter meanwhile."""

    plan: Path
    incident: str
    runs: dict[str, Done]
    held: dict[str, str]
    altered: dict[str, list[str]]


@contextmanager
def other_text(path: Path, text: str) -> Iterator[None]:
    """The file holds another text for a while."""
    held = path.read_text()
    path.write_text(text)
    yield
    path.write_text(held)


@pytest.fixture(scope="module")
def story(desk: Desk) -> Story:
    plan = desk.root / "plan"
    told = Story(plan, desk.decide()["incident_id"], {}, {"before": desk.device.running()}, {})
    edit, everybody = plan / "devices/gw1/edit.xml", desk.inventory / "group_vars/all.yml"

    def note(name: str, done: Done) -> None:
        told.runs[name] = done
        told.held[name] = desk.device.running()
        told.altered[name] = desk.altering()
        desk.device.clear("log")

    note("render", desk.play("render.yml", alert_file=desk.alerts, plan_dir=plan))
    with other_text(edit, edit.read_text().replace("203.0.113.66", "203.0.113.67")):
        note("tampered", desk.play("apply.yml", plan_dir=plan))
    desk.device.foreign_edit(FOREIGN)
    note("moved", desk.play("apply.yml", plan_dir=plan))
    desk.device.set_running(told.held["before"])
    with other_text(everybody, everybody.read_text()):
        desk.protect("203.0.113.66")
        note("protected", desk.play("apply.yml", plan_dir=plan))
    note("apply", desk.play("apply.yml", plan_dir=plan))
    note("roll back", desk.play("rollback.yml", incident=told.incident))
    note("apply again", desk.play("apply.yml", plan_dir=plan))
    note("kill switch", desk.play("rollback.yml", incident="all"))
    return told


GOOD = ("render", "apply", "roll back", "apply again", "kill switch")
BAD = ("tampered", "moved", "protected")


def test_runs_end_as_they_should(story: Story) -> None:
    assert {n for n, done in story.runs.items() if done.rc == 0} == set(GOOD)
    assert {n for n, done in story.runs.items() if done.rc and done.failed == 1} == set(BAD)


def test_no_run_ends_in_a_traceback(story: Story) -> None:
    for name, done in story.runs.items():
        assert "Traceback" not in done.said, name


def test_rendering_writes_files_for_a_person_and_stops(story: Story, desk: Desk) -> None:
    assert story.altered["render"] == []
    assert story.runs["render"].changed == 0
    assert "ge0 ingress: ip 203.0.113.66/32 -> any: permit -> drop" in (story.plan / "summary.txt").read_text()
    written = {p.relative_to(story.plan).as_posix() for p in story.plan.rglob("*") if p.is_file()}
    assert {"manifest.json", "summary.txt", "devices/gw1/edit.xml", "devices/gw1/inverse.xml"} <= written


@pytest.mark.parametrize("name", BAD)
def test_a_refusal_leaves_the_device_as_it_is(story: Story, name: str) -> None:
    if name == "moved":
        assert "operator-night-shift" in story.held[name]
        assert "203.0.113.66" not in story.held[name]
    else:
        assert story.held[name] == story.held["before"]
    assert not {"commit", "confirm"} & set(story.altered[name])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tampered", ("devices/gw1/edit.xml", "changed since the plan was written")),
        ("moved", ("gw1", "edge-in")),
        ("protected", ("[protected-set]", "203.0.113.66")),
    ],
)
def test_a_refusal_names_what_is_wrong(story: Story, name: str, words: tuple[str, ...]) -> None:
    said = " ".join(story.runs[name].said.split())
    assert [w for w in words if w not in said] == []


def test_a_reviewed_plan_is_applied_verified_and_rolled_back(story: Story) -> None:
    assert story.runs["apply"].changed == 1
    assert "203.0.113.66/32" in story.held["apply"]
    assert story.runs["roll back"].changed == 1
    assert story.held["roll back"] == story.held["before"]


def test_the_kill_switch_takes_everything(story: Story, desk: Desk) -> None:
    assert story.held["apply again"] == story.held["apply"]
    assert story.runs["kill switch"].changed == 1
    assert story.held["kill switch"] == story.held["before"]
    assert desk.active() == []
