"""The closed vocabulary: every word a prompt or an answer may hold. Nothing of an alert's text is among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from secloop_ai.contracts import (
    CAPS,
    CATALOGUE,
    RATES_BYTES_PER_S,
    RESERVED_TOOL_SLOTS,
    TTLS_S,
    ObserveReason,
    PolicyError,
    sha256_json,
)

from . import features

VERSION = 2
PAD, BOS, SEP, EOS, OTHER = "<pad>", "<bos>", "<sep>", "<eos>", "<other>"
SPECIAL = (PAD, BOS, SEP, EOS, OTHER)


def tool_word(tool: str) -> str:
    """The word that begins a call."""
    return f"do:{tool}"


def ttl_word(ttl_s: int) -> str:
    """The word that ends a call: its lifetime in seconds."""
    return f"ttl:{ttl_s}"


def value_word(parameter: str, value: str) -> str:
    """The word of an enumeration's value."""
    return f"{parameter}={value}"


@cache
def words() -> tuple[str, ...]:
    """Every word, in the order of the weights' rows."""
    tools = [tool_word(t) for t in CATALOGUE]
    reserved = [tool_word(f"reserved{n}") for n in range(RESERVED_TOOL_SLOTS)]
    slots = [f"@{role.value}{n}" for role, cap in CAPS.items() for n in range(cap)]
    rates = [value_word("rate", str(r)) for r in RATES_BYTES_PER_S]
    reasons = [value_word("reason", r.value) for r in ObserveReason]
    ends = [ttl_word(t) for t in TTLS_S]
    found = (*SPECIAL, *tools, *reserved, *slots, *rates, *reasons, *ends, *features.words())
    if len(set(found)) != len(found):
        twice = sorted({w for w in found if found.count(w) > 1})
        raise PolicyError(f"the policy's vocabulary holds twice: {', '.join(twice)}")
    return found


@cache
def ids() -> Mapping[str, int]:
    """Word → its row in the weights."""
    return {word: n for n, word in enumerate(words())}


def digest(of: Sequence[str] | None = None) -> str:
    """SHA-256 (hex) of a vocabulary: weights fit one alone."""
    return sha256_json([VERSION, *(words() if of is None else of)])
