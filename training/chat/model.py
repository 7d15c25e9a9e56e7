"""A local model that answers chat messages, seeded, several answers at once, under a JSON schema or free."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple, cast

import torch
from jinja2 import TemplateError
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from transformers import BatchEncoding, GenerationConfig, LogitsProcessorList

from secloop_ai.contracts import PolicyError

from .constrain import Watcher, grammar_of
from .weights import Weights, fingerprint

Message = Mapping[str, str]


class Piece(NamedTuple):
    """A token, as text by itself, with its log-probability at temperature 1, under the mask."""

    token: int
    text: str
    log_probability: float


class Written(NamedTuple):
    """One answer, and its tokens, the ending one included."""

    text: str
    ended: Literal["stop", "length"]
    pieces: tuple[Piece, ...]


class Answers(NamedTuple):
    """What one call wrote."""

    written: tuple[Written, ...]
    prompt_tokens: int


class LocalModel:
    """One model, one call at a time: calls from several threads wait for each other."""

    def __init__(self, weights: Weights) -> None:
        self._model, self._tokenizer, self._folders = weights
        self._turn = threading.Lock()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of the files that decide. Reads them."""
        return fingerprint(self._folders)

    @cached_property
    def window(self) -> int | None:
        """Tokens of prompt and answer together, at most; None: the model names no limit."""
        found = getattr(self._model.config.get_text_config(), "max_position_embeddings", None)
        return int(found) if found else None

    @cached_property
    def _ends(self) -> list[int]:
        named = getattr(self._model.generation_config, "eos_token_id", None)
        known = named if isinstance(named, list) else [named]
        return sorted({int(t) for t in (*known, self._tokenizer.eos_token_id) if t is not None})

    @cached_property
    def _words(self) -> LLTokenizer:
        """The tokenizer as the grammar sees it.

        Raises:
            PolicyError: it is of a kind that cannot be constrained.
        """
        width = max(int(self._model.config.get_text_config().vocab_size), len(self._tokenizer))
        try:
            return from_tokenizer(cast("Any", self._tokenizer), n_vocab=width, eos_token=self._ends)
        except ValueError as error:
            raise PolicyError(
                f"{self._folders[0]}: decoding cannot be constrained with its tokenizer ({error}); "
                "decoding=unconstrained can"
            ) from None

    def answer(
        self,
        messages: Sequence[Message],
        *,
        schema: dict[str, Any] | None,
        n: int,
        seed: int,
        temperature: float,
        max_tokens: int,
        limit_s: float | None = None,
    ) -> Answers:
        """Write `n` answers; temperature 0 is greedy, and then all are the same. Equal arguments give equal answers.

        Args:
            messages: role and content.
            schema: None: unconstrained.
            n: how many.
            seed: of the sampling; the caller's own random state is left alone.
            temperature: 0 to 2.
            max_tokens: of each answer.
            limit_s: seconds after which answers are cut off.

        Raises:
            PolicyError: messages the chat template does not take, no room in the model's window.
            SchemaError: the schema cannot be used.
        """
        inputs = self._encode(messages)
        begin = int(inputs["input_ids"].shape[1])
        if self.window and begin + max_tokens > self.window:
            raise PolicyError(
                f"{self._folders[0]}: {begin} tokens of prompt and {max_tokens} of answer do not fit the model's "
                f"window of {self.window}"
            )
        rows = n if temperature > 0 else 1
        matchers = []
        if schema is not None:
            matchers = [LLMatcher(self._words, grammar_of(schema, self._words))]
            matchers += [matchers[0].deep_copy() for _ in range(rows - 1)]
        watcher = Watcher(matchers, rows=rows, begin=begin, ends=self._ends)
        settings = self._settings(rows, temperature, max_tokens, limit_s)
        with self._turn:
            sequences = self._generate(inputs, watcher, settings, seed)
        watcher.note(sequences)
        new = sequences[:, begin:].tolist()
        found = [self._written(ids, known) for ids, known in zip(new, watcher.log_probabilities, strict=True)]
        return Answers(tuple(found if rows == n else found * n), begin)

    def _settings(self, rows: int, temperature: float, max_tokens: int, limit_s: float | None) -> GenerationConfig:
        """Every choice made here: a model's own defaults (top-k and the like) would change the distribution."""
        pad = self._tokenizer.pad_token_id
        warm: dict[str, Any] = {"temperature": temperature, "top_k": 0, "top_p": 1.0} if temperature > 0 else {}
        kind: Any = GenerationConfig
        return cast(
            "GenerationConfig",
            kind(
                do_sample=temperature > 0,
                num_return_sequences=rows,
                max_new_tokens=max_tokens,
                max_time=limit_s,
                eos_token_id=self._ends,
                pad_token_id=pad if pad is not None else self._ends[0],
                repetition_penalty=1.0,
                **warm,
            ),
        )

    def _generate(self, inputs: BatchEncoding, watcher: Watcher, settings: GenerationConfig, seed: int) -> torch.Tensor:
        device = self._model.device
        kept = range(torch.cuda.device_count()) if device.type == "cuda" else ()
        with torch.inference_mode(), torch.random.fork_rng(kept):
            torch.manual_seed(seed)
            generate = cast("Any", self._model).generate
            found = generate(
                **inputs.to(device), generation_config=settings, logits_processor=LogitsProcessorList([watcher])
            )
        return cast("torch.Tensor", found)

    def _encode(self, messages: Sequence[Message]) -> BatchEncoding:
        """The messages by the model's own chat template, or one after the other where it has none."""
        if not self._tokenizer.chat_template:
            text = "\n\n".join([*(m["content"] for m in messages), ""])
            return cast("BatchEncoding", self._tokenizer(text, return_tensors="pt", return_token_type_ids=False))
        try:
            return self._templated(messages)
        except TemplateError:
            pass
        try:
            return self._templated(_without_system(messages))
        except TemplateError as error:
            raise PolicyError(f"{self._folders[0]}: its chat template does not take the messages: {error}") from None

    def _templated(self, messages: Sequence[Message]) -> BatchEncoding:
        found = self._tokenizer.apply_chat_template(
            [dict(m) for m in messages],
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
            enable_thinking=False,  # a variable of some templates; others ignore it
        )
        return cast("BatchEncoding", found)

    def _written(self, ids: list[int], known: list[float]) -> Written:
        ids = ids[: len(known)]
        ended: Literal["stop", "length"] = "stop" if ids and ids[-1] in self._ends else "length"
        text = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        pieces = (Piece(i, str(self._tokenizer.decode([i])), k) for i, k in zip(ids, known, strict=True))
        return Written(str(text), ended, tuple(pieces))


def _without_system(messages: Sequence[Message]) -> list[Message]:
    """For templates that know no system role: its text goes in front of the first message of the user."""
    system = [m["content"] for m in messages if m["role"] == "system"]
    rest = [dict(m) for m in messages if m["role"] != "system"]
    if rest and system:
        rest[0]["content"] = "\n\n".join([*system, rest[0]["content"]])
    return list(rest)
