"""Cells of the table: trained, written down, left alone when done."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from secloop_ai.contracts.errors import InputError
from secloop_ai.policies.embedded import EmbeddedPolicy
from secloop_ai.policies.embedded.vocabulary import words
from training.baselines import __main__ as command
from training.baselines.clock import Clock
from training.baselines.kto import KtoConfig
from training.baselines.policy import load
from training.baselines.rl import DqnConfig, PpoConfig, RlConfig
from training.baselines.run import CELL, CURVE, POLICY, CellConfig, Material, Own, own_of, run
from training.model import Size, new_model, save_policy

from .world import source, tasks

LONG_S = 600.0
"""More than any test takes: the steps end it."""
PPO = PpoConfig(hidden=(8,), rollout=16, batch=16, epochs=1)
DQN = DqnConfig(hidden=(8,), buffer=100, batch=8, start=8, explore=20)


def cell(own: Own, seed: int = 0, budget_s: float = LONG_S) -> CellConfig:
    return CellConfig(own=own, seed=seed, budget_s=budget_s)


def material() -> Material:
    return Material(source(), tasks()[:4])


def curve(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(row) for row in (folder / CURVE).read_text().splitlines()]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start")
    model = new_model(Size(layers=1, hidden=16, heads=2, middle=32), seed=0)
    save_policy(model, folder, card={}, known=frozenset(words()))
    return folder


@pytest.mark.parametrize("algorithm", ["ppo", "dqn", "ddqn"])
def test_a_cell_leaves_a_policy_and_a_curve(tmp_path: Path, algorithm: Any) -> None:
    own = RlConfig(algorithm=algorithm, steps=48, points=16, environments=1, ppo=PPO, dqn=DQN)
    done = run(cell(own), tmp_path, material=material())
    rows = curve(tmp_path)
    assert done.counts["steps"] == 48
    assert done.counts["episodes"] > 0
    assert [r["step"] for r in rows] == [16, 32, 48]
    assert {"reward", "correct", "attack", "restraint", "train_reward", "train_correct", "seconds"} <= set(rows[0])
    assert done.best["correct"] == max(r["correct"] for r in rows)
    scheme, _, folder = done.policy.partition(":")
    assert scheme == "rl"
    assert load(folder).propose(tasks()[0].request, n=2, seed=0)


@pytest.mark.parametrize("algorithm", ["ppo", "dqn", "ddqn"])
def test_equal_seeds_train_equal_policies(tmp_path: Path, algorithm: Any) -> None:
    own = RlConfig(algorithm=algorithm, steps=32, points=16, ppo=PPO, dqn=DQN)
    digests = [
        load(run(cell(own, seed), tmp_path / name, material=material()).policy.partition(":")[2]).digest()
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_kto_leaves_an_embedded_policy(tmp_path: Path, start: Path) -> None:
    own = KtoConfig(steps=3, points=1, questions=3, answers=3, batch=4)
    done = run(cell(own), tmp_path / "one", start=start, material=material())
    assert [r["step"] for r in curve(tmp_path / "one")] == [1, 2, 3]
    after = EmbeddedPolicy(tmp_path / "one" / POLICY)
    assert after.digest() != EmbeddedPolicy(start).digest() == done.config.start
    assert after.propose(tasks()[0].request, n=2, seed=0)
    run(cell(own), tmp_path / "two", start=start, material=material())
    assert EmbeddedPolicy(tmp_path / "two" / POLICY).digest() == after.digest()


def test_a_spent_budget_ends_training_after_the_first_episode(tmp_path: Path) -> None:
    done = run(cell(RlConfig(algorithm="dqn", dqn=DQN), budget_s=1e-6), tmp_path, material=material())
    assert done.counts["episodes"] >= 1
    assert done.counts["steps"] <= 8 * 3
    assert (tmp_path / POLICY).exists()


def test_a_finished_cell_is_read_and_one_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    config = cell(RlConfig(algorithm="dqn", steps=16, points=16, dqn=DQN))
    (tmp_path / CURVE).write_text('{"step": 1}\n{"st')
    first = run(config, tmp_path, material=material())
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    assert run(config, tmp_path, material=material()) == first
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before
    assert [r["step"] for r in curve(tmp_path)] == [16]


def test_a_folder_of_another_cell_is_left_alone(tmp_path: Path) -> None:
    own = RlConfig(algorithm="dqn", steps=16, points=16, dqn=DQN)
    run(cell(own), tmp_path, material=material())
    with pytest.raises(InputError, match="another cell lies there: dqn, seed 0"):
        run(cell(own, seed=1), tmp_path, material=material())
    (tmp_path / CELL).write_text("{}")
    with pytest.raises(InputError, match=f"{re.escape(str(tmp_path / CELL))}: not a cell"):
        run(cell(own), tmp_path, material=material())


def test_kto_needs_a_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--start"):
        run(cell(KtoConfig()), tmp_path, material=material())


def test_a_cell_may_learn_from_generated_tasks_too() -> None:
    suites = Material.of(cell(own_of("ppo")).model_copy(update={"seeds": 1}))
    mixed = Material.of(cell(own_of("ppo")).model_copy(update={"seeds": 1, "generated": 3}))
    assert len(mixed.source) == len(suites.source) + 3
    assert mixed.source.task(len(suites.source)).case.scenario not in {
        suites.source.task(n).case.scenario for n in range(len(suites.source))
    }


def test_every_algorithm_has_its_figures() -> None:
    assert [own_of(a).algorithm for a in ("ppo", "dqn", "ddqn", "kto")] == ["ppo", "dqn", "ddqn", "kto"]
    with pytest.raises(InputError, match="'sarsa'"):
        own_of("sarsa")


def test_the_clock_stands_still_while_it_is_stopped() -> None:
    now = iter([0.0, 2.0, 2.0, 9.0, 10.0, 10.0])
    clock = Clock(3.0, now=lambda: next(now))
    assert clock.seconds == 2.0
    with clock.stopped():
        assert clock.seconds == 2.0
    assert clock.seconds == 3.0
    assert clock.over


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--algorithm", "ppo", "--budget-s", "0"], "--budget-s"),
        (["--algorithm", "ppo", "--seed", "-1"], "--seed"),
        (["--algorithm", "kto"], "--start"),
        (["--algorithm", "kto", "--start", "nowhere"], "nowhere"),
    ],
)
def test_the_command_says_what_is_wrong(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*words, "--out", str(tmp_path)]) == 1
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
