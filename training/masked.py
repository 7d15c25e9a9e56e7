"""Log-probabilities under the grammar, in torch: what the sampler has in NumPy, with a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

NONE = -1
"""Fills the rows of allowed ids."""


class Masked(NamedTuple):
    """Per word, (B, C): log-probability of the word that was said, and the entropy of the choice; both natural."""

    logps: Tensor
    entropies: Tensor


def pack(allowed: Sequence[Sequence[Sequence[int]]], words: int, pad: int) -> Tensor:
    """Allowed ids as one tensor (B, C, K), rows filled up with `NONE`.

    Args:
        allowed: for each answer and each of its words.
        words: C, of the longest answer.
        pad: the id that fills up answers: there it is the only one allowed, so that it weighs nothing.
    """
    most = max(len(choice) for answer in allowed for choice in answer)
    rest = [pad, *[NONE] * (most - 1)]
    rows = [
        [*([*choice, *rest[1 : most - len(choice) + 1]] for choice in answer), *[rest] * (words - len(answer))]
        for answer in allowed
    ]
    return torch.tensor(rows, dtype=torch.long)


def masked(logits: Tensor, said: Tensor, allowed: Tensor) -> Masked:
    """Log-probabilities among the allowed words; one that alone may come has exactly 0, and no gradient.

    Args:
        logits: (B, C, V), of the words that were said.
        said: (B, C), their ids.
        allowed: (B, C, K), as :func:`pack` gives it.
    """
    gone = allowed == NONE
    scores = logits.float().gather(-1, allowed.clamp_min(0)).masked_fill(gone, -torch.inf)
    logs = scores.log_softmax(dim=-1)
    chosen = (allowed == said.unsqueeze(-1)).float().argmax(dim=-1, keepdim=True)
    logps = logs.gather(-1, chosen).squeeze(-1)
    finite = logs.masked_fill(gone, 0.0)
    return Masked(logps, -(finite.exp().masked_fill(gone, 0.0) * finite).sum(dim=-1))
