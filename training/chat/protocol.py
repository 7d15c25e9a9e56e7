"""The part of the OpenAI chat protocol that the local server speaks; what it does not honour it refuses by name."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from secloop_ai.contracts import PolicyError

from .model import Answers, Written

MOST_ANSWERS = 64
MOST_TOKENS = 32_768
ANY_OBJECT: dict[str, Any] = {"type": "object"}
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "stream": (False, None), "top_p": (1, None), "stop": (None, []), "tools": (None, []), "functions": (None, []),
    "frequency_penalty": (0, None), "presence_penalty": (0, None), "logit_bias": (None, {}), "top_logprobs": (0, None),
}  # fmt: skip
"""Parameters that are not honoured → the values with which they ask for nothing."""


class RequestError(PolicyError):
    """A request that the protocol, or this server, does not allow; names the parameter."""


class TextPart(BaseModel):
    """A piece of a message."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """One message; parts are joined."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]

    def plain(self) -> dict[str, str]:
        """As chat templates want it."""
        text = self.content if isinstance(self.content, str) else "".join(p.text for p in self.content)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class NamedSchema(BaseModel):
    """A JSON schema with its name."""

    model_config = ConfigDict(populate_by_name=True)
    name: str = ""
    of: dict[str, Any] = Field(alias="schema")


class ResponseFormat(BaseModel):
    """What the answer must look like."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: NamedSchema | None = None

    @property
    def schema_of(self) -> dict[str, Any] | None:
        """The JSON schema that decoding is held to; None: free text."""
        if self.type == "json_schema":
            if self.json_schema is None:
                raise RequestError("response_format: json_schema is missing")
            return self.json_schema.of
        return ANY_OBJECT if self.type == "json_object" else None


class ChatRequest(BaseModel):
    """A request for a chat completion.

    Attributes:
        seed: None: another one each time.
    """

    model: str
    messages: Annotated[list[Message], Field(min_length=1)]
    max_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    max_completion_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    temperature: float = Field(default=1.0, ge=0, le=2)
    n: int = Field(default=1, ge=1, le=MOST_ANSWERS)
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    logprobs: bool = False
    response_format: ResponseFormat = ResponseFormat(type="text")

    @property
    def answer_tokens(self) -> int:
        """Tokens an answer may have."""
        return self.max_completion_tokens or self.max_tokens or 1024

    @property
    def drawn_seed(self) -> int:
        """The seed, drawn where none was given."""
        return secrets.randbits(32) if self.seed is None else self.seed


def request_of(body: bytes) -> ChatRequest:
    """A body as a request.

    Raises:
        RequestError: not JSON, against the protocol, or asking for what is not honoured.
    """
    try:
        request = ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise RequestError(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"[:200]) from None
    raw = _Loose.model_validate_json(body).model_extra or {}
    for name, neutral in NEUTRAL.items():
        if name in raw and raw[name] not in neutral:
            raise RequestError(f"{name}: not offered by this server")
    return request


class _Loose(BaseModel):
    model_config = ConfigDict(extra="allow")


def completion(request: ChatRequest, answers: Answers) -> dict[str, Any]:
    """The body of the response."""
    written = sum(len(w.pieces) for w in answers.written)
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.model,
        "choices": [_choice(n, w, logprobs=request.logprobs) for n, w in enumerate(answers.written)],
        "usage": {
            "prompt_tokens": answers.prompt_tokens,
            "completion_tokens": written,
            "total_tokens": answers.prompt_tokens + written,
        },
    }


def _choice(index: int, written: Written, *, logprobs: bool) -> dict[str, Any]:
    tokens = [
        {"token": p.text, "logprob": p.log_probability, "bytes": list(p.text.encode()), "top_logprobs": []}
        for p in written.pieces
    ]
    return {
        "index": index,
        "message": {"role": "assistant", "content": written.text, "refusal": None},
        "finish_reason": written.ended,
        "logprobs": {"content": tokens, "refusal": None} if logprobs else None,
    }


def models(name: str, created: int) -> dict[str, Any]:
    """The list of models: this one."""
    return {"object": "list", "data": [{"id": name, "object": "model", "created": created, "owned_by": "secloop"}]}


def failure(message: str, kind: str) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}
