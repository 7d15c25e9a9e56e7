"""Supervised fine-tuning: the network learns to say the apprentice's answers, from random weights.

    python -m training.sft --corpus var/corpus.jsonl --out var/sft --steps 3000

The loss is that of inference: cross-entropy of the answer's words among those that the grammar allows; forced words
weigh nothing. Prompt words are predicted, too, with little weight: they say what goes with what in a network.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM

from labs.scenario.draw import rng
from secloop_ai.contracts.base import Frozen
from secloop_ai.policies.embedded.vocabulary import PAD, ids, words

from .corpus import Example, known_words, read
from .model import Size, new_model, save_policy
from .validation import validate

NEVER = -1e9


class SftConfig(Frozen):
    """How long and how fast.

    Attributes:
        batch: examples per step; those of one step are of like length.
        learning_rate: of AdamW at its highest; it rises over `warmup` steps and falls along a cosine to a tenth.
        prompt_weight: of the prompt words' loss beside the answer's.
        every: steps between two looks at the validation split; the best weights there are kept.
    """

    seed: int = 0
    steps: int = 3000
    batch: int = 48
    learning_rate: float = 2e-3
    warmup: int = 100
    weight_decay: float = 0.05
    prompt_weight: float = 0.05
    weak_weight: float = 0.5
    every: int = 500


class Batch(NamedTuple):
    """Examples side by side (B), padded behind to the longest (T)."""

    tokens: torch.Tensor
    prompt: torch.Tensor
    answers: torch.Tensor
    rows: torch.Tensor
    allowed: torch.Tensor
    weights: torch.Tensor


def batch_of(chosen: Sequence[Example], weak_weight: float) -> Batch:
    """Tokens (B, T), mask of prompt positions (B, T), and for the N unforced words of all answers where the logits
    stand (N, 2), which word is right (N), which were allowed (N, V) and how much each weighs (N)."""  # noqa: D205, D209 - one sentence
    longest = max(len(e.prompt) + len(e.answer) for e in chosen)
    pad, vocabulary = ids()[PAD], len(words())
    tokens = torch.full((len(chosen), longest), pad)
    prompt = torch.zeros((len(chosen), longest), dtype=torch.bool)
    at: list[tuple[int, int]] = []
    right: list[int] = []
    open_words: list[tuple[int, ...]] = []
    weights: list[float] = []
    for row, e in enumerate(chosen):
        text = (*e.prompt, *e.answer)
        tokens[row, : len(text)] = torch.tensor(text)
        prompt[row, 1 : len(e.prompt)] = True
        for n, (word, among) in enumerate(zip(e.answer, e.allowed, strict=True)):
            if len(among) > 1:
                at.append((row, len(e.prompt) + n - 1))
                right.append(word)
                open_words.append(among)
                weights.append(1.0 if e.sturdy else weak_weight)
    allowed = torch.zeros((len(at), vocabulary), dtype=torch.bool)
    for row, among in enumerate(open_words):
        allowed[row, list(among)] = True
    return Batch(tokens, prompt, torch.tensor(at), torch.tensor(right), allowed, torch.tensor(weights))


def loss_of(model: LlamaForCausalLM, batch: Batch, prompt_weight: float) -> torch.Tensor:
    """Masked cross-entropy of the answers' words, and of the prompts' with their weight."""
    hidden = model.model(input_ids=batch.tokens).last_hidden_state
    logits = model.lm_head(hidden[batch.answers[:, 0], batch.answers[:, 1]]).masked_fill(~batch.allowed, NEVER)
    answer = (cross_entropy(logits, batch.rows, reduction="none") * batch.weights).sum() / batch.weights.sum()
    if not prompt_weight:
        return answer
    shown = model.lm_head(hidden[:, :-1][batch.prompt[:, 1:]])
    return answer + prompt_weight * cross_entropy(shown, batch.tokens[:, 1:][batch.prompt[:, 1:]])


def batches(corpus: Sequence[Example], config: SftConfig) -> Iterator[Batch]:
    """Without end: every example once before any twice, those of like length together."""
    dice = rng("batches", config.seed)
    while True:
        order = list(range(len(corpus)))
        dice.shuffle(order)
        pool = config.batch * 16
        chunks = []
        for start in range(0, len(order), pool):
            part = sorted(order[start : start + pool], key=lambda n: len(corpus[n].prompt))
            chunks += [part[n : n + config.batch] for n in range(0, len(part), config.batch)]
        dice.shuffle(chunks)
        yield from (batch_of([corpus[n] for n in chunk], config.weak_weight) for chunk in chunks)


def rate(step: int, config: SftConfig) -> float:
    """The share of the highest learning rate at a step."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.1 + 0.45 * (1 + float(torch.cos(torch.tensor(done * torch.pi))))


def train(corpus: Sequence[Example], out: Path, size: Size, config: SftConfig) -> Path:
    """Train from random weights; the folder holds the weights that were best on the validation split, and a curve."""
    model = new_model(size, config.seed)
    known = frozenset(words()[n] for n in known_words(corpus))
    groups = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, betas=(0.9, 0.98)
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(groups, lambda step: rate(step, config))
    out.mkdir(parents=True, exist_ok=True)
    best, began, running = -1.0, time.monotonic(), 0.0
    with (out / "curve.jsonl").open("w", encoding="utf-8") as curve:
        for step, batch in zip(range(1, config.steps + 1), batches(corpus, config), strict=False):
            model.train()
            loss = loss_of(model, batch, config.prompt_weight)
            groups.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            groups.step()
            schedule.step()
            now = loss.item()
            running = 0.98 * running + 0.02 * now if step > 1 else now
            if step % config.every == 0 or step == config.steps:
                found = validate(model, known)
                row = {"step": step, "loss": round(running, 4), "seconds": round(time.monotonic() - began, 1), **found}
                curve.write(json.dumps(row) + "\n")
                curve.flush()
                if found["score"] >= best:
                    best = found["score"]
                    card = {"trained_by": "sft", "corpus": len(corpus), **config.model_dump(), "validation": row}
                    save_policy(model, out, card=card, known=known)
    return out


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m training.sft", description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    for name, field in SftConfig.model_fields.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(field.default), default=field.default)
    for name, field in Size.model_fields.items():
        parser.add_argument(f"--{name}", type=int, default=field.default)
    asked = vars(parser.parse_args(arguments))
    config = SftConfig(**{k: asked[k] for k in SftConfig.model_fields})
    size = Size(**{k: asked[k] for k in Size.model_fields})
    train(read(asked["corpus"]), asked["out"], size, config)
    sys.stdout.write((asked["out"] / "curve.jsonl").read_text(encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
