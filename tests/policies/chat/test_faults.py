"""``openai:`` against a real server that is down, slow, broken or hostile: an error that says what, or a refusal."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import pytest

from secloop_ai.contracts import GuardRefusal, PolicyError, PolicyRequest, Protocol
from secloop_ai.loop.decide import decide
from secloop_ai.policies import load_policy
from secloop_ai.policies.chat import wire
from tests.policies.samples import DNS, SCANNER, request, summary

from .faults import FaultServer, cut, drip, error, garbage, hang, raw, says
from .test_answer import BLOCK, OBSERVE

SECRET = "sk-very-secret-0001"
QUICK: dict[str, object] = {"retries": 0}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)


def ask(name: str, asked: PolicyRequest, n: int = 1, seed: int = 5) -> Any:
    return load_policy(name).propose(asked, n=n, seed=seed)


def test_a_sound_answer(faulty: FaultServer, asked: PolicyRequest) -> None:
    policy = load_policy(faulty.policy(says(BLOCK)))
    decision = decide(asked, policy, candidates=1, seed=5)
    assert policy.name == decision.strategy.policy == "openai/some/model:7b"
    assert decision.for_people()[0]["source"] == "203.0.113.66/32"
    (body,) = faulty.seen
    assert (body["model"], body["seed"], body["temperature"], body["max_tokens"]) == ("some/model:7b", 5, 0.0, 1024)
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["calls"]
    assert [m["role"] for m in body["messages"]] == ["system", "user"]
    assert faulty.keys == [f"Bearer {SECRET}"]


def test_down(asked: PolicyRequest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(PolicyError, match=rf"openai/m at http://127.0.0.1:{port}/v1: cannot be reached: "):
        ask(f"openai:m@http://127.0.0.1:{port}/v1?retries=0", asked)
    with pytest.raises(PolicyError, match=r"cannot be reached \(tried 2 times\)"):
        ask(f"openai:m@http://127.0.0.1:{port}/v1?retries=1", asked)


def test_slow(faulty: FaultServer, asked: PolicyRequest) -> None:
    with pytest.raises(PolicyError, match=r"no answer within 0.2 s$"):
        ask(faulty.policy(hang, timeout_s=0.2, **QUICK), asked)
    assert len(faulty.seen) == 1
    with pytest.raises(PolicyError, match=r"no answer within 0.2 s \(tried 2 times\)"):
        ask(faulty.policy(hang, timeout_s=0.2, retries=1), asked)
    assert len(faulty.seen) == 3


def test_slow_once(faulty: FaultServer, asked: PolicyRequest) -> None:
    (found,) = ask(faulty.policy(hang, says(OBSERVE), timeout_s=0.5, retries=1), asked)
    assert found.calls[0].tool == "observe"


def test_an_answer_that_never_ends_is_cut_by_the_deadline(faulty: FaultServer, asked: PolicyRequest) -> None:
    with pytest.raises(PolicyError, match=r"no whole answer within 0.5 s"):
        ask(faulty.policy(drip, deadline_s=0.5, **QUICK), asked)


def test_streaming_garbage(faulty: FaultServer, asked: PolicyRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_BYTES", 1_000_000)
    with pytest.raises(PolicyError, match="answered with more than 1000000 bytes"):
        ask(faulty.policy(garbage, **QUICK), asked)


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (b"", "application/json", "not JSON"),
        (b"<html>welcome to the printer</html>", "text/html", "not JSON"),
        (b'data: {"choices": []}\n\n', "text/event-stream", "not JSON"),
        (b"\xff\xfe\x00", "application/json", "not JSON"),
        (b"[" * 100_000, "application/json", "not JSON"),
        (b"[]", "application/json", "wrong at its top"),
        (b'{"object": "list"}', "application/json", "wrong at choices"),
        (b'{"choices": []}', "application/json", "wrong at choices"),
        (b'{"choices": [{"message": {"content": 7}}]}', "application/json", "wrong at choices.0.message.content"),
    ],
)  # fmt: skip
def test_wrong_json(faulty: FaultServer, asked: PolicyRequest, body: bytes, kind: str, message: str) -> None:
    with pytest.raises(PolicyError, match=rf"no chat completion \({message}\)"):
        ask(faulty.policy(raw(body, 200, kind), **QUICK), asked)


def test_cut_off(faulty: FaultServer, asked: PolicyRequest) -> None:
    with pytest.raises(PolicyError, match=r"openai/some/model:7b at http://127.0.0.1:.*: the answer broke off: "):
        ask(faulty.policy(cut, **QUICK), asked)
    (found,) = ask(faulty.policy(cut, says(BLOCK), retries=1), asked)
    assert found.calls[0].tool == "block_ip"


def test_500_then_well(faulty: FaultServer, asked: PolicyRequest) -> None:
    (found,) = ask(faulty.policy(error(500, "out of memory"), error(503, "busy"), says(BLOCK), retries=2), asked)
    assert found.calls[0].tool == "block_ip"
    assert len(faulty.seen) == 3


def test_500_for_ever(faulty: FaultServer, asked: PolicyRequest) -> None:
    with pytest.raises(PolicyError, match=r"status 500: .*out of memory.* \(tried 2 times\)"):
        ask(faulty.policy(error(500, "out of memory"), retries=1), asked)
    assert len(faulty.seen) == 2


@pytest.mark.parametrize(("status", "message"), [(401, "wrong key"), (404, "no such model"), (403, "not yours")])
def test_an_error_of_ours_is_not_tried_again(
    faulty: FaultServer, asked: PolicyRequest, status: int, message: str
) -> None:
    with pytest.raises(PolicyError, match=f"status {status}: .*{message}"):
        ask(faulty.policy(error(status, message)), asked)
    assert len(faulty.seen) == 1


def test_the_key_is_in_no_message_and_no_log(
    faulty: FaultServer, asked: PolicyRequest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(PolicyError, match=r"wrong key \*\*\*") as caught:
        ask(faulty.policy(error(401, f"wrong key {SECRET}\x1b[31m")), asked)
    assert SECRET not in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert SECRET not in caplog.text
    assert "/v1" in caplog.text, "the log did see the request"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (says("I'm sorry, but I can't help with attacking networks."), "the answer is not JSON"),
        (says(None, refusal="I can't help with that."), "the model refused to answer"),
        (says("", finish="content_filter"), "the model refused to answer"),
        (says(""), "the answer is empty"),
        (says(BLOCK[:30], finish="length"), "the answer was cut off at the token limit"),
    ],
)
def test_a_refusing_model_is_a_refused_candidate(
    faulty: FaultServer, asked: PolicyRequest, answer: Any, said: str
) -> None:
    policy = load_policy(faulty.policy(answer))
    with pytest.raises(GuardRefusal, match="closed-schema") as caught:
        decide(asked, policy, candidates=1, seed=0)
    assert caught.value.verdict.candidates[0].rationale == f"openai/some/model:7b; {said}"


@pytest.mark.parametrize(
    ("tool", "params", "ttl_s"),
    [
        ("block_ip", {"source": "@src9"}, 300),
        ("block_ip", {"source": "@dev0"}, 300),
        ("block_ip", {"source": "@src0", "reason": "false_alarm"}, 300),
        ("block_ip", {"source": "@src0"}, 301),
        ("format_disk", {"host": "@host0"}, 300),
        ("stop_process", {"host": "@host0", "process": "sshd"}, 300),
    ],
)
def test_unknown_ids_are_refused_under_closed_schema(
    faulty: FaultServer, asked: PolicyRequest, tool: str, params: dict[str, str], ttl_s: int
) -> None:
    said = str({"calls": [{"tool": tool, "params": params, "ttl_s": ttl_s}]}).replace("'", '"')
    with pytest.raises(GuardRefusal) as caught:
        decide(asked, load_policy(faulty.policy(says(said))), candidates=1, seed=0)
    assert {r.rule for r in caught.value.verdict.verdict.refusals} == {"closed-schema"}


def test_an_action_on_a_protected_host_is_refused(faulty: FaultServer) -> None:
    asked = request(summary(SCANNER), summary(DNS, port=53, protocol=Protocol.TCP, signature_id=2))
    slots = {str(s.address): s.slot for s in asked.pointers.slots if s.address}
    for address in (SCANNER, DNS):
        with pytest.raises(GuardRefusal) as caught:
            decide(
                asked, load_policy(faulty.policy(says(BLOCK.replace("@src0", slots[address])))), candidates=1, seed=0
            )
        assert "protected-set" in {r.rule for r in caught.value.verdict.verdict.refusals}


def test_a_server_without_json_schema(faulty: FaultServer, asked: PolicyRequest) -> None:
    """It is asked in words instead, once and for all; and that is said."""

    def picky(handler: Any) -> None:
        refused = [k for k in ("response_format", "logprobs") if k in handler.body]
        (error(400, f"unknown parameter {refused[0]}") if refused else says(f"```json\n{BLOCK}\n```"))(handler)

    policy = load_policy(faulty.policy(picky))
    (found,) = policy.propose(asked, n=1, seed=0)
    assert found.calls[0].tool == "block_ip"
    assert "JSON schema not taken by the server: answers were checked, not held to it" in found.rationale
    before = len(faulty.seen)
    policy.propose(asked, n=1, seed=0)
    assert len(faulty.seen) == before + 1, "what the server does not take is not asked again"
    with pytest.raises(PolicyError, match=r"status 400: .*unknown parameter response_format"):
        ask(faulty.policy(picky, structured="schema"), asked)
    (found,) = ask(faulty.policy(picky, structured="prompt"), asked)
    assert "JSON schema asked for in words only" in found.rationale


def test_a_request_that_no_form_helps(faulty: FaultServer, asked: PolicyRequest) -> None:
    with pytest.raises(PolicyError, match=r"status 400: .*context length is 2048"):
        ask(faulty.policy(error(400, "context length is 2048")), asked)


def test_several_candidates_of_a_server_that_gives_one_at_a_time(faulty: FaultServer, asked: PolicyRequest) -> None:
    def one(handler: Any) -> None:
        handler.body["n"] = 1
        says(OBSERVE if handler.body["seed"] == 7 else BLOCK)(handler)

    policy = load_policy(faulty.policy(one))
    found = policy.propose(asked, n=4, seed=5)
    assert [(c.calls[0].tool, c.rationale.partition("; ")[2]) for c in found] == [
        ("block_ip", "answered 3 times"),
        ("observe", ""),
    ]
    assert [b["temperature"] for b in faulty.seen] == [0.0, 1.0, 1.0, 1.0]
    assert sorted(b["seed"] for b in faulty.seen[2:]) == [7, 8]


def test_several_candidates_of_a_server_that_refuses_n(faulty: FaultServer, asked: PolicyRequest) -> None:
    def strict(handler: Any) -> None:
        (error(400, "n must be 1") if handler.body.get("n", 1) > 1 else says(BLOCK))(handler)

    (found,) = ask(faulty.policy(strict), asked, n=3)
    assert "answered 3 times" in found.rationale


def test_more_answers_than_asked_for(faulty: FaultServer, asked: PolicyRequest) -> None:
    def many(handler: Any) -> None:
        handler.body["n"] = 5
        says(BLOCK, OBSERVE, BLOCK, "no", "no")(handler)

    assert len(ask(faulty.policy(many), asked, n=1)) == 1


@pytest.mark.parametrize(("counted", "spent"), [(10_000, "10000"), (0, r"\d{4}")])
def test_the_budget_is_not_exceeded(faulty: FaultServer, asked: PolicyRequest, counted: int, spent: str) -> None:
    """By the server's own count; by an estimate where it does not count."""
    policy = load_policy(faulty.policy(says(BLOCK, usage=counted), budget=12_000 if counted else 5_000))
    policy.propose(asked, n=1, seed=0)
    with pytest.raises(PolicyError, match=rf"the token budget of \d+ does not allow another request \({spent} spent\)"):
        policy.propose(asked, n=1, seed=0)
    assert len(faulty.seen) == 1
    with pytest.raises(PolicyError, match=r"the token budget of 1000 does not allow another request \(0 spent\)"):
        ask(faulty.policy(says(BLOCK), budget=1000), asked)
    assert len(faulty.seen) == 1, "nothing was sent"


def test_no_candidates(faulty: FaultServer, asked: PolicyRequest) -> None:
    with pytest.raises(PolicyError, match="asked for 0 candidates"):
        ask(faulty.policy(says(BLOCK)), asked, n=0)


def test_inside_an_event_loop(faulty: FaultServer, asked: PolicyRequest) -> None:
    async def caller() -> Any:
        return ask(faulty.policy(says(BLOCK)), asked)

    (found,) = asyncio.run(caller())
    assert found.calls[0].tool == "block_ip"
