"""``transformers:``: constrained decoding is valid by construction, whatever the weights."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from secloop_ai.contracts import GuardRefusal, PolicyError, PolicyRequest
from secloop_ai.loop.decide import decide
from secloop_ai.policies import load_policy, resolve
from secloop_ai.policies.chat import LocalOptions, build_prompt

from .tiny import NO_SYSTEM, make_adapter, make_model, renamed_base

torch = pytest.importorskip("torch", reason="the extra train is not installed (torch)")


def local(folder: Path, **options: Any) -> Any:
    from training.chat import LocalModel, load_weights

    return LocalModel(load_weights(folder, LocalOptions(**options)))


def written(model: Any, asked: PolicyRequest, **changes: Any) -> Any:
    prompt = build_prompt(asked, max_tokens=1024)
    fields: dict[str, Any] = {"schema": prompt.schema, "n": 3, "seed": 1, "temperature": 1.0, "max_tokens": 1024}
    return model.answer(prompt.messages, **(fields | changes)).written


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_constrained_answer_fits_the_schema(tiny: Path, train_requests: tuple[PolicyRequest, ...]) -> None:
    """Random weights, requests of all five suites' train split, hot sampling: 100 % valid."""
    model = local(tiny)
    lengths = set()
    for number, asked in enumerate(train_requests):
        prompt = build_prompt(asked, max_tokens=512)
        for answer in model.answer(
            prompt.messages, schema=prompt.schema, n=2, seed=number, temperature=1.5, max_tokens=512
        ).written:
            assert answer.ended == "stop"
            found = json.loads(answer.text)
            jsonschema.validate(found, prompt.schema)
            lengths.add(len(found["calls"]))
    assert len(train_requests) >= 25
    assert len(lengths) > 1, "strategies of one length only would prove little"


def test_a_strategy_is_whole_however_few_tokens_there_are(tiny: Path, asked: PolicyRequest) -> None:
    policy = load_policy(f"transformers:{tiny}?tokens=128&temperature=2")
    for candidate in policy.propose(asked, n=12, seed=3):
        assert len(candidate.calls) == 1, candidate.rationale
        assert resolve(candidate, asked, policy.name).problems == ()


def test_the_policy_answers_the_same_for_the_same_seed(tiny: Path, asked: PolicyRequest) -> None:
    policy = load_policy(f"transformers:{tiny}")
    first, again, other = (policy.propose(asked, n=6, seed=s) for s in (1, 1, 2))
    assert first == again != other
    assert first[0] == other[0], "the greedy answer does not depend on the seed"
    assert [c.score for c in first[1:]] == sorted((c.score for c in first[1:]), reverse=True)
    assert policy.name == f"transformers/{tiny.name}"
    assert policy.digest() == load_policy(f"transformers:{tiny}").digest()
    assert policy.digest() != load_policy(f"transformers:{tiny}?decoding=unconstrained").digest()


def test_the_caller_keeps_its_random_state(tiny: Path, asked: PolicyRequest) -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    written(local(tiny), asked)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("constrained", [True, False])
def test_log_probabilities_are_those_of_the_masked_model(tiny: Path, asked: PolicyRequest, constrained: bool) -> None:
    """Computed again in one pass over the whole answer, with the mask of a fresh matcher."""
    import numpy as np
    from llguidance import LLMatcher

    from training.chat.constrain import grammar_of

    model = local(tiny)
    prompt = build_prompt(asked, max_tokens=1024)
    schema = prompt.schema if constrained else None
    answer = model.answer(prompt.messages, schema=schema, n=2, seed=9, temperature=0.7, max_tokens=48).written[1]
    inputs = model._encode(prompt.messages)["input_ids"]
    begin = inputs.shape[1]
    ids = [p.token for p in answer.pieces]
    whole = torch.cat([inputs, torch.tensor([ids])], dim=1)
    with torch.inference_mode():
        logits = model._model(whole).logits[0, begin - 1 : -1]
    logits = logits.clone()
    matcher = LLMatcher(model._words, grammar_of(prompt.schema, model._words)) if constrained else None
    for row, (token, _, known) in enumerate(answer.pieces):
        if matcher:
            bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), np.uint8), bitorder="little")
            allowed = torch.zeros(logits.shape[-1], dtype=torch.bool)
            allowed[: len(bits)] = torch.from_numpy(bits[: logits.shape[-1]].astype(bool))
            logits[row][~allowed] = -torch.inf
        assert math.isclose(logits[row].log_softmax(-1)[token].item(), known, abs_tol=1e-4)
        if matcher and token not in model._ends:
            assert matcher.consume_token(token)


def test_unconstrained_decoding_is_checked_and_said(tiny: Path, asked: PolicyRequest) -> None:
    policy = load_policy(f"transformers:{tiny}?decoding=unconstrained&tokens=64")
    with pytest.raises(GuardRefusal, match="closed-schema") as caught:
        decide(asked, policy, candidates=3, seed=0)
    found = caught.value.verdict.candidates
    assert len(found) == 3
    assert all("decoding unconstrained" in c.rationale and c.calls == () for c in found)


def test_an_adapter(tiny: Path, tmp_path: Path, asked: PolicyRequest) -> None:
    pytest.importorskip("peft", reason="peft is not installed")
    adapter = make_adapter(tmp_path / "lora", tiny)
    policy, plain = load_policy(f"transformers:{adapter}"), load_policy(f"transformers:{tiny}")
    changed = policy.propose(asked, n=1, seed=0)[0]
    assert resolve(changed, asked, policy.name).problems == ()
    assert changed.score != plain.propose(asked, n=1, seed=0)[0].score
    assert policy.digest() != plain.digest()
    renamed_base(adapter, "somebody/else-7b")
    with pytest.raises(PolicyError, match=r"its base model somebody/else-7b is no folder here; .*[?]base=FOLDER"):
        load_policy(f"transformers:{adapter}")
    assert load_policy(f"transformers:{adapter}?base={tiny}").propose(asked, n=1, seed=0)[0].calls == changed.calls


@pytest.mark.parametrize("template", [None, NO_SYSTEM])
def test_other_templates(tmp_path: Path, texts: tuple[str, ...], asked: PolicyRequest, template: str | None) -> None:
    """A base model without a chat template, and one whose template knows no system role."""
    model = local(make_model(tmp_path / "other", texts[:1], template=template))
    text = model._tokenizer.decode(model._encode(build_prompt(asked, max_tokens=1024).messages)["input_ids"][0])
    assert "## Alerts" in text
    assert "You are the decision step" in text
    assert json.loads(written(model, asked)[0].text)["calls"]


def test_a_template_that_takes_nothing(tmp_path: Path, texts: tuple[str, ...], asked: PolicyRequest) -> None:
    model = local(make_model(tmp_path / "other", texts[:1], template="{{ raise_exception('never') }}"))
    with pytest.raises(PolicyError, match="its chat template does not take the messages: never"):
        written(model, asked)


def test_a_prompt_too_long_for_the_window(tmp_path: Path, texts: tuple[str, ...], asked: PolicyRequest) -> None:
    folder = make_model(tmp_path / "short", texts[:1], positions=1100)
    with pytest.raises(PolicyError, match=r"tokens of prompt and 1024 of answer do not fit the model's window of 1100"):
        load_policy(f"transformers:{folder}").propose(asked, n=1, seed=0)


def test_low_precision(tiny: Path, asked: PolicyRequest) -> None:
    model = local(tiny, dtype="bfloat16", device="cpu")
    assert model._model.dtype == torch.bfloat16
    assert json.loads(written(model, asked)[0].text)["calls"]


def test_what_is_no_model(tmp_path: Path, tiny: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    cut = tmp_path / "cut"
    cut.mkdir()
    for file in tiny.iterdir():
        (cut / file.name).write_bytes(file.read_bytes()[: -100 if file.suffix == ".safetensors" else None])
    nameless = tmp_path / "adapter"
    nameless.mkdir()
    (nameless / "adapter_config.json").write_text("{}")
    for name, message in {
        "transformers:": "write transformers:PATH",
        f"transformers:{tmp_path}/absent": "absent is no folder",
        f"transformers:{empty}": "empty: cannot be loaded as a causal language model: ",
        f"transformers:{cut}": "cut: cannot be loaded as a causal language model: ",
        f"transformers:{nameless}": "adapter_config.json: names no base model",
    }.items():
        with pytest.raises(PolicyError, match=message):
            load_policy(name)
    if not torch.accelerator.is_available():
        with pytest.raises(PolicyError, match="there is no device cuda:0 here"):
            load_policy(f"transformers:{tiny}?device=cuda:0")
