"""The chat policy: one prompt and one reading of answers, whoever the model is run by."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from secloop_ai.contracts import Candidate, PolicyError, PolicyRequest, sha256_json

from .answer import Reply, candidates
from .options import ChatOptions
from .prompt import SYSTEM, VERSION, Prompt, build_prompt


class Replies(NamedTuple):
    """Answers, the greedy one first, and what is to be said of all of them."""

    replies: tuple[Reply, ...]
    note: str = ""


class ChatBackend(Protocol):
    """What runs a chat model."""

    @property
    def name(self) -> str:
        """Back end and model, for the audit."""

    @property
    def identity(self) -> dict[str, str]:
        """What decides beside the prompt and the options, for the digest: model, weights, server."""

    def answer(self, prompt: Prompt, *, n: int, seed: int) -> Replies:
        """`n` answers: one greedy, the others sampled by the seed.

        Raises:
            PolicyError: it could not answer.
        """


class ChatPolicy:
    """Asks a chat model and reads its answers; a candidate is whatever it said, and the guard judges it."""

    def __init__(self, backend: ChatBackend, options: ChatOptions) -> None:
        self._backend = backend
        self._options = options

    @property
    def name(self) -> str:
        """Back end and model, for the audit."""
        return self._backend.name

    def digest(self) -> str:
        """SHA-256 (hex) of model, prompt template and options."""
        own = {"template": VERSION, "system": SYSTEM, "options": self._options.model_dump(mode="json")}
        return sha256_json({**own, **self._backend.identity})

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
        """Up to `n` candidates, the greedy answer first; equal answers count once, and say how often they came.

        Raises:
            PolicyError: `n` is less than one, or the back end could not answer.
        """
        if n < 1:
            raise PolicyError(f"{self.name}: asked for {n} candidates")
        prompt = build_prompt(request, max_tokens=self._options.tokens)
        replies, note = self._backend.answer(prompt, n=n, seed=seed)
        left = ", ".join(f"{count} {kind}" for kind, count in prompt.left_out.items())
        parts = [self.name[:120], note, f"not shown to it for want of room: {left}" if left else ""]
        return candidates(replies, "; ".join(p for p in parts if p))
