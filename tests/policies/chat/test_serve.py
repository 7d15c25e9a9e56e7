"""The project's own server, a real process: asked by its own client and by plain HTTP."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest

from secloop_ai.contracts import PolicyError, PolicyRequest
from secloop_ai.loop.decide import decide, judge
from secloop_ai.policies import load_policy

from .conftest import Served

ONE: dict[str, Any] = {"model": "tiny", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 8}


def call(served: Served, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
    parts = urlsplit(served.url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    try:
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def chat(served: Served, **changes: Any) -> tuple[int, dict[str, Any]]:
    return call(served, "POST", "/v1/chat/completions", ONE | changes)


def test_it_lists_its_model(served: Served) -> None:
    status, body = call(served, "GET", "/v1/models")
    assert status == 200
    assert [m["id"] for m in body["data"]] == [served.model] == ["tiny"]
    assert call(served, "GET", "/health") == (200, {"status": "ok"})
    assert call(served, "GET", "/v1/nothing")[0] == 404


def test_the_client_gets_valid_strategies(served: Served, train_requests: tuple[PolicyRequest, ...]) -> None:
    policy = load_policy(served.policy())
    for asked in train_requests[::10]:
        found = policy.propose(asked, n=3, seed=3)
        assert all(c.calls and c.score < 0 for c in found), [c.rationale for c in found]
        rules = {r.rule for c in found for r in judge(c, asked, policy.name)[1].refusals}
        assert "closed-schema" not in rules


def test_the_client_and_the_local_policy_agree(served: Served, tiny: Path, asked: PolicyRequest) -> None:
    """One prompt, one grammar, one seed: the same candidates with the same log-probabilities."""
    near, far = load_policy(f"transformers:{tiny}"), load_policy(served.policy())
    for one, other in zip(near.propose(asked, n=5, seed=4), far.propose(asked, n=5, seed=4), strict=True):
        assert one.calls == other.calls
        assert one.score == pytest.approx(other.score, abs=1e-3)


def test_a_decision_through_the_loop(served: Served, asked: PolicyRequest) -> None:
    decision = decide(asked, load_policy(served.policy()), candidates=24, seed=1)
    assert decision.verdict.allowed
    assert decision.strategy.policy == "openai/tiny"


def test_prompt_only_is_checked(served: Served, asked: PolicyRequest) -> None:
    found = load_policy(served.policy(structured="prompt", tokens=64)).propose(asked, n=2, seed=1)
    assert all(c.calls == () and "asked for in words only" in c.rationale for c in found)


def test_seed_n_and_log_probabilities(served: Served) -> None:
    bodies = [chat(served, n=3, seed=s, logprobs=True)[1] for s in (1, 1, 2)]
    texts = [[c["message"]["content"] for c in b["choices"]] for b in bodies]
    assert texts[0] == texts[1] != texts[2]
    assert len(set(texts[0])) == 3
    content = bodies[0]["choices"][0]["logprobs"]["content"]
    assert len(content) == 8
    assert all(t["logprob"] <= 0 for t in content)
    usage = bodies[0]["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + 24
    cold = chat(served, n=2, temperature=0)[1]["choices"]
    assert cold[0]["message"] == cold[1]["message"]
    assert cold[0]["finish_reason"] == "length"
    assert cold[0]["logprobs"] is None


@pytest.mark.parametrize("kind", ["json_schema", "json_object"])
def test_response_formats(served: Served, kind: str) -> None:
    schema = {"type": "object", "properties": {"a": {"enum": [1, 22, 333]}}, "required": ["a"],
              "additionalProperties": False}  # fmt: skip
    form = {"type": kind, "json_schema": {"name": "x", "schema": schema, "strict": True}}
    _, body = chat(served, response_format=form, n=8, max_tokens=64)
    done = [c["message"]["content"] for c in body["choices"] if c["finish_reason"] == "stop"]
    for text in done:
        jsonschema.validate(json.loads(text), schema if kind == "json_schema" else {"type": "object"})
    assert kind == "json_object" or len(done) == 8


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"model": "gpt"}, 404, "no model 'gpt'"),
        ({"messages": []}, 400, "messages: "),
        ({"messages": [{"role": "wizard", "content": "x"}]}, 400, "messages.0.role: "),
        ({"n": 65}, 400, "n: "),
        ({"temperature": -1}, 400, "temperature: "),
        ({"stream": True}, 400, "stream: not offered"),
        ({"stop": ["x"]}, 400, "stop: not offered"),
        ({"tools": [{}]}, 400, "tools: not offered"),
        ({"max_tokens": 30_000}, 400, "do not fit the model's window"),
        ({"response_format": {"type": "json_schema"}}, 400, "json_schema is missing"),
        ({"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "spaceship"}}}}, 400,
         "the JSON schema cannot be used"),
    ],
)  # fmt: skip
def test_what_it_refuses(served: Served, changes: dict[str, Any], status: int, message: str) -> None:
    found, body = chat(served, **changes)
    assert (found, message in body["error"]["message"]) == (status, True), body


def test_bodies_that_are_none(served: Served) -> None:
    path = "/v1/chat/completions"
    assert call(served, "POST", path, b"{")[0] == 400
    assert call(served, "POST", path, b"", **{"Content-Length": "99999999999"})[0] == 413
    assert call(served, "POST", path, b"", **{"Content-Length": "-1"})[0] == 411
    assert call(served, "GET", "/health")[0] == 200, "it is still there"


def test_requests_side_by_side(served: Served) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda s: chat(served, seed=s)[1]["choices"][0]["message"], (1, 2, 1, 2)))
    assert found[0] == found[2] != found[1] == found[3]


def test_the_library_of_others_can_use_it(served: Served) -> None:
    import openai

    with openai.OpenAI(base_url=served.url, api_key="none") as client:
        assert [m.id for m in client.models.list()] == ["tiny"]
        answer = client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "x"}], max_tokens=4)
    assert answer.usage
    assert answer.usage.completion_tokens <= 4


def test_a_context_that_is_too_short_for_the_client(served: Served, asked: PolicyRequest) -> None:
    with pytest.raises(PolicyError, match=r"status 400: .*do not fit the model's window of 16384"):
        load_policy(served.policy(tokens=20_000)).propose(asked, n=1, seed=0)


def test_an_unknown_model(served: Served, asked: PolicyRequest) -> None:
    with pytest.raises(PolicyError, match=r"status 404: .*no model 'big'; there is 'tiny'"):
        load_policy(f"openai:big@{served.url}").propose(asked, n=1, seed=0)


def test_it_does_not_start(
    tiny: Path, tmp_path: Path, served: Served, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.serve import main

    monkeypatch.delenv("SECLOOP_SERVE_KEY", raising=False)
    for arguments, message in (
        ([str(tmp_path / "absent")], "absent is no folder"),
        ([str(tiny), "--host", "0.0.0.0"], "set a key in the environment (SECLOOP_SERVE_KEY)"),
        ([str(tiny), "--port", str(urlsplit(served.url).port)], "in use"),
        ([str(tiny), "--port", "77777"], "--port 77777: "),
        ([str(tiny), "--waiting", "0"], "must be more than 0"),
        ([f"{tiny}?device=gpu"], "serve: option device: "),
    ):
        assert main(arguments) == 1
        assert message in capsys.readouterr().err


def test_a_key_is_asked_for_and_too_many_are_sent_away(tiny: Path, asked: PolicyRequest) -> None:
    """In this process, on a free port of the loopback address; the only room is taken by hand."""
    from secloop_ai.policies.chat import LocalOptions
    from training.chat import LocalModel, load_weights
    from training.chat.server import ChatServer, Terms

    model = LocalModel(load_weights(tiny, LocalOptions()))
    with ChatServer(("127.0.0.1", 0), model, Terms("tiny", key="s3cret", waiting=1)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        near = Served(f"http://127.0.0.1:{server.server_address[1]}/v1", "tiny", Path())
        right = {"Authorization": "Bearer s3cret"}
        try:
            assert chat(near)[0] == 401
            assert call(near, "POST", "/v1/chat/completions", ONE, Authorization="Bearer s3cre")[0] == 401
            assert call(near, "GET", "/health")[0] == 200
            assert call(near, "POST", "/v1/chat/completions", ONE, **right)[0] == 200
            with server.room:
                status, body = call(near, "POST", "/v1/chat/completions", ONE, **right)
                assert (status, body["error"]["message"]) == (503, "too many requests are waiting")
        finally:
            server.shutdown()
            thread.join()
