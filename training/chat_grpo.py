"""SA-GRPO for a chat model, whole or through a LoRA adapter: the method as published, on larger weights.

The objective, the rewards and everything beyond are those of the small network. What differs is who speaks: TRL's own
generation (transformers, or vLLM in a server), asked with the chat policies' prompt, read with their reader. Nothing
holds the answer to a grammar, so that the format reward has something to say.

    python -m training.chat_grpo --model /models/qwen2.5-1.5b --out var/chat

On several GPUs: see ``training/launch/zero2.yaml``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from secloop_ai.contracts.errors import SecLoopError, SettingsError
from secloop_ai.policies.chat import LocalOptions, Reply, build_prompt, read

from .chat import load_weights
from .config import Config, preset
from .rollouts import Asked, Speaker, Spoken
from .sa_grpo import SaGrpoTrainer, last_checkpoint
from .scoring import Answered
from .sources import CaseTasks
from .tasks import Task

RANK, ALPHA = 16, 32
"""Of the LoRA adapter: one bit an episode needs no more (rank 1 to 32)."""
ANSWER_TOKENS = 512
RATE = 3e-5
"""Learning rate of an adapter: ten times that of all weights."""


class ChatGrpoTrainer(SaGrpoTrainer):
    """Trains a chat model; the arguments are those of :class:`SaGrpoTrainer`, `words` being its tokenizer.

    Raises:
        SettingsError: the configuration asks for a grammar in the ratio, or for questions that are read once.
    """

    def __init__(
        self, model: Any, source: Any, config: Config, folder: Path, scorer: Any = None, **others: Any
    ) -> None:
        if config.grammar_mask != "neither" or config.share_questions:
            raise SettingsError("a chat model is sampled freely: grammar_mask neither, share_questions false")
        super().__init__(model, source, config, folder, scorer, **others)

    def voice(self) -> Speaker:
        """The chat model, through TRL's own generation."""
        return self._speak

    def _speak(self, asked: Sequence[Asked]) -> list[list[Spoken]]:
        """All groups in one generation."""
        prompts = [self._prompt(group.task) for group in asked for _ in range(group.answers)]
        said, logps = self._generate_single_turn(prompts, None, {}, asked[0].answers)
        tasks = [group.task for group in asked for _ in range(group.answers)]
        rows = (self._spoken(*row) for row in zip(tasks, prompts, said, logps or [None] * len(said), strict=True))
        return [list(islice(rows, group.answers)) for group in asked]

    def _prompt(self, task: Task) -> list[int]:
        messages = build_prompt(task.request, max_tokens=self.config.length_constant).messages
        text = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        found: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return found

    def _spoken(self, task: Task, prompt: list[int], said: list[int], logps: list[float] | None) -> Spoken:
        whole = bool(said) and said[-1] in self.eos_token_ids
        text = self._tokenizer.decode(said, skip_special_tokens=True)
        reading = read(Reply(text, "stop" if whole else "length"))
        return Spoken(prompt, said, Answered(task, None if reading.problem else reading.calls), logps)


def adapter() -> Any:
    """The LoRA configuration: all linear layers."""
    from peft import LoraConfig  # noqa: PLC0415 - whole weights need no peft

    return LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules="all-linear", task_type="CAUSAL_LM")


def free(name: str, **changes: Any) -> Config:
    """A preset for a model that is sampled freely.

    Raises:
        SettingsError: no such preset, or a value is wrong.
    """
    fixed = {"grammar_mask": "neither", "share_questions": False, "length_constant": ANSWER_TOKENS}
    return preset(name, **fixed | changes)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and keep the adapter or the weights in ``OUT/model``."""
    args = _parser().parse_args(arguments)
    try:
        weights = load_weights(args.model, _options(whole=not args.lora))
        changes = {"learning_rate": args.learning_rate or (RATE if args.lora else None), "removed": args.without}
        own = {"save_every": args.save_every, "steps": args.steps, "group": args.group}
        config = free("published", **own, **{name: value for name, value in changes.items() if value})
        trainer = ChatGrpoTrainer(
            weights.model,
            CaseTasks("train", range(args.seeds)),
            config,
            args.out,
            words=weights.tokenizer,
            adapter=adapter() if args.lora else None,
            **dict(_vllm(args)),
        )
        at = last_checkpoint(args.out)
        trainer.train(resume_from_checkpoint=str(at) if at else None)
        trainer.save_model(str(args.out / "model"))
    except SecLoopError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _options(*, whole: bool) -> LocalOptions:
    """Loaded beside the accelerator, as the trainer places it; weights that are all trained stay in float32."""
    narrow = torch.cuda.is_available() and not whole
    return LocalOptions(device="cpu", dtype="bfloat16" if narrow else "float32")


def _vllm(args: argparse.Namespace) -> Iterator[tuple[str, Any]]:
    if args.vllm_server:
        yield from {"use_vllm": True, "vllm_mode": "server", "vllm_server_base_url": args.vllm_server}.items()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of a causal language model that chats")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run; goes on where it ended")
    parser.add_argument("--seeds", type=int, default=20, help="cases of every scenario of the train split")
    parser.add_argument("--steps", type=int, help="optimiser steps; by default one pass over the cases")
    parser.add_argument("--group", type=int, default=7, help="answers per question")
    parser.add_argument("--learning-rate", type=float, help="by default the published one, and 3e-5 for an adapter")
    parser.add_argument("--without", action="append", help="a component of the reward left out; several may be given")
    parser.add_argument("--save-every", type=int, default=50, help="optimiser steps between checkpoints")
    parser.add_argument("--all-weights", dest="lora", action="store_false", help="train all weights, not an adapter")
    parser.add_argument("--vllm-server", help="address of `trl vllm-serve --config training/launch/vllm.yaml`")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
