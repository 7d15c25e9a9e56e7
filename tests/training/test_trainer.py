"""The trainer on a tiny network: it learns, leaves out what is not scored, and each extension does what it says."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("trl", reason="the extra `train` is not installed")

from secloop_ai.contracts import SecLoopError  # noqa: E402 - after the check for the extra
from training.arguments import arguments, share  # noqa: E402
from training.config import Config, preset  # noqa: E402
from training.curriculum import Curriculum  # noqa: E402
from training.journal import FILE, read  # noqa: E402
from training.model import Size, network_of, new_model  # noqa: E402
from training.rollouts import Rollouts, Sample, no_signal, speaker  # noqa: E402
from training.sa_grpo import SaGrpoTrainer, train  # noqa: E402
from training.scoring import Answered, Score, Scorer  # noqa: E402
from training.sources import CaseTasks  # noqa: E402

from .making import QUIET_WARNINGS, source  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET_WARNINGS)
SMALL = Size(layers=1, hidden=32, heads=2, middle=48, positions=512)


def config(**changes: Any) -> Config:
    values = {"group": 4, "questions": 2, "steps": 2, "learning_rate": 1e-3, "schedule": "constant"}
    return Config.model_validate({**values, **changes})


def run(folder: Path, scorer: Scorer | None = None, **changes: Any) -> list[dict[str, Any]]:
    train(new_model(SMALL, 0), source(), config(**changes), folder, scorer=scorer)
    return read(folder / FILE)


def prompts() -> list[dict[str, Any]]:
    """Two groups as TRL's sampler gives them: rows of their own."""
    return [{"prompt": str(n)} for n in (0, 0, 0, 0, 1, 1, 1, 1)]


class First(Scorer):
    """Rewards an answer for its number of calls alone, so that a test sees quickly whether anything is learnt."""

    def score(self, answers: Sequence[Answered], turn: int = 0) -> list[Score]:
        found = super().score(answers, turn)
        fewer = [1.0 / len(a.calls or ()) for a in answers]
        return [
            s._replace(reward=s.reward._replace(execution=0.0, evaluation=few, penalty=0.0)) if s.reward else s
            for s, few in zip(found, fewer, strict=True)
        ]


def test_what_is_rewarded_becomes_likelier(tmp_path: Path) -> None:
    rows = run(tmp_path, First(), steps=12, group=8, learning_rate=5e-3)
    first, last = (sum(r["components"]["evaluation"]["mean"] for r in part) / 3 for part in (rows[:3], rows[-3:]))
    assert last > first + 0.1


def test_the_journal_holds_every_component_and_the_ground_truth(tmp_path: Path) -> None:
    rows = run(tmp_path)
    assert [row["step"] for row in rows] == [1, 2]
    for row in rows:
        parts = row["components"]
        assert {name: part["sign"] for name, part in parts.items()} == {
            "format": 1, "execution": 1, "evaluation": 1, "penalty": -1
        }  # fmt: skip
        assert row["reward"] == pytest.approx(sum(part["mean"] for part in parts.values()), abs=1e-5)
        assert row["clip_fraction"] == 0.0, "one pass per generation: the clip never acts"
        wanted = ("zero_signal", "entropy", "entropy_of_choices", "correct", "rs_attack", "rs_service", "not_scored")
        assert all(math.isfinite(row[key]) for key in wanted)
        assert row["entropy_of_choices"] >= row["entropy"]


def test_with_two_passes_the_ratio_moves_and_the_clip_may_act(tmp_path: Path) -> None:
    rows = run(tmp_path, mu=2, steps=4, learning_rate=3e-2)
    assert ["reward" in row for row in rows] == [True, False, True, False]
    assert rows[0]["clip_fraction"] == 0.0
    assert rows[1]["clip_fraction"] > 0.0


class Some(Scorer):
    """Leaves the first answer of each call out, as if its battlefield had never come up."""

    def score(self, answers: Sequence[Answered], turn: int = 0) -> list[Score]:
        found = super().score(answers, turn)
        return [Score(None, None, "lost"), *found[1:]]


def test_what_is_not_scored_moves_nothing_and_is_no_zero(tmp_path: Path) -> None:
    made = SaGrpoTrainer(new_model(SMALL, 0), source(), config(), tmp_path, Some())
    made.model.train()
    out = made._generate_and_score_completions(prompts())
    rewards = [made.rollouts.total(s.score.reward) for s in made.rolled.samples[1:4] if s.score.reward]
    mean = sum(rewards) / 3
    assert out["advantages"][0] == 0.0
    assert out["advantages"][1:4].tolist() == pytest.approx([r - mean for r in rewards], abs=1e-6)
    assert made._metrics["train"]["secloop/not_scored"] == [1.0]


def test_a_component_that_is_removed_has_no_weight(tmp_path: Path) -> None:
    made = SaGrpoTrainer(new_model(SMALL, 0), source(), config(removed=("penalty",)), tmp_path)
    made.model.train()
    out = made._generate_and_score_completions(prompts())
    kept = [sum(s.score.reward[:3]) for s in made.rolled.samples if s.score.reward]
    means = [sum(kept[:4]) / 4] * 4 + [sum(kept[4:]) / 4] * 4
    assert out["advantages"].tolist() == pytest.approx([k - m for k, m in zip(kept, means, strict=True)], abs=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"gdpo": True},
        {"constraints": {}},
        {"replicas": 2, "cvar": 0.5},
        {"curriculum": 1.0},
        {"grammar_mask": "neither"},
        {"beta": 0.04, "scale": "group", "loss": "grpo", "epsilon_high": 0.2},
        {"accumulation": 2},
    ],
    ids="-".join,
)
def test_every_extension_and_rival_runs(tmp_path: Path, changes: dict[str, Any]) -> None:
    rows = run(tmp_path, **changes)
    assert len(rows) == 2
    assert all(math.isfinite(row["loss"]) and math.isfinite(row["gradient_norm"]) for row in rows)
    assert ("kl" in rows[0]) == ("beta" in changes)
    assert ("multiplier_availability" in rows[0]) == ("constraints" in changes)


def test_normalised_by_component_the_same_sum_can_get_another_advantage(tmp_path: Path) -> None:
    made = SaGrpoTrainer(new_model(SMALL, 0), source(), config(gdpo=True), tmp_path)
    made.model.train()
    out = made._generate_and_score_completions(prompts())
    assert out["advantages"].mean().item() == pytest.approx(0.0, abs=1e-5)
    assert out["advantages"].std().item() == pytest.approx(1.0, abs=1e-2)


def test_groups_without_a_signal_give_their_place_to_another_task() -> None:
    class Flat(Scorer):
        """All rewards of the two tasks that were planned are equal."""

        def score(self, answers: Sequence[Answered], turn: int = 0) -> list[Score]:
            found = super().score(answers, turn)
            planned = {source().task(n).case.case_id for n in (0, 1)}
            (even,) = {s.reward for s in found[:1]}
            return [
                s._replace(reward=even) if a.task.case.case_id in planned else s
                for a, s in zip(answers, found, strict=True)
            ]

    settings = config(resample=3)
    rollouts = Rollouts(source(), Flat(), settings, Curriculum(source()))
    batch = rollouts.batch(["0"] * 4 + ["1"] * 4, speaker(network_of(new_model(SMALL, 0)), 1.0), step=5)
    again = rollouts.batch(["0"] * 4 + ["1"] * 4, speaker(network_of(new_model(SMALL, 0)), 1.0), step=5)
    assert batch.replaced >= 2
    assert {s.number for s in batch.samples}.isdisjoint({0, 1})
    assert len(batch.samples) == 8
    assert [s.completion_ids for s in batch.samples] == [s.completion_ids for s in again.samples]


def test_a_group_has_a_signal_when_two_rewards_differ() -> None:
    scored = [Sample(0, [], [], None, None, Score(None))] * 2
    assert no_signal(scored, sum)


def test_chains_that_still_win_are_played_again_and_beaten_ones_are_not() -> None:
    tasks = CaseTasks("train", range(3), ["autoattack"])
    curriculum = Curriculum(tasks)
    dice = random.Random(0)
    assert curriculum.draw(dice) is None
    chain = list(tasks.kin(4))
    curriculum.note(chain[1], 1.0)
    curriculum.note(5, 0.0)
    drawn = {curriculum.draw(dice) for _ in range(60)}
    assert drawn == set(chain)
    kept = Curriculum(tasks)
    kept.restore(curriculum.state())
    assert kept.state() == curriculum.state()
    for _ in range(20):
        curriculum.note(chain[2], 0.0)
    assert curriculum.draw(dice) is None


def test_settings_that_make_no_sense_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SecLoopError, match="no preset 'best'; there are published, embedded, grpo"):
        preset("best")
    with pytest.raises(SecLoopError, match="save_every 3 is no multiple of the 2"):
        preset("embedded", mu=2, save_every=3)
    with pytest.raises(SecLoopError, match="learning_rate"):
        preset("published", learning_rate=-1)
    with pytest.raises(SecLoopError, match="28 answers do not divide among 8 processes"):
        share(preset("published"), 8)
    with pytest.raises(SecLoopError, match="splits groups of 7"):
        share(preset("published", resample=1), 7)


def test_the_published_batch_is_four_answers_on_each_of_seven_processes(tmp_path: Path) -> None:
    assert share(preset("published"), 7) == 4
    found = arguments(preset("published"), tmp_path)
    assert found.per_device_train_batch_size == found.generation_batch_size == 28
    assert (found.num_generations, found.epsilon, found.epsilon_high, found.beta) == (7, 0.2, 0.28, 0.0)
    assert (found.loss_type, found.scale_rewards) == ("dr_grpo", "none")
