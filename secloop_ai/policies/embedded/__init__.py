"""The embedded policy: closed vocabulary, typed pointers, grammar-constrained decoding, no torch."""

from __future__ import annotations

from .encode import Prompt, encode
from .grammar import Grammar, spell
from .policy import EmbeddedPolicy, load_embedded
from .sampler import Answer, sample

__all__ = ["Answer", "EmbeddedPolicy", "Grammar", "Prompt", "encode", "load_embedded", "sample", "spell"]
