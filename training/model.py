"""The embedded policy's network in torch: made, saved as the base install reads it, handed to NumPy for rollouts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from secloop_ai.contracts import CATALOGUE
from secloop_ai.contracts.base import Frozen
from secloop_ai.policies.embedded.network import Network, Shape
from secloop_ai.policies.embedded.policy import CONFIG, WEIGHTS
from secloop_ai.policies.embedded.vocabulary import BOS, EOS, PAD, digest, ids, words


class Size(Frozen):
    """How large a network is.

    Attributes:
        middle: width of the gated unit.
        positions: words of a prompt and its answer, at most.
    """

    layers: int = 4
    hidden: int = 128
    heads: int = 4
    middle: int = 344
    positions: int = 480


def new_model(size: Size, seed: int) -> LlamaForCausalLM:
    """A network with random weights; equal arguments give equal weights."""
    torch.manual_seed(seed)
    index = ids()
    config = LlamaConfig(
        vocab_size=len(words()),
        hidden_size=size.hidden,
        intermediate_size=size.middle,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=size.positions,
        tie_word_embeddings=True,
        pad_token_id=index[PAD],
        bos_token_id=index[BOS],
        eos_token_id=index[EOS],
    )
    return LlamaForCausalLM(config)


def save_policy(model: LlamaForCausalLM, folder: Path, *, card: Mapping[str, Any], known: frozenset[str]) -> str:
    """Write ``config.json`` and float16 ``model.safetensors``; gives the SHA-256 (hex) of the weights.

    Args:
        model: its tied output matrix is not written twice.
        folder: made when it is not there.
        card: kept in the configuration beside what inference needs: how the weights came about.
        known: words that training showed; others are shown to the model as their group's rest.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.to(torch.float16).contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    own = {"vocabulary_sha256": digest(), "tools": list(CATALOGUE), "trained_words": sorted(known), "card": dict(card)}
    config = {**model.config.to_dict(), "architectures": ["LlamaForCausalLM"], "secloop": own}
    (folder / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()


def load_model(folder: Path) -> LlamaForCausalLM:
    """The network of a folder, in float32, by transformers' own loading."""
    return cast("LlamaForCausalLM", AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32))


def network_of(model: LlamaForCausalLM) -> Network:
    """The same network in NumPy, with today's weights."""
    state = {k: v.detach().float().cpu().numpy() for k, v in model.state_dict().items()}
    return Network(Shape.of(model.config.to_dict()), state)
