"""The small chat model: made from nothing, it answers the chat policies' prompt through their own back end."""

from __future__ import annotations

import json
from pathlib import Path

from secloop_ai.contracts import CAPS, Role
from secloop_ai.policies.chat import LocalOptions
from training.chat import LocalModel, load_weights
from training.chat_small import Recipe, conversations, encoded, make_tokenizer, train

RECIPE = Recipe(layers=1, hidden=32, heads=2, steps=2, batch=2)


def test_it_is_made_saved_and_answers_within_the_schema(tmp_path: Path) -> None:
    of = conversations(6, workers=1)
    (row,) = train(of, tmp_path / "model", RECIPE, seed=0)
    assert row["step"] == RECIPE.steps
    model = LocalModel(load_weights(tmp_path / "model", LocalOptions(device="cpu")))
    schema = {"type": "object", "properties": {"ok": {"enum": [1]}}, "required": ["ok"], "additionalProperties": False}
    (written,) = model.answer(of[0].messages, schema=schema, n=1, seed=0, temperature=0.0, max_tokens=16).written
    assert json.loads(written.text) == {"ok": 1}


def test_a_slot_is_one_token_and_the_answer_is_what_is_learned() -> None:
    (one, *_) = conversations(3, workers=1)
    tokenizer = make_tokenizer([m["content"] for m in one.messages])
    slots = [f"@{role.value}{n}" for role in Role for n in range(CAPS[role])]
    assert all(len(tokenizer(slot, add_special_tokens=False)["input_ids"]) == 1 for slot in slots)
    found = encoded(tokenizer, one)
    said = tokenizer.decode(found.tokens[found.answer_at :], skip_special_tokens=True)
    assert said == one.answer
    assert json.loads(said)["calls"]
