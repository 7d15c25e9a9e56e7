"""The policy that ships: a small transformer over the closed vocabulary, run by NumPy alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load

from secloop_ai.contracts import Candidate, PolicyError, PolicyRequest

from .encode import Prompt, encode
from .features import REST
from .grammar import Grammar
from .network import Network, Shape
from .sampler import Answer, sample
from .vocabulary import OTHER, VERSION, digest, ids, words

SHIPPED = Path(__file__).with_name("weights")
WEIGHTS, CONFIG = "model.safetensors", "config.json"
SAMPLED = 4
"""Answers sampled per candidate that is wanted, as equal ones count once."""


class EmbeddedPolicy:
    """Answers with slots and enumerations, under the grammar of the request.

    Args:
        folder: ``config.json`` and ``model.safetensors``, as transformers saves them; by default the shipped ones.

    Raises:
        PolicyError: a file is missing, cut off, of another vocabulary, or not a model.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        config = _config(folder / CONFIG)
        self._known = frozenset(config["secloop"].get("trained_words") or words())
        self._spoken = tuple(config["secloop"]["tools"])
        raw = _bytes(folder / WEIGHTS)
        self._digest = hashlib.sha256(raw).hexdigest()
        self._network = Network(Shape.of(config), _tensors(raw, folder / WEIGHTS))

    @property
    def name(self) -> str:
        """Name, vocabulary version and the weights' first digits, for the audit."""
        return f"embedded/{VERSION}-{self._digest[:8]}"

    def digest(self) -> str:
        """SHA-256 (hex) of the weights file."""
        return self._digest

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
        """The likeliest answer first, then up to `n` - 1 others; equal request and seed give equal candidates.

        Raises:
            PolicyError: `n` is less than one.
        """
        if n < 1:
            raise PolicyError(f"embedded: asked for {n} candidates")
        prompt = encode(request)
        grammar = Grammar(request, self._spoken)
        asked = 1 if n == 1 else n * SAMPLED
        answers = sample(self._network, grammar, self._shown(prompt), n=asked, seed=seed)
        first, *others = dict.fromkeys(a.words for a in answers)
        score = {a.words: a.log_probability for a in answers}
        ranked = (first, *sorted(others, key=lambda w: -score[w]))[:n]
        return tuple(_candidate(Answer(w, score[w]), grammar, prompt) for w in ranked)

    def _shown(self, prompt: Prompt) -> tuple[str, ...]:
        """The prompt with words that training never showed as their group's rest: an untrained row says nothing."""
        return tuple(w if w in self._known else _rest(w) for w in prompt.words)


def _rest(word: str) -> str:
    group, _, _ = word.partition(":")
    rest = f"{group}:{REST}"
    return rest if rest in ids() else OTHER if group == word else word


def _candidate(answer: Answer, grammar: Grammar, prompt: Prompt) -> Candidate:
    left = ", ".join(f"{n} {kind}" for kind, n in prompt.left_out.items())
    said = f"embedded policy; log-probability {answer.log_probability:.2f}"
    return Candidate(
        calls=grammar.calls(answer.words),
        score=answer.log_probability,
        rationale=f"{said}; not shown to it for want of room: {left}" if left else said,
    )


def _config(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}: the embedded policy's configuration") from None
    except ValueError:
        raise PolicyError(f"{path}: not JSON") from None
    own = found.get("secloop") if isinstance(found, dict) else None
    if not isinstance(own, dict) or "vocabulary_sha256" not in own:
        raise PolicyError(f"{path}: not of a SecLoop policy: it names no vocabulary")
    if own["vocabulary_sha256"] != digest():
        have, want = str(own["vocabulary_sha256"])[:12], digest()[:12]
        raise PolicyError(f"{path}: these weights speak another vocabulary ({have}, this version's is {want})")
    return dict(found)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}: the embedded policy's weights") from None


def _tensors(raw: bytes, path: Path) -> Mapping[str, Any]:
    try:
        return load(raw)
    except (SafetensorError, ValueError, KeyError) as error:
        raise PolicyError(f"{path}: not a whole safetensors file: {error}") from None


def load_embedded(argument: str) -> EmbeddedPolicy:
    """The shipped policy, or that of a folder."""
    return EmbeddedPolicy(Path(argument)) if argument else EmbeddedPolicy()
