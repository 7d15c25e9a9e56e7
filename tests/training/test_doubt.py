"""What a bound of certainty brings is counted from cases that were answered both ways."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
from training.doubt import BOUNDS, Doubted, main, rows


def test_below_a_bound_the_rehearsed_answer_counts_and_above_it_the_plain_one() -> None:
    unsure, sure = Doubted(True, 0.6, False, True), Doubted(True, 0.97, True, False)
    calm = Doubted(False, 1.0, True, False)
    found = {r["below"]: r for r in rows([unsure, sure, calm])}
    assert [r["cases"] for r in found.values()] == [3] * len(BOUNDS)
    assert (found[0.0]["attack_share"], found[0.0]["rehearsed_share"]) == (0.5, 0.0)
    assert (found[0.95]["attack_share"], found[0.95]["rehearsed_share"]) == (1.0, 0.3333)
    assert (found[0.99]["attack_share"], found[0.99]["calm_share"]) == (0.5, 1.0)
    assert (found[1.1]["attack_share"], found[1.1]["calm_share"]) == (0.5, 0.0)


def test_the_command_tells_the_weights_that_ship(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--cases", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [r["below"] for r in found] == list(BOUNDS)
    assert found[-1]["rehearsed_share"] == 1.0


def test_a_policy_that_does_not_know_its_certainty_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--policy", "playbook", "--cases", "1"]) == 1
    assert "does not say how sure it is" in capsys.readouterr().err
