"""Puts trained weights into the package, with a model card that is written from their own record.

python -m training.ship var/train/policy

The curves of the run they came from, which lie beside them, go to the results.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

from secloop_ai.contracts.errors import InputError
from secloop_ai.policies.embedded.policy import CONFIG, SHIPPED, WEIGHTS, EmbeddedPolicy
from secloop_ai.policies.embedded.vocabulary import VERSION, words

from .evaluation import RESULTS
from .evaluation.logs import CURVES, rows

CARD = "README.md"
MOST_BYTES = 15_000_000


def ship(folder: Path, to: Path = SHIPPED) -> Path:
    """Copy weights and configuration, and write the card beside them.

    Raises:
        InputError: the weights are larger than what may be shipped.
        PolicyError: they cannot be used.
    """
    policy = EmbeddedPolicy(folder)
    if (size := (folder / WEIGHTS).stat().st_size) > MOST_BYTES:
        raise InputError(f"{folder / WEIGHTS}: {size} bytes; at most {MOST_BYTES} are shipped")
    to.mkdir(parents=True, exist_ok=True)
    for name in (WEIGHTS, CONFIG):
        (to / name).write_bytes((folder / name).read_bytes())
    config = json.loads((to / CONFIG).read_text(encoding="utf-8"))
    (to / CARD).write_text("\n".join(card(config, policy.digest(), size)) + "\n", encoding="utf-8")
    return to / CARD


def card(config: Mapping[str, Any], digest: str, size: int) -> Iterator[str]:
    """The model card's lines."""
    own = config["secloop"]
    yield "# Model card: the embedded policy"
    yield ""
    yield "A causal transformer over a closed vocabulary; `secloop_ai.policies.embedded` runs it without torch, and"
    yield "`AutoModelForCausalLM.from_pretrained` loads it. It answers incidents in slots and enumerations."
    yield "Written by `python -m training.ship`; figures on the suites stand in `docs/results.md`."
    yield ""
    yield from _table(
        {
            "weights": f"`{WEIGHTS}`, {size / 1e6:.2f} MB, float16",
            "SHA-256": f"`{digest}`",
            "architecture": f"Llama, {config['num_hidden_layers']} layers, hidden {config['hidden_size']}, "
            f"{config['num_attention_heads']} heads, gated unit {config['intermediate_size']}, tied embeddings",
            "vocabulary": f"version {VERSION}, {len(words())} words, SHA-256 `{own['vocabulary_sha256'][:16]}`",
            "positions": config["max_position_embeddings"],
            "trained from nothing by": "`make train`",
        }
    )
    yield ""
    yield "## How it came about"
    yield ""
    for stage in own["card"].get("stages", [own["card"]]):
        yield from _table({k: v if isinstance(v, str) else json.dumps(v) for k, v in stage.items()})
        yield ""
    yield "## What it is for, and what not"
    yield ""
    yield "It reads features of alerts and of the inventory, never text. It saw the networks, means and address plans"
    yield "of the suites' train split alone, and means drawn at random. It was never asked about networks with more"
    yield "than a few gateways, nor about IPv6 attacks. The guard judges every answer, and `observe` is always among"
    yield "the things it can say. The roles of hosts weigh much: a scanner that the inventory does not call one is"
    yield "answered like an attacker."


def _table(facts: Mapping[str, Any]) -> Iterator[str]:
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {name} | {value} |" for name, value in facts.items())


def keep_curves(run: Path, to: Path = RESULTS) -> list[Path]:
    """Keep what a run of :mod:`training.pipeline` logged: SFT's looks, and SA-GRPO's rounds as one curve.

    Returns:
        The files written; none where the folder is no such run.

    Raises:
        InputError: a log holds something else than JSON lines.
    """
    logs = {"sft": rows(run / "sft" / "curve.jsonl"), "sa-grpo": []}
    for number in count(1):
        if not (journal := rows(run / f"round-{number}" / "run" / "journal.jsonl")):
            break
        done = logs["sa-grpo"][-1]["step"] if logs["sa-grpo"] else 0
        logs["sa-grpo"] += [{**line, "step": line["step"] + done} for line in journal]
    written = []
    for name, log in logs.items():
        if log:
            path = to / CURVES / f"{name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("".join(f"{json.dumps(line)}\n" for line in log), encoding="utf-8")
            written.append(path)
    return written


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m training.ship", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    for path in (ship(folder), *keep_curves(folder.parent)):
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
