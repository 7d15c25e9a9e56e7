"""How quick the embedded policy decides, by the size of its network.

    python -m benchmarks.policy_latency [--shape 4,160,5,432]... [--incidents 200] [--cold-starts 5] [--json]

Layers, hidden, heads, middle. Each shape gets random weights: what they say is of no use, and longer than what trained
ones say, so that these are upper bounds. Without a shape the shipped weights are measured, if they are there, beside
three drawn ones. `secloop policy bench` measures one policy.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from benchmarks.table import show
from secloop_ai.cli.policy_bench import bench
from secloop_ai.contracts import CATALOGUE, SecLoopError
from secloop_ai.policies.embedded.policy import CONFIG, SHIPPED, WEIGHTS
from secloop_ai.policies.embedded.vocabulary import digest, words

SHAPES = ("4,128,4,344", "4,160,5,432", "4,192,6,512")
POSITIONS = 512
SPREAD = 0.08
"""Standard deviation of the weights."""


def draw(folder: Path, layers: int, hidden: int, heads: int, middle: int) -> int:
    """Write a network with random weights, as float16; gives the number of its parameters."""
    dice = np.random.default_rng(0)

    def drawn(*size: int) -> Any:
        return dice.normal(0, SPREAD, size).astype(np.float16)

    found = {"model.embed_tokens.weight": drawn(len(words()), hidden), "model.norm.weight": 1 + drawn(hidden)}
    for number in range(layers):
        at = f"model.layers.{number}."
        found |= {f"{at}self_attn.{x}_proj.weight": drawn(hidden, hidden) for x in "qkvo"}
        found |= {f"{at}mlp.{x}_proj.weight": drawn(middle, hidden) for x in ("gate", "up")}
        found |= {f"{at}mlp.down_proj.weight": drawn(hidden, middle)}
        found |= {f"{at}{x}_layernorm.weight": 1 + drawn(hidden) for x in ("input", "post_attention")}
    save_file(found, folder / WEIGHTS)
    config = {
        "model_type": "llama",
        "tie_word_embeddings": True,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "intermediate_size": middle,
        "vocab_size": len(words()),
        "max_position_embeddings": POSITIONS,
        "rms_norm_eps": 1e-5,
        "rope_theta": 10_000.0,
        "secloop": {"vocabulary_sha256": digest(), "tools": list(CATALOGUE)},
    }
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    return sum(int(tensor.size) for tensor in found.values())


def drawn_row(shape: str, incidents: int, cold_starts: int) -> dict[str, Any]:
    """The row of a shape."""
    with TemporaryDirectory() as folder:
        sizes = [int(part) for part in shape.split(",")]
        parameters = draw(Path(folder), *sizes)
        row = bench(f"embedded:{folder}", incidents=incidents, cold_starts=cold_starts)
    return {"weights": f"drawn {shape}", "parameters": parameters, **_without_names(row)}


def _without_names(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in {"policy", "digest"}}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", action="append", help="LAYERS,HIDDEN,HEADS,MIDDLE; several may be given")
    parser.add_argument("--incidents", type=int, default=200)
    parser.add_argument("--cold-starts", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    try:
        if not options.shape and (SHIPPED / WEIGHTS).exists():
            row = bench("embedded", incidents=options.incidents, cold_starts=options.cold_starts)
            rows.append({"weights": row["policy"], "parameters": None, **_without_names(row)})
        rows += [drawn_row(shape, options.incidents, options.cold_starts) for shape in options.shape or SHAPES]
    except (SecLoopError, ValueError, TypeError) as error:
        print(f"policy latency: {error}", file=sys.stderr)
        return 1
    show(rows, as_json=options.json, title="one decision, guard included, on one thread")
    return 0


if __name__ == "__main__":
    sys.exit(main())
