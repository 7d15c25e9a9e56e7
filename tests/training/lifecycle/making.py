"""Weights that say what a test needs, and a ledger with a run in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from secloop_ai.contracts import Feedback, Policy, PolicyRequest
from secloop_ai.ledger import Ledger
from secloop_ai.loop.decide import decide
from secloop_ai.policies.embedded.vocabulary import SEP, digest, ids, tool_word, words
from tests.embedded.making import HIDDEN, config, weights
from training.tasks import Task, task_of

T0 = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def save(folder: Path, tensors: dict[str, Any]) -> Path:
    """A policy's folder with these weights."""
    folder.mkdir(parents=True)
    own = {"vocabulary_sha256": digest(), "tools": config()["secloop"]["tools"], "trained_words": list(words())}
    (folder / "config.json").write_text(json.dumps({**config(), "secloop": own}))
    save_file(tensors, folder / "model.safetensors")
    return folder


def wild(folder: Path, seed: int = 0) -> Path:
    """Weights at random: they act on whatever they are shown."""
    return save(folder, weights(seed))


def observer(folder: Path, tool: str = "observe") -> Path:
    """Weights that always observe: right on every false alarm, wrong on every attack; or that always use a tool."""
    found = weights(0)
    for name in found:
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            found[name] = np.zeros_like(found[name])
    embed = np.zeros((len(words()), HIDDEN), dtype=np.float32)
    embed[ids()[SEP], 0] = 1.0
    embed[ids()[tool_word(tool)], 0] = 8.0
    return save(folder, {**found, "model.embed_tokens.weight": embed, "model.norm.weight": np.ones(HIDDEN, np.float32)})


def a_task(scenario: str = "auto-sql-injection", seed: int = 1) -> Task:
    """A case of the train split."""
    from labs.suites import load_suite
    from labs.suites.cases import case_of

    return task_of(case_of(next(s for s in load_suite("autoattack") if s.name == scenario), seed))


def decided(ledger: Ledger, request: PolicyRequest, policy: Policy, turn: int = 0, **changes: Any) -> Feedback:
    """Have a policy decide and put the decision, and the Feedback of a run that carried it out, into the ledger."""
    made = decide(request, policy, candidates=16, seed=0)
    at = T0 + timedelta(minutes=turn)
    ledger.record_decision(made, request, now=at)
    values: dict[str, Any] = {
        "run_id": f"{turn:032x}",
        "incident_id": made.incident_id,
        "strategy_sha256": made.strategy.digest(),
        "status": "successful",
        "rc": 0,
        "changed": True,
        "rs_exe": 1.0,
        "rs_service": 1.0,
        "outcome": "confirmed",
    }
    feedback = Feedback.model_validate({**values, **changes})
    ledger.record_feedback(feedback, now=at + timedelta(seconds=20))
    return feedback
