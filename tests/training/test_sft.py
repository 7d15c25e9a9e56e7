"""Supervised fine-tuning: its loss is the grammar's, its weights are read back, and they can be shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("transformers", reason="the extra `train` is not installed")

from secloop_ai.contracts.errors import InputError  # noqa: E402 - after the check for the extra
from secloop_ai.policies.embedded import Grammar, load_embedded  # noqa: E402
from secloop_ai.policies.embedded.sampler import likelihood  # noqa: E402
from secloop_ai.policies.embedded.vocabulary import words  # noqa: E402
from training import ship  # noqa: E402
from training.corpus import GENERATED, Source, example, known_words, read, sources, task_from, write  # noqa: E402
from training.evaluation.logs import curves  # noqa: E402
from training.model import Size, load_model, network_of, new_model, save_policy  # noqa: E402
from training.sft import SftConfig, batch_of, loss_of, rate, train  # noqa: E402

SMALL = Size(layers=1, hidden=32, heads=2, middle=64)


def test_the_loss_is_the_answers_likelihood_under_the_grammar() -> None:
    """Mean negative log-probability per unforced word, as inference computes it with NumPy."""
    model = new_model(SMALL, seed=3)
    network = network_of(model)
    total, free = 0.0, 0
    chosen = []
    for seed in range(6):
        task = task_from(Source(GENERATED, 0, seed))
        found = example(task)
        if found is None or not found.sturdy:
            continue
        chosen.append(found)
        total -= likelihood(network, Grammar(task.request), task.prompt, [words()[n] for n in found.answer])
        free += sum(len(among) > 1 for among in found.allowed)
    assert len(chosen) > 1
    loss = loss_of(model, batch_of(chosen, weak_weight=0.5), prompt_weight=0.0)
    assert loss.item() == pytest.approx(total / free, rel=1e-4)


def test_the_rate_rises_and_falls() -> None:
    config = SftConfig(steps=100, warmup=10)
    assert rate(0, config) == pytest.approx(0.1)
    assert rate(9, config) == pytest.approx(1.0)
    assert rate(100, config) == pytest.approx(0.1)


def test_weights_come_back_as_they_were_saved(tmp_path: Path) -> None:
    model = new_model(SMALL, seed=1).to(torch.float16).to(torch.float32)
    digest = save_policy(model, tmp_path, card={"trained_by": "nobody"}, known=frozenset(words()))
    again = load_model(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values(), strict=True))
    assert load_embedded(str(tmp_path)).digest() == digest


def test_a_short_run_learns_and_can_be_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "training.validation.held_out", lambda: tuple(task_from(Source(GENERATED, 0, n)) for n in range(4))
    )
    write(tmp_path / "corpus.jsonl", tuple(sources(40, 0)), workers=1)
    corpus = read(tmp_path / "corpus.jsonl")
    folder = train(corpus, tmp_path / "sft", SMALL, SftConfig(steps=40, batch=8, every=20, learning_rate=5e-3))
    first, last = (json.loads(line) for line in (folder / "curve.jsonl").read_text(encoding="utf-8").splitlines())
    assert last["loss"] < first["loss"]
    card = ship.ship(folder, tmp_path / "shipped").read_text(encoding="utf-8")
    assert load_embedded(str(tmp_path / "shipped")).digest() in card
    assert len(known_words(corpus)) > 50
    monkeypatch.setattr(ship, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="at most 10 are shipped"):
        ship.ship(folder, tmp_path / "shipped")


def test_the_curves_of_a_run_are_kept_its_rounds_as_one(tmp_path: Path) -> None:
    run, kept = tmp_path / "run", tmp_path / "kept"
    assert ship.keep_curves(run, kept) == []
    for number, steps in ((1, 3), (2, 2)):
        journal = run / f"round-{number}" / "run" / "journal.jsonl"
        journal.parent.mkdir(parents=True)
        journal.write_text(
            "".join(f'{{"step": {n + 1}, "reward": {number}}}\n' for n in range(steps)), encoding="utf-8"
        )
    assert [path.stem for path in ship.keep_curves(run, kept)] == ["sa-grpo"]
    curve = curves(kept)["sa-grpo"]
    assert [(line["step"], line["reward"]) for line in curve] == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2)]
