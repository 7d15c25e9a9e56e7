"""The systemd units and the workflows of examples/ and .github/, held to the commands they name."""

from __future__ import annotations

import shlex
from collections import defaultdict
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup

from secloop_ai.cli.app import build

from .desk import PROJECT, Desk

UNITS = sorted((PROJECT / "examples" / "systemd").glob("*.*"))
SERVICES = [u for u in UNITS if u.suffix == ".service"]
WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
Unit = dict[str, dict[str, list[str]]]


def parse(path: Path) -> Unit:
    """A unit file as section → key → values; a key may be repeated."""
    found: Unit = defaultdict(lambda: defaultdict(list))
    section = ""
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, f"{path.name}: {line}"
            found[section][key].append(value)
    return found


def command(unit: Unit) -> list[str]:
    """The arguments of `secloop` in ExecStart."""
    (start,) = unit["Service"]["ExecStart"]
    program, *arguments = shlex.split(start)
    assert Path(program).is_absolute()
    assert Path(program).name == "secloop"
    return arguments


def test_there_are_units_and_workflows() -> None:
    assert len(SERVICES) == 2
    assert {u.suffix for u in UNITS} == {".service", ".timer"}
    assert len(WORKFLOWS) == 2


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.name)
def test_the_command_of_a_service_is_one_that_secloop_takes(path: Path) -> None:
    group = typer.main.get_command(build())
    assert isinstance(group, TyperGroup)
    name, *rest = command(parse(path))
    context = group.commands[name].make_context(name, rest)
    assert context.params["inventory"] == ["/etc/secloop/inventory"]
    assert context.params["watch"] is (parse(path)["Service"]["Type"] == ["simple"])


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.name)
def test_a_service_may_write_where_its_state_is_and_needs_no_home(path: Path) -> None:
    unit = parse(path)["Service"]
    environ = dict(v.split("=", 1) for v in unit["Environment"])
    assert environ["SECLOOP_STATE_DIR"] == f"/var/lib/{unit['StateDirectory'][0]}"
    assert environ["ANSIBLE_HOME"].startswith(environ["SECLOOP_STATE_DIR"])
    assert unit["ProtectSystem"] == ["strict"]


def test_one_round_works_in_the_environment_of_its_service(desk: Desk) -> None:
    desk.respond()
    unit = parse(PROJECT / "examples/systemd/secloop-expire-once.service")
    state = str(desk.root / "state")
    given = dict(v.split("=", 1) for v in unit["Service"]["Environment"])
    environ = {k: v.replace("/var/lib/secloop", state).replace("/opt/secloop", str(PROJECT)) for k, v in given.items()}
    words = [w.replace("/etc/secloop/inventory", str(desk.inventory)) for w in command(unit)]
    done = desk.secloop(*words, "--within", "86400", environ={**environ, "HOME": "/proc/no-home"})
    assert done.rc == 0, done.said
    assert desk.active() == []


def test_the_timer_starts_a_service_that_is_there_as_often_as_it_promises() -> None:
    (path,) = (u for u in UNITS if u.suffix == ".timer")
    timer = parse(path)["Timer"]
    (service,) = (u for u in SERVICES if u.name == timer["Unit"][0])
    words = command(parse(service))
    assert words[words.index("--every") + 1] == timer["OnUnitActiveSec"][0]


def test_units_point_at_documentation_that_exists() -> None:
    for unit in map(parse, SERVICES):
        (page,) = unit["Unit"]["Documentation"]
        assert (PROJECT / page.removeprefix("file:/opt/secloop/")).is_file()


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)
def test_a_workflow_is_yaml_whose_jobs_have_steps(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["jobs"]
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert all("uses" in step or "run" in step for step in job["steps"])


def test_the_remediation_workflow_calls_the_script_as_it_wants_to_be_called() -> None:
    jobs = yaml.safe_load((PROJECT / ".github/workflows/remediate.yml").read_text())["jobs"]
    said = "\n".join(step.get("run", "") for job in jobs.values() for step in job["steps"])
    assert "remediate.sh render" in said
    assert "remediate.sh apply" in said
    assert "client_payload" not in said  # a payload in a script's text would be run by the shell
