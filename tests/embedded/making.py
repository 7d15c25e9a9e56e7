"""Small models with drawn weights, and requests of the suites' train split."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from labs.scenario import Split, Suite
from labs.simulator import FastField
from labs.suites import load_suite
from labs.suites.cases import case_of
from secloop_ai.contracts import CATALOGUE, PolicyRequest
from secloop_ai.loop.decide import build_request
from secloop_ai.policies.embedded.network import Shape
from secloop_ai.policies.embedded.vocabulary import digest, words

HIDDEN, LAYERS, HEADS, MIDDLE, POSITIONS = 32, 2, 4, 48, 512


def config() -> dict[str, Any]:
    return {
        "model_type": "llama",
        "tie_word_embeddings": True,
        "num_hidden_layers": LAYERS,
        "hidden_size": HIDDEN,
        "num_attention_heads": HEADS,
        "intermediate_size": MIDDLE,
        "vocab_size": len(words()),
        "max_position_embeddings": POSITIONS,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10_000.0,
        "secloop": {"vocabulary_sha256": digest(), "tools": list(CATALOGUE)},
    }


def weights(seed: int = 0) -> dict[str, Any]:
    dice = np.random.default_rng(seed)

    def drawn(*shape: int) -> Any:
        return dice.normal(0, 0.3, shape).astype(np.float32)

    found = {"model.embed_tokens.weight": drawn(len(words()), HIDDEN), "model.norm.weight": 1 + drawn(HIDDEN)}
    for n in range(LAYERS):
        at = f"model.layers.{n}."
        found |= {f"{at}self_attn.{x}_proj.weight": drawn(HIDDEN, HIDDEN) for x in "qkvo"}
        found |= {f"{at}mlp.{x}_proj.weight": drawn(MIDDLE, HIDDEN) for x in ("gate", "up")}
        found |= {f"{at}mlp.down_proj.weight": drawn(HIDDEN, MIDDLE)}
        found |= {f"{at}{x}_layernorm.weight": 1 + drawn(HIDDEN) for x in ("input", "post_attention")}
    return found


def shape() -> Shape:
    return Shape.of(config())


def saved(folder: Path, *, changed: Mapping[str, Any] | None = None, seed: int = 0) -> Path:
    """A model's folder; `changed` entries of the configuration replace the right ones."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**config(), **(changed or {})}), encoding="utf-8")
    save_file(weights(seed), folder / "model.safetensors")
    return folder


def requests(seed: int = 3) -> list[PolicyRequest]:
    """One of every train scenario."""
    scenarios = [s for suite in Suite for s in load_suite(suite) if s.split is Split.TRAIN]
    fields = (FastField(case_of(s, seed)) for s in scenarios)
    return [build_request(f.alerts(), f.case.environment) for f in fields]
