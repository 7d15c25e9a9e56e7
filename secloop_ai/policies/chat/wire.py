"""What is read of a chat completion, and what of an error: bounded, and never with a secret in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from secloop_ai.contracts import PolicyError

from .answer import Reply

MAX_BYTES = 16 * 1024 * 1024
"""Of a server's answer."""


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Token(BaseModel):
    logprob: float


class _LogProbs(BaseModel):
    content: list[_Token] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None
    logprobs: _LogProbs | None = None

    def reply(self) -> Reply:
        """In our words."""
        tokens = (self.logprobs.content if self.logprobs else None) or []
        ended: Literal["stop", "length", "other"] = "stop"
        if self.finish_reason in ("length", "stop"):
            ended = "length" if self.finish_reason == "length" else "stop"
        elif self.finish_reason:
            ended = "other"
        refused = self.message.refusal is not None or self.finish_reason == "content_filter"
        return Reply(
            text=None if refused else self.message.content or "",
            ended=ended,
            log_probability=sum(t.logprob for t in tokens) if tokens else None,
            tokens=len(tokens),
        )


class _Usage(BaseModel):
    total_tokens: int = Field(default=0, ge=0)


class Completion(BaseModel):
    """The part of a server's chat completion that is used; servers add and omit much else."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None

    @property
    def replies(self) -> list[Reply]:
        """The answers, in the server's order."""
        return [c.reply() for c in self.choices]


async def body_of(chunks: AsyncIterator[bytes], server: str) -> bytes:
    """All of a body.

    Raises:
        PolicyError: it does not end.
    """
    found = bytearray()
    async for chunk in chunks:
        found += chunk
        if len(found) > MAX_BYTES:
            raise PolicyError(f"{server}: answered with more than {MAX_BYTES} bytes")
    return bytes(found)


def completion_of(body: bytes, server: str) -> Completion:
    """A body as a chat completion.

    Raises:
        PolicyError: it is none.
    """
    try:
        return Completion.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, first["loc"]))[:60]
        what = "not JSON" if first["type"] == "json_invalid" else f"wrong at {place or 'its top'}"
        raise PolicyError(f"{server}: answered with something that is no chat completion ({what})") from None


def said(error: Any, secret: str) -> str:
    """What a server said of an error, fit to be shown: short, printable, without the key."""
    body = getattr(error, "body", None)
    text = body.get("message") if isinstance(body, dict) else None
    text = str(text or error)
    shown = " ".join((text.replace(secret, "***") if secret else text).split())
    return "".join(c for c in shown if c.isprintable())[:200]
