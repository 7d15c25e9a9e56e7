"""The policy that ships: a small transformer over the closed vocabulary, run by NumPy alone."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load

from secloop_ai.contracts import Candidate, PolicyError, PolicyRequest

from .encode import Prompt, encode, shown
from .grammar import Grammar
from .network import Network, Shape
from .sampler import Answer, sample
from .store import live
from .vocabulary import VERSION, digest, words

SHIPPED = Path(__file__).with_name("weights")
WEIGHTS, CONFIG = "model.safetensors", "config.json"
SAMPLED = 4
"""Answers sampled per candidate that is wanted, where there are several, as equal ones count once."""


class EmbeddedPolicy:
    """Answers with slots and enumerations, under the grammar of the request.

    Args:
        folder: ``config.json`` and ``model.safetensors``, as transformers saves them; by default the shipped ones.

    Raises:
        PolicyError: a file is missing, cut off, of another vocabulary, or not a model.
    """

    def __init__(self, folder: Path = SHIPPED) -> None:
        config = _config(folder / CONFIG)
        self._known = frozenset(_listed(config, "trained_words", folder) or words())
        self._spoken = _listed(config, "tools", folder)
        raw = _bytes(folder / WEIGHTS)
        self._digest = hashlib.sha256(raw).hexdigest()
        shape = Shape.of(config)
        if shape.words != len(words()):
            have = f"vocab_size is {shape.words}, this version's vocabulary has {len(words())} words"
            raise PolicyError(f"{folder / CONFIG}: {have}")
        self._network = Network(shape, _tensors(raw, folder / WEIGHTS))

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
            PolicyError: `n` is less than one, or nothing that the policy knows is offered.
        """
        if n < 1:
            raise PolicyError(f"embedded: asked for {n} candidates")
        prompt = encode(request)
        seen = shown(prompt.words, self._known)
        grammar = Grammar(request, self._spoken, room=self._network.shape.positions - len(seen))
        first, *others = self._different(seen, grammar, n, seed)
        ranked = (first, *sorted(others, key=lambda a: -a.log_probability))[:n]
        left = _left(prompt, request)
        return tuple(_candidate(a, grammar, left) for a in ranked)

    def probability(self, candidate: Candidate) -> float:
        """How likely this answer of its own is, under the grammar at temperature 1."""
        return math.exp(min(candidate.score, 0.0))

    def _different(self, seen: tuple[str, ...], grammar: Grammar, n: int, seed: int) -> list[Answer]:
        """Answers, each once, the greedy one first: at most `n` times SAMPLED. What they begin alike is read once."""
        drawn = sample(self._network, grammar, seen, n=n * SAMPLED if n > 1 else 1, seed=seed)
        return list({a.words: a for a in drawn}.values())


def _candidate(answer: Answer, grammar: Grammar, left: str) -> Candidate:
    said = f"embedded policy; log-probability {answer.log_probability:.2f}"
    return Candidate(calls=grammar.calls(answer.words), score=answer.log_probability, rationale=said + left)


def _left(prompt: Prompt, request: PolicyRequest) -> str:
    """What the policy was not shown, or had no pointer for."""
    unseen = ", ".join(f"{n} {kind}" for kind, n in prompt.left_out.items())
    nameless = ", ".join(f"{n} {role}" for role, n in request.pointers.left_out.items())
    rows = (("not shown to it for want of room", unseen), ("without a pointer", nameless))
    return "".join(f"; {told}: {what}" for told, what in rows if what)


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


def _listed(config: Mapping[str, Any], key: str, folder: Path) -> tuple[str, ...]:
    found = config["secloop"].get(key, [])
    if not isinstance(found, list) or not all(isinstance(f, str) for f in found):
        raise PolicyError(f"{folder / CONFIG}: secloop.{key} is not a list of words")
    return tuple(found)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}: the embedded policy's weights") from None


def _tensors(raw: bytes, path: Path) -> Mapping[str, Any]:
    try:
        return load(raw)
    except (SafetensorError, ValueError, TypeError, KeyError) as error:
        raise PolicyError(f"{path}: not a whole safetensors file: {error}") from None


def load_embedded(argument: str) -> EmbeddedPolicy:
    """The policy of a folder; without one that of the live weights, promoted or shipped."""
    return EmbeddedPolicy(Path(argument)) if argument else live(EmbeddedPolicy, SHIPPED, EmbeddedPolicy.digest)
