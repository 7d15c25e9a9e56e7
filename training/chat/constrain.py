"""Decoding held to a grammar by llguidance: what does not fit has probability 0."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer
from transformers import LogitsProcessor

from secloop_ai.contracts import PolicyError


class SchemaError(PolicyError):
    """A JSON schema that no grammar can be made of."""


def grammar_of(schema: dict[str, Any], tokenizer: LLTokenizer) -> str:
    """The grammar of compact JSON that fits a schema: without free white space, so that answers end.

    Raises:
        SchemaError: it is no schema, or uses what the grammar compiler does not know.
    """
    try:
        grammar = LLMatcher.grammar_from_json_schema(json.dumps(schema), overrides={"whitespace_flexible": False})
    except ValueError as error:
        raise SchemaError(f"the JSON schema cannot be used: {_line(str(error))}") from None
    if wrong := LLMatcher.validate_grammar(grammar, tokenizer):
        raise SchemaError(f"the JSON schema cannot be used: {_line(wrong)}")
    return grammar


class Watcher(LogitsProcessor):
    """Masks the logits of every row by its matcher, and notes the log-probability of what was chosen.

    It must stand before temperature and the like: the noted figures are those of temperature 1, under the mask.

    Args:
        matchers: one per row; empty: nothing is masked.
        rows: sequences that are written side by side.
        begin: tokens of the prompt.
        ends: token ids that end a sequence.
    """

    def __init__(self, matchers: Sequence[LLMatcher], *, rows: int, begin: int, ends: Sequence[int]) -> None:
        self._matchers = matchers
        self._ends = frozenset(ends)
        self._seen = begin
        self._scores: torch.Tensor | None = None
        self.log_probabilities: list[list[float]] = [[] for _ in range(rows)]
        self._done = [False] * rows

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Mask the next token's logits, shape (rows, vocabulary)."""
        self.note(input_ids)
        for row, matcher in enumerate(self._matchers):
            if not self._done[row]:
                scores[row].masked_fill_(self._forbidden(matcher, scores.shape[-1]).to(scores.device), -torch.inf)
        self._scores = scores
        return scores

    def note(self, sequences: torch.Tensor) -> None:
        """Take what was chosen since the last call; to be called once more with the finished sequences.

        Raises:
            PolicyError: a token that the grammar does not have, which cannot be while the mask holds.
        """
        if self._scores is None or sequences.shape[1] <= self._seen:
            return
        chosen = sequences[:, self._seen]
        places = chosen[:, None].to(self._scores.device)  # of a model spread over devices, the last may be another
        known = self._scores.float().log_softmax(-1).gather(1, places)[:, 0].tolist()
        self._seen += 1
        for row, token in enumerate(chosen.tolist()):
            if self._done[row]:
                continue
            self.log_probabilities[row].append(known[row])
            if token in self._ends:
                self._done[row] = True
            elif self._matchers and not self._matchers[row].consume_token(token):
                raise PolicyError(f"constrained decoding failed: {_line(self._matchers[row].get_error())}")

    @staticmethod
    def _forbidden(matcher: LLMatcher, width: int) -> torch.Tensor:
        """True for every token that must not come next, shape (width,)."""
        bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")[:width]
        allowed = np.zeros(width, dtype=bool)
        allowed[: len(bits)] = bits
        return torch.from_numpy(~allowed)


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
