"""The objective against a batch worked out by hand: advantages, clip below and above, the grammar's mask."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("trl", reason="the extra `train` is not installed")

from secloop_ai.policies.embedded import Grammar, sample  # noqa: E402 - after the check for the extra
from secloop_ai.policies.embedded.vocabulary import PAD, ids  # noqa: E402
from training.advantages import Multipliers, centred, costs  # noqa: E402
from training.config import Config, Constraints, preset  # noqa: E402
from training.masked import NONE, masked, pack  # noqa: E402
from training.model import Size, network_of, new_model  # noqa: E402
from training.prefix import answer_logits, shared_logits  # noqa: E402
from training.rewards import reward  # noqa: E402
from training.rollouts import Asked, speaker  # noqa: E402
from training.sa_grpo import SaGrpoTrainer  # noqa: E402
from training.scoring import Score  # noqa: E402

from .making import QUIET_WARNINGS, report, source  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET_WARNINGS)
SMALL = Size(layers=1, hidden=32, heads=2, middle=48, positions=512)


def trainer(folder: Path, **changes: Any) -> SaGrpoTrainer:
    values = {"group": 2, "questions": 2, "steps": 1, "loss": "dr_grpo", "length_constant": 10} | changes
    return SaGrpoTrainer(new_model(SMALL, 0), source(), Config.model_validate(values), folder)


def batch(advantages: list[float], old: list[list[float]], mask: list[list[int]]) -> dict[str, Any]:
    rows, columns = len(mask), len(mask[0])
    return {
        "prompt_ids": torch.ones(rows, 1, dtype=torch.long),
        "prompt_mask": torch.ones(rows, 1, dtype=torch.long),
        "completion_ids": torch.ones(rows, columns, dtype=torch.long),
        "completion_mask": torch.tensor(mask),
        "advantages": torch.tensor(advantages),
        "old_per_token_logps": torch.tensor(old),
        "num_items_in_batch": torch.tensor(sum(map(sum, mask))),
    }


@pytest.mark.parametrize(("loss", "divisor"), [("dr_grpo", 40.0), ("grpo", None)])
def test_the_loss_of_a_batch_worked_out_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str, divisor: float | None
) -> None:
    """Four answers of two words; ratios 1.5, 0.5, 1.1, 0.9 and their advantages 1, -1, 0.5, -0.5.

    1.5 · 1 is clipped above to 1.28; 0.5 · -1 below to 0.8 · -1; the others are inside. The last answer has one word.
    """
    made = trainer(tmp_path, loss=loss)
    ratios = torch.tensor([[1.5, 1.0], [0.5, 1.0], [1.1, 1.0], [0.9, 1.0]])
    mask = [[1, 1], [1, 1], [1, 1], [1, 0]]
    old = [[-1.0, -2.0]] * 4
    now = (torch.tensor(old) + ratios.log()).requires_grad_()
    monkeypatch.setattr(made, "_get_per_token_logps_and_entropies", lambda *_, **__: (now, torch.zeros_like(now), None))
    made.model.train()
    made.current_gradient_accumulation_steps = 1
    found = made._compute_loss(made.model, batch([1.0, -1.0, 0.5, -0.5], old, mask))
    words = [[1.28, 1.0], [-0.8, -1.0], [0.55, 0.5], [-0.45]]
    by_length = sum(sum(row) / len(row) for row in words) / 4
    wanted = -(sum(map(sum, words)) / divisor if divisor else by_length)  # 4 answers, length constant 10
    assert found.item() == pytest.approx(wanted, abs=1e-6)
    found.backward()
    assert now.grad is not None
    assert now.grad[0, 0] == 0.0, "clipped above: no gradient"
    assert now.grad[1, 0] == 0.0, "clipped below: no gradient"
    assert now.grad[3, 1] == 0.0, "no word there"
    assert now.grad[2, 0] < 0.0 < now.grad[3, 0]
    low, high = (made._metrics["train"][f"clip_ratio/{side}_mean"][-1] for side in ("low", "high"))
    assert (low, high) == pytest.approx((1 / 7, 1 / 7))


def test_the_clip_is_wider_above_than_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trainer(tmp_path)
    old = [[0.0], [0.0]]
    now = torch.tensor([[1.25], [0.78]]).log().requires_grad_()
    monkeypatch.setattr(made, "_get_per_token_logps_and_entropies", lambda *_, **__: (now, torch.zeros_like(now), None))
    made.model.train()
    made.current_gradient_accumulation_steps = 1
    made._compute_loss(made.model, batch([1.0, -1.0], old, [[1], [1]])).backward()
    assert now.grad is not None
    assert now.grad[0, 0] != 0.0, "1.25 lies below 1.28"
    assert now.grad[1, 0] == 0.0, "0.78 lies below 0.8"


def test_the_published_preset_is_the_published_table() -> None:
    found = preset("published")
    assert (found.group, found.epsilon_low, found.epsilon_high, found.beta) == (7, 0.2, 0.28, 0.0)
    assert (found.learning_rate, found.epochs, found.questions, found.accumulation, found.mu) == (3e-6, 1.0, 4, 1, 1)
    assert (found.loss, found.scale) == ("dr_grpo", "none")


def test_advantages_are_rewards_less_the_groups_mean() -> None:
    rewards = torch.tensor([3.0, 2.0, 1.0, 2.0, 2.5, 2.5, 2.5, 2.5])
    assert centred(rewards, 4).tolist() == [1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    rewards[1] = math.nan
    assert centred(rewards, 4).tolist() == [1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def test_a_forced_word_weighs_nothing_and_a_forbidden_one_cannot_be() -> None:
    logits = torch.tensor([[[1.0, 2.0, 3.0, 9.0], [5.0, 1.0, 1.0, 1.0]]], requires_grad=True)
    allowed = pack([[(0, 2), (1,)]], words=2, pad=0)
    assert allowed.tolist() == [[[0, 2], [1, NONE]]]
    found = masked(logits, torch.tensor([[2, 1]]), allowed)
    p = math.exp(3) / (math.exp(1) + math.exp(3))
    assert found.logps[0].tolist() == pytest.approx([math.log(p), 0.0], abs=1e-6)
    assert found.entropies[0].tolist() == pytest.approx([-p * math.log(p) - (1 - p) * math.log(1 - p), 0.0], abs=1e-6)
    found.logps.sum().backward()
    assert logits.grad is not None
    assert logits.grad[0, 1].tolist() == [0.0] * 4, "forced: no gradient"
    assert logits.grad[0, 0].tolist() == pytest.approx([p - 1, 0.0, 1 - p, 0.0], abs=1e-6)


def test_what_fills_an_answer_up_is_forced() -> None:
    assert pack([[(3, 4)], [(1,), (2, 5, 6)]], words=3, pad=0).tolist() == [
        [[3, 4, NONE], [0, NONE, NONE], [0, NONE, NONE]],
        [[1, NONE, NONE], [2, 5, 6], [0, NONE, NONE]],
    ]


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_log_probabilities_with_a_gradient_are_the_samplers_own(tmp_path: Path, temperature: float) -> None:
    model = new_model(SMALL, 3)
    tasks = [source().task(n) for n in (0, 5)]
    answers = [
        (task, answer)
        for task in tasks
        for answer in sample(
            network_of(model),
            Grammar(task.request),
            task.prompt,
            n=3,
            seed=1,
            temperature=temperature,
            greedy_first=False,
        )
    ]
    index = ids()
    longest = max(len(a.words) for _, a in answers)
    allowed = pack([a.allowed for _, a in answers], longest, index[PAD])
    for row, (task, answer) in enumerate(answers):
        prompt = [index[w] for w in task.prompt]
        said = [index[w] for w in answer.words]
        logits = model(torch.tensor([[*prompt, *said]])).logits[:, len(prompt) - 1 : -1]
        found = masked(logits, torch.tensor([said]), allowed[row : row + 1, : len(said)])
        assert found.logps[0].tolist() == pytest.approx(answer.log_probabilities, abs=1e-4)
        assert sum(p == 0.0 for p in answer.log_probabilities) == sum(len(c) == 1 for c in answer.allowed)


@pytest.mark.parametrize("mask", ["both", "neither"])
def test_the_trainer_has_the_grammar_on_both_sides_of_the_ratio_or_on_neither(tmp_path: Path, mask: str) -> None:
    """With two passes per generation the old side is computed apart; at the first pass the ratio is 1 on every word."""
    made = trainer(tmp_path, mu=2, grammar_mask=mask)
    made.model.train()
    made.current_gradient_accumulation_steps = 1
    inputs = made._generate_and_score_completions([{"prompt": n} for n in "0011"])
    said = [s.logps for s in made.rolled.samples]
    old = inputs["old_per_token_logps"]
    rows = [row[: len(logps or ())].tolist() for row, logps in zip(old, said, strict=True)]
    agrees = all(row == pytest.approx(logps, abs=1e-4) for row, logps in zip(rows, said, strict=True))
    assert agrees == (mask == "both")
    assert ("allowed" in inputs) == (mask == "both")
    made._compute_loss(made.model, inputs)
    assert made._metrics["train"]["clip_ratio/region_mean"][-1] == 0.0
    ratio = made._get_per_token_logps_and_entropies(
        made.model,
        torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], dim=1),
        torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1),
        inputs["completion_ids"].size(1),
    )[0]
    weigh = inputs["completion_mask"].bool()
    assert torch.allclose(ratio[weigh], old[weigh], atol=1e-5)


def test_a_question_read_once_gives_the_figures_of_one_read_for_each_answer() -> None:
    model = new_model(Size(layers=2, hidden=32, heads=2, middle=48, positions=64), 4)
    torch.manual_seed(0)
    asked = torch.randint(1, 700, (3, 9))
    asked[1, :4] = 0
    rows = torch.tensor([2, 0, 1, 0, 2, 1])
    tokens = torch.cat([asked[rows], torch.randint(1, 700, (6, 5))], dim=1)
    mask = (tokens > 0).long()
    mask[3, -2:] = 0
    weigh = torch.randn(6, 5, len(ids()))
    weigh[3, -1:] = 0.0
    found, gradients = [], []
    for passed in (answer_logits, shared_logits):
        model.zero_grad()
        logits = passed(model, tokens, mask, 5)
        found.append(logits.detach())
        (logits * weigh).sum().backward()
        gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    assert torch.allclose(found[0][:3], found[1][:3], atol=1e-5)
    assert torch.allclose(found[0][3, :-1], found[1][3, :-1], atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-3, rtol=1e-3) for a, b in zip(*gradients, strict=True))


def test_answers_of_the_small_network_read_as_calls() -> None:
    task = source().task(0)
    (group,) = speaker(network_of(new_model(SMALL, 1)), 1.0)([Asked(task, 3, seed=5)])
    for spoken in group:
        assert spoken.answered.calls
        assert spoken.logps is not None
        assert len(spoken.logps) == len(spoken.completion_ids)


def test_constraints_are_taken_off_the_advantages_and_learn_what_they_weigh() -> None:
    made = Multipliers(Constraints(rate=1.0, availability_limit=0.25, false_block_limit=0.5))
    table = torch.tensor([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    rewards = torch.tensor([0.5, -0.5, 0.0, 0.0])
    assert made.apply(rewards, table, 2).tolist() == rewards.tolist(), "multipliers begin at 0"
    made.learn({"availability": 0.5, "false_block": 0.0})
    assert made.values == {"availability": 0.25, "false_block": 0.0}
    found = made.apply(rewards, table, 2)
    assert found.tolist() == [0.375, -0.375, -0.125, 0.125]
    made.learn({"availability": math.nan, "false_block": 0.9})
    assert made.values == pytest.approx({"availability": 0.25, "false_block": 0.4})


def test_costs_are_of_acting_where_nobody_attacks_and_of_what_it_takes_away() -> None:
    limits = Constraints(served=0.99)
    scored = [
        report(),
        report(rs_service=0.9, collateral={"web/http": 0.1}),
        report(kind="false-alarm"),
        report(kind="false-alarm", quiet_strategy=True),
        report(executed=False, rs_exe=0.0, rs_service=0.5),
    ]
    found = [costs(Score(reward(True, m, 1.0), m), limits) for m in scored]
    assert found == [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0), (0.0, 0.0)]
    assert all(math.isnan(c) for c in costs(Score(None), limits))
