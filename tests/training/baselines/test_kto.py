"""KTO: the loss by hand and against TRL's, the masked log-probabilities against the sampler's."""

from __future__ import annotations

import math
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from transformers import LlamaForCausalLM

from secloop_ai.policies.embedded import Grammar, sample
from secloop_ai.policies.embedded.encode import shown
from secloop_ai.policies.embedded.vocabulary import words
from training.baselines.kto import (
    LARGEST_WEIGHT,
    KtoConfig,
    Labelled,
    Sampler,
    Spoken,
    kto_loss,
    log_probabilities,
    mismatched,
    reference_point,
    weights_of,
)
from training.baselines.kto import _Run as Run
from training.lexicon import numbers, tokenizer
from training.model import Size, network_of, new_model

from .world import source, tasks

TINY = Size(layers=1, hidden=16, heads=2, middle=32, positions=384)
KNOWN = frozenset(words())


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_a_batch_computed_by_hand() -> None:
    ratios, labels = torch.tensor([0.5, -1.0, 2.0]), torch.tensor([True, False, False])
    point = reference_point(torch.tensor([0.2, 0.6]))
    # z = 0.4; r - z = 0.1 of the desirable answer, which weighs 3; z - r = 1.4 and -1.6 of the others
    by_hand = (3 * (1 - sigmoid(0.01)) + (1 - sigmoid(0.14)) + (1 - sigmoid(-0.16))) / 3
    assert float(point) == pytest.approx(0.4)
    assert float(kto_loss(ratios, labels, point, beta=0.1, weights=(3.0, 1.0))) == pytest.approx(by_hand)


def test_the_reference_point_is_never_negative_and_has_no_gradient() -> None:
    assert float(reference_point(torch.tensor([-3.0, 1.0]))) == 0.0
    assert float(reference_point(torch.zeros(0))) == 0.0
    assert not reference_point(torch.tensor([1.0], requires_grad=True)).requires_grad


def test_a_desirable_answer_is_made_likelier_an_undesirable_one_less_likely() -> None:
    ratios = torch.zeros(2, requires_grad=True)
    loss = kto_loss(ratios, torch.tensor([True, False]), torch.zeros(()), beta=0.1, weights=(1.0, 1.0))
    (gradient,) = torch.autograd.grad(loss, ratios)
    assert gradient[0] < 0 < gradient[1]


@pytest.mark.parametrize(
    ("counts", "weights"),
    [((10, 10), (1, 1)), ((10, 30), (3, 1)), ((30, 10), (1, 3)), ((1, 99), (LARGEST_WEIGHT, 1)), ((0, 9), (1, 1))],
)
def test_the_rarer_kind_weighs_more(counts: tuple[int, int], weights: tuple[float, float]) -> None:
    assert weights_of(*counts) == pytest.approx(weights)


def answers(model: LlamaForCausalLM, count: int = 4) -> list[Labelled]:
    return Sampler(model, source(), known=KNOWN, seed=0).draw(count, 3)


def test_log_probabilities_are_the_samplers() -> None:
    model = new_model(TINY, seed=1)
    task = tasks()[0]
    grammar, prompt = Grammar(task.request), shown(task.prompt, KNOWN)
    said = sample(network_of(model), grammar, prompt, n=5, seed=0)
    batch = [Spoken(tuple(numbers(prompt)), tuple(numbers(a.words)), a.allowed) for a in said]
    found = log_probabilities(model, batch)
    assert found.tolist() == pytest.approx([a.log_probability for a in said], abs=1e-4)
    # longer neighbours change nothing
    alone = log_probabilities(model, batch[:1])
    assert alone.tolist() == pytest.approx(found[:1].tolist(), abs=1e-5)


def test_sampled_answers_are_labelled_by_accuracy() -> None:
    rows = answers(new_model(TINY, seed=1), 6)
    again = answers(new_model(TINY, seed=1), 6)
    assert [r._replace(grammar=rows[0].grammar) for r in again] == [r._replace(grammar=rows[0].grammar) for r in rows]
    assert len({(r.spoken.prompt, r.words) for r in rows}) > 3
    assert all(r.reward > 2 for r in rows if r.desirable)
    assert all(len(r.spoken.allowed) == len(r.words) == len(r.spoken.answer) for r in rows)


def test_a_mismatched_answer_belongs_to_another_prompt_and_obeys_this_ones_grammar() -> None:
    rows = answers(new_model(TINY, seed=1), 8)
    pairs = mismatched(rows)
    assert pairs
    prompts = {r.spoken.prompt: r.grammar for r in rows}
    spelt = words()
    for pair in pairs:
        assert prompts[pair.prompt].calls([spelt[n] for n in pair.answer])
    lone = [r for r in rows if r.spoken.prompt == rows[0].spoken.prompt]
    assert mismatched(lone) == ()


def test_training_moves_answers_apart_by_their_label() -> None:
    model = new_model(TINY, seed=1)
    rows = [r._replace(desirable=n % 2 == 0) for n, r in enumerate(answers(model))]
    config = KtoConfig(learning_rate=1e-2)
    run = Run(config, model, Sampler(model, source(), known=KNOWN, seed=0), 0)
    before = log_probabilities(model, [r.spoken for r in rows]).detach()
    run._waiting = [rows] * 20
    losses = [run.update()["loss"] for _ in range(20)]
    gained = log_probabilities(model, [r.spoken for r in rows]).detach() - before
    assert losses[-1] < losses[0]
    assert gained[0::2].mean() > gained[1::2].mean()


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # the library's own
def test_trls_trainer_has_the_same_loss_where_the_mask_allows_everything(tmp_path: Path) -> None:
    trl, datasets = (cast("Any", import_module(name)) for name in ("trl", "datasets"))  # they declare no types

    model, reference = new_model(TINY, seed=1), new_model(TINY, seed=2)
    rows = answers(model)
    rows = [r for n, r in enumerate(rows) if n == 0 or r.spoken.prompt != rows[n - 1].spoken.prompt]
    every = tuple(range(len(words())))
    batch = [r.spoken._replace(allowed=(every,) * len(r.words)) for r in rows]
    others = [
        Spoken(one.prompt, other.answer, other.allowed)
        for one, other in zip(batch, [batch[-1], *batch[:-1]], strict=True)
    ]
    with torch.no_grad():
        ratios, off = (log_probabilities(model, b) - log_probabilities(reference, b) for b in (batch, others))
        labels = torch.tensor([n % 2 == 0 for n in range(len(batch))])
        ours = kto_loss(ratios, labels, reference_point(off), beta=0.1, weights=(1.0, 1.0))

    spelt = words()
    texts: list[dict[str, Any]] = [
        {
            "prompt": " ".join(spelt[n] for n in s.prompt) + " ",
            "completion": " ".join(spelt[n] for n in s.answer),
            "label": n_ % 2 == 0,
        }
        for n_, s in enumerate(batch)
    ]
    arguments = trl.KTOConfig(
        str(tmp_path), per_device_train_batch_size=len(texts), use_cpu=True, bf16=False, report_to=[], beta=0.1,
        activation_checkpointing=False,
    )  # fmt: skip
    trainer = trl.KTOTrainer(
        model, reference, arguments, train_dataset=datasets.Dataset.from_list(texts), processing_class=tokenizer()
    )
    inputs = trainer.data_collator([trainer.train_dataset[n] for n in range(len(texts))])
    with torch.no_grad():
        theirs = trainer.compute_loss(trainer.model, inputs)
    assert float(theirs) == pytest.approx(float(ours), abs=1e-5)
    assert not np.isclose(float(ours), 0.5)
