"""A live battlefield seen from another process: what `top` says of it, and what the recorder wrote down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labs.battlefield.services import servings
from labs.cli import app
from labs.scenario import draw
from labs.validator.judge import UNDEFENDED, Run, judge
from labs.window.page import page
from labs.window.recorder import Label
from labs.window.timeline import Marked
from labs.window.watched import Studio
from tests.battlefield.support import needs_lab, office

pytestmark = [*needs_lab, pytest.mark.slow]
TOP = [sys.executable, "-m", "secloop_ai.cli", "lab", "top"]
PINGS = ["ping", "-n", "-q", "-i", "0.05", "-w", "60"]


def looked_at(name: str) -> dict[str, Any]:
    """What another process says of the battlefield."""
    said = subprocess.run([*TOP, name, "--once", "--json"], capture_output=True, text=True, check=True, timeout=60)
    (view,) = json.loads(said.stdout)
    assert isinstance(view, dict)
    return view


def test_top_sees_a_battlefield_that_another_process_plays_on() -> None:
    case = draw(office(), 7)
    studio = Studio(Label("undefended"))
    with studio.clone(case, servings(office(), 7)) as field:
        jump, target = case.names["jump"], case.environment.host(case.names["db"])
        assert target is not None
        studio.recorders[0].phase("a phase of the test")
        ping = subprocess.Popen(
            ["ip", "netns", "exec", field.netns(jump), *PINGS, str(target.addresses[0])], stdout=subprocess.DEVNULL
        )
        try:
            view = looked_at(f"battlefield {field.index}")
        finally:
            ping.terminate()
            ping.wait()
        assert field.observer is studio.recorders[0]
        folder = field.run_dir
    assert not folder.exists()
    assert (view["state"], view["case"], view["mode"]) == ("playing", case.case_id, "undefended")
    assert view["phase"] == "a phase of the test"
    assert view["sensor"] is None
    assert not view["notes"]
    rows = {(p["device"], tuple(p["hosts"])): p for p in view["ports"]}
    near = next(p for (_, hosts), p in rows.items() if hosts == (jump,))
    assert near["packets_in_per_s"] > 1
    assert [s["state"] for s in view["stages"]] == ["waiting"] * len(case.stages)
    nothing = Run((), ())
    run = studio.recorders[0].timeline(judge(case, "live", UNDEFENDED, nothing, nothing))
    assert [e.phase for e in run.events if isinstance(e, Marked)] == ["a phase of the test"]
    assert any(any(rate > 1 for rate in r.packets_in_per_s) for r in run.series.ports.values())
    assert case.case_id in page(run)


def test_a_recorded_run_is_replayed(tmp_path: Path) -> None:
    recorded = str(Path(__file__).with_name("run.json"))
    target = tmp_path / "run.html"
    done = CliRunner().invoke(app, ["replay", recorded, "--html", str(target), "--json"])
    assert done.exit_code == 0
    assert {"at_s", "lane", "event"} == set(json.loads(done.stdout)[0])
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_bad_orders_are_refused_before_anything_is_built(tmp_path: Path) -> None:
    runner = CliRunner()
    for order, why in (
        (["play", "autoattack/nothing"], "no scenario 'nothing'"),
        (["play", "nothing/at-all"], "no suite 'nothing'"),
        (["play", str(tmp_path / "no.yaml")], "No such file"),
        (["play", "autoattack/auto-ssh", "--out", str(tmp_path / "no" / "run.json")], "no folder"),
        (["replay", str(tmp_path / "no.json")], "No such file"),
    ):
        done = runner.invoke(app, order)
        assert done.exit_code == 1, order
        assert why in done.stderr
