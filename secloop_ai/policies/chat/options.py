"""What stands behind a chat back end's name: ``...?option=value&option=value``."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar
from urllib.parse import parse_qsl

from pydantic import Field, ValidationError

from secloop_ai.contracts import PolicyError
from secloop_ai.contracts.base import Frozen

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ChatOptions(Frozen):
    """What holds for every chat back end.

    Attributes:
        tokens: an answer may have.
        temperature: of all candidates but the first, which is decoded greedily.
    """

    tokens: int = Field(default=1024, ge=64, le=32_768)
    temperature: float = Field(default=1.0, gt=0, le=2)


class ServerOptions(ChatOptions):
    """Of ``openai:``.

    Attributes:
        timeout_s: seconds without a byte from the server, per try.
        retries: further tries after a lost connection, a time-out, or status 408, 409, 429 or 5xx; with growing pauses.
        deadline_s: seconds for one decision, all requests, tries and pauses together.
        budget: tokens this policy may use in its life, prompts included; 0: no limit.
        structured: ``schema`` insists on the server holding answers to the JSON schema, ``prompt`` only asks for it in
            words, ``auto`` takes the second where the server refuses the first, and says so.
        logprobs: ask for log-probabilities, if the server has them.
    """

    timeout_s: Seconds = 30.0
    retries: int = Field(default=2, ge=0, le=10)
    deadline_s: Seconds = 120.0
    budget: int = Field(default=0, ge=0)
    structured: Literal["auto", "schema", "prompt"] = "auto"
    logprobs: bool = True


class LocalOptions(ChatOptions):
    """Of ``transformers:``.

    Attributes:
        decoding: ``constrained`` to the JSON schema, or ``unconstrained``: the prompt asks for it, nothing enforces it.
        device: as transformers' ``device_map``; ``auto`` takes the accelerators there are, else the CPU.
        dtype: ``auto`` is bfloat16 on an accelerator that has it, else float32.
        base: folder of the base model of a LoRA adapter, where it is not the one that the adapter names.
    """

    decoding: Literal["constrained", "unconstrained"] = "constrained"
    device: Annotated[str, Field(pattern=r"^(auto|cpu|(cuda|xpu)(:\d+)?)$")] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    base: str = ""


O = TypeVar("O", bound=ChatOptions)  # noqa: E741 - a type variable


def split_options(argument: str, kind: type[O], scheme: str) -> tuple[str, O]:
    """What stands before the ``?``, and the options behind it.

    Raises:
        PolicyError: an option is not known, given twice, or out of range; names it.
    """
    head, _, tail = argument.partition("?")
    try:
        pairs = parse_qsl(tail, keep_blank_values=True, strict_parsing=True) if tail else []
    except ValueError:
        raise PolicyError(f"{scheme}: options are written ?name=value&name=value, not ?{tail[:80]}") from None
    names = [name for name, _ in pairs]
    if twice := next((n for n in names if names.count(n) > 1), None):
        raise PolicyError(f"{scheme}: option {twice} is given twice")
    if unknown := next((n for n in names if n not in kind.model_fields), None):
        raise PolicyError(f"{scheme}: no option {unknown[:40]!r}; there are {', '.join(sorted(kind.model_fields))}")
    try:
        return head, kind.model_validate(dict(pairs))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise PolicyError(f"{scheme}: option {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
