"""The benchmarks of fleet and rendering, small: their rows hold what they promise."""

from __future__ import annotations

import json

import pytest

from benchmarks import fleet, render


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_sides_send_the_same_and_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    small = ["--devices", "4", "--concurrency", "2", "--rounds", "1", "--memory-devices", "3"]
    assert fleet.main([*small, "--without-ansible", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [row["side"] for row in said["sides"]] == ["secloop", "secloop, no pace", "pool", "pool, plain ncclient"]
    assert {row["side"]: row["ratio_to_pool"] for row in said["sides"]}["pool"] == 1.0
    assert all(row["cpu_ms_per_device"] > 0 and row["emulator_cpu_ms_per_device"] >= 0 for row in said["sides"])
    assert next(iter(said["phases_s"])) == "connect"
    assert said["memory"][0]["devices"] == 3
    assert said["memory"][0]["peak_mb"] > 10


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_action_of_a_dialect_is_rendered_and_undone(capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--seconds", "0.01", "--dialect", "ietf", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["operation"] for row in rows} == set(render.operations("ge0", "ge1"))
    assert all(row["rendered_per_s"] > 0 and row["undone_per_s"] > 0 for row in rows)


def test_a_dialect_that_nobody_knows_is_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--dialect", "vaxen"]) == 1
    assert "vaxen is not measured" in capsys.readouterr().err
