"""One forward pass for answers that share their question: the question once, then all its answers on its cache.

A question is some hundred words and an answer a dozen, and a group asks the same thing G times; the gradient flows
through the cache, so that the figures are those of the plain pass.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CACHE = ("cache", "past_key_values")
"""What transformers calls a model's memory of earlier words, now and before."""


def answer_logits(model: Any, input_ids: Tensor, attention_mask: Tensor, words: int) -> Tensor:
    """Logits (B, C, V) of each answer's words, by the plain pass.

    Args:
        model: causal.
        input_ids: (B, P + C), questions filled up on their left, answers on their right.
        attention_mask: the same shape.
        words: C.
    """
    out = model(input_ids=input_ids, attention_mask=attention_mask, logits_to_keep=words + 1)
    found: Tensor = out.logits[:, :-1]
    return found


def shared_logits(model: Any, input_ids: Tensor, attention_mask: Tensor, words: int) -> Tensor:
    """The same, each question being read once."""
    asked, which = torch.unique(input_ids[:, :-words], dim=0, return_inverse=True)
    seen = torch.empty_like(asked)
    seen[which] = attention_mask[:, :-words]
    first = model(input_ids=asked, attention_mask=seen, use_cache=True, logits_to_keep=1)
    name = next(n for n in CACHE if n in first)
    first[name].batch_select_indices(which)
    opening = first.logits[which]
    if words == 1:
        found: Tensor = opening
        return found
    known = {"attention_mask": attention_mask[:, :-1], name: first[name], "use_cache": True}
    rest = model(input_ids=input_ids[:, -words:-1], **known)
    return torch.cat([opening, rest.logits], dim=1)
