"""A small chat model from nothing, to try the chat back ends with where no other model is at hand.

    python -m training.chat_small --out var/chat-small       # minutes on two cores
    python -m training.serve var/chat-small                  # then: SECLOOP_POLICY=openai:chat-small@http://...

It learns the apprentice's answers to the chat policies' prompt, and knows nothing beside. It is no rival of a real
chat model; what it shows is that prompt, server, schema and reader work together on answers that mean something.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from labs.scenario.draw import rng
from secloop_ai.contracts import CAPS, ActionCall, Role
from secloop_ai.policies.chat import build_prompt

from .apprentice import label
from .corpus import SUITE, Source, made_task, task_from
from .generate import train_scenarios

PAD, START, END = "<|pad|>", "<|start|>", "<|end|>"
TEMPLATE = (
    "{% for m in messages %}<|start|>{{ m['role'] }}\n{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
VOCABULARY, WINDOW = 1_500, 8_192
ANSWER_TOKENS = 512
"""As many as a chat policy asks for by default."""
SUITE_SHARE = 3
"""One in so many examples is a scenario of the suites' train split."""
FIRST_SEED = 700_000
NOT_LEARNED = -100


class Said(NamedTuple):
    """A conversation: its messages as a chat policy builds them, and the answer to learn."""

    messages: list[dict[str, str]]
    answer: str


class Recipe(NamedTuple):
    """How large, how long, how fast; `learning_rate` is the highest of a cosine's."""

    layers: int = 3
    hidden: int = 96
    heads: int = 4
    steps: int = 450
    batch: int = 4
    learning_rate: float = 2e-3
    prompt_weight: float = 0.1


def said(number: int) -> Said | None:
    """The conversation of a number; None where the apprentice has no answer to it."""
    if number % SUITE_SHARE == 0:
        scenarios = train_scenarios()
        task = task_from(Source(SUITE, number // SUITE_SHARE % len(scenarios), FIRST_SEED + number))
    else:
        task = made_task(FIRST_SEED + number)
    found = label(task)
    if found is None:
        return None
    return Said(build_prompt(task.request, max_tokens=ANSWER_TOKENS).messages, spelled(found.calls))


def spelled(calls: Sequence[ActionCall]) -> str:
    """The calls as the compact JSON that the prompt asks for."""
    rows = [{"tool": c.tool, "params": dict(c.params), "ttl_s": c.ttl_s} for c in calls]
    return json.dumps({"calls": rows}, separators=(",", ":"))


def conversations(number: int, workers: int) -> list[Said]:
    """As many conversations as the apprentice answers of so many cases; one worker is this process."""
    if workers == 1:
        return [s for s in map(said, range(number)) if s]
    with get_context("fork").Pool(workers) as pool:
        return [s for s in pool.imap(said, range(number), chunksize=16) if s]


def make_tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Byte-level BPE, with every slot a token of its own: what is copied whole is not spelled anew."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    slots = [f"@{role.value}{n}" for role in Role for n in range(CAPS[role])]
    raw.add_tokens([AddedToken(slot, normalized=False, special=False) for slot in slots])
    made = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=END, pad_token=PAD)
    made.chat_template = TEMPLATE
    return made


class Encoded(NamedTuple):
    """Tokens of a conversation, and where the answer begins."""

    tokens: list[int]
    answer_at: int


def encoded(tokenizer: Any, one: Said) -> Encoded:
    """The conversation with its answer, as generation will see it."""
    asked = tokenizer.apply_chat_template(one.messages, add_generation_prompt=True, tokenize=False)
    prompt = tokenizer(asked, add_special_tokens=False)["input_ids"]
    answer = tokenizer(one.answer + END, add_special_tokens=False)["input_ids"]
    return Encoded([*prompt, *answer], len(prompt))


def batches(of: Sequence[Encoded], recipe: Recipe, pad: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Without end: tokens (B, T) and the targets (B, T) of the answers, those of like length together."""
    dice = rng("chat-small", recipe.steps)
    order = sorted(of, key=lambda e: len(e.tokens))
    chunks = [order[n : n + recipe.batch] for n in range(0, len(order), recipe.batch)]
    while True:
        for chunk in dice.sample(chunks, len(chunks)):
            longest = max(len(e.tokens) for e in chunk)
            tokens = torch.tensor([[*e.tokens, *[pad] * (longest - len(e.tokens))] for e in chunk])
            targets = tokens.clone()
            for row, e in enumerate(chunk):
                targets[row, : e.answer_at] = NOT_LEARNED
                targets[row, len(e.tokens) :] = NOT_LEARNED
            yield tokens, targets


def loss_of(model: LlamaForCausalLM, tokens: torch.Tensor, targets: torch.Tensor, prompt_weight: float) -> torch.Tensor:
    """Cross-entropy of the answers, and with little weight that of a part of the prompts: what goes with what."""
    hidden = model.model(input_ids=tokens).last_hidden_state[:, :-1]
    learned = targets[:, 1:] != NOT_LEARNED
    answer = cross_entropy(model.lm_head(hidden[learned]), targets[:, 1:][learned])
    told = (~learned) & (torch.rand(learned.shape) < 0.25)  # noqa: PLR2004 - a quarter says as much, and costs less
    return answer + prompt_weight * cross_entropy(model.lm_head(hidden[told]), tokens[:, 1:][told])


def train(of: Sequence[Said], out: Path, recipe: Recipe, seed: int) -> Iterator[dict[str, float]]:
    """Train from random weights and save model and tokenizer; figures of the run now and then."""
    tokenizer = make_tokenizer([*(m["content"] for s in of[:400] for m in s.messages), *(s.answer for s in of)])
    rows = [e for e in map(partial(encoded, tokenizer), of) if len(e.tokens) <= WINDOW - ANSWER_TOKENS]
    torch.manual_seed(seed)
    model = LlamaForCausalLM(_config(tokenizer, recipe))
    steps = torch.optim.AdamW(model.parameters(), lr=recipe.learning_rate, weight_decay=0.05, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(steps, recipe.learning_rate, total_steps=recipe.steps, pct_start=0.1)
    began, running = time.monotonic(), 0.0
    pairs = batches(rows, recipe, int(tokenizer.pad_token_id))
    for step, (tokens, targets) in zip(range(1, recipe.steps + 1), pairs, strict=False):
        loss = loss_of(model, tokens, targets, recipe.prompt_weight)
        steps.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        steps.step()
        schedule.step()
        running = loss.item() if step == 1 else 0.95 * running + 0.05 * loss.item()
        if step % 50 == 0 or step == recipe.steps:
            yield {"step": step, "loss": round(running, 4), "seconds": round(time.monotonic() - began, 1)}
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def _config(tokenizer: PreTrainedTokenizerFast, recipe: Recipe) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.hidden * 3,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=WINDOW,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; a line of JSON for each look at the run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--cases", type=int, default=1_500, help="cases to learn from")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    for name, default in Recipe._field_defaults.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(default), default=default)
    asked = vars(parser.parse_args(arguments))
    recipe = Recipe(**{name: asked[name] for name in Recipe._fields})
    for row in train(conversations(asked["cases"], asked["workers"]), asked["out"], recipe, asked["seed"]):
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
