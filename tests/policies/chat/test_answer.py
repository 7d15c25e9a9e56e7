"""Whatever a chat model writes becomes a candidate; what is no strategy is refused by the guard, and said."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secloop_ai.contracts import Candidate, GuardRefusal, PolicyRequest
from secloop_ai.loop.decide import decide, judge
from secloop_ai.policies.chat import ChatOptions, ChatPolicy, Prompt, Replies, Reply, candidates, read

OBSERVE = '{"calls":[{"tool":"observe","params":{"reason":"false_alarm"},"ttl_s":300}]}'
BLOCK = '{"calls":[{"tool":"block_ip","params":{"source":"@src0"},"ttl_s":3600}]}'


@pytest.mark.parametrize(
    "text",
    [
        OBSERVE,
        f"  \n{OBSERVE}\n",
        f"```json\n{OBSERVE}\n```",
        f"```\n{OBSERVE}\n```",
        f"<think>is it {{real}}?\n</think>\n\n{OBSERVE}",
        json.dumps(json.loads(OBSERVE), indent=4),
    ],
)
def test_an_answer_is_read(text: str) -> None:
    (call,) = read(Reply(text)).calls
    assert (call.tool, call.params, call.ttl_s) == ("observe", {"reason": "false_alarm"}, 300)


BAD = [
    (None, "stop", "the model refused to answer"),
    ("", "stop", "the answer is empty"),
    ("``` \n```", "stop", "the answer is empty"),
    ("<think>hm</think>", "stop", "the answer is empty"),
    ("I'm sorry, but I can't help with that.", "stop", "the answer is not JSON"),
    (BLOCK[:-5], "length", "the answer was cut off at the token limit"),
    (f"Sure! {BLOCK}", "stop", "the answer is not JSON"),
    (BLOCK + BLOCK, "stop", "the answer is not JSON"),
    ("[" * 5000, "stop", "the answer is not JSON"),
    ("null", "stop", "the answer is JSON, but not a strategy (at its top)"),
    ("[]", "stop", "the answer is JSON, but not a strategy (at its top)"),
    ('{"calls": []}', "stop", "the answer holds no call"),
    ('{"calls": "block"}', "stop", "the answer is JSON, but not a strategy (at calls)"),
    ('{"calls": [{"tool": "rm -rf /", "params": {}, "ttl_s": 300}]}', "stop",
     "the answer is JSON, but not a strategy (at calls.0.tool)"),
    ('{"calls": [{"tool": "block_ip", "params": {"source": "203.0.113.66"}, "ttl_s": 300}]}', "stop",
     "the answer is JSON, but not a strategy (at calls.0.params)"),
    ('{"calls": [{"tool": "block_ip", "params": {"source": "@src0"}, "ttl_s": "300"}]}', "stop",
     "the answer is JSON, but not a strategy (at calls.0.ttl_s)"),
    ('{"calls": [{"tool": "block_ip", "params": {"source": "@src0"}, "ttl_s": NaN}]}', "stop",
     "the answer is JSON, but not a strategy (at calls.0.ttl_s)"),
    (OBSERVE[:-1] + ', "evil-key": 1}', "stop", "the answer is JSON, but not a strategy (at its top)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "ended", "problem"), BAD)
def test_what_is_no_strategy_is_refused_and_named(
    text: str | None, ended: str, problem: str, asked: PolicyRequest
) -> None:
    (candidate,) = candidates([Reply(text, ended)], "chat")  # type: ignore[arg-type]  # a table's plain text
    assert candidate == Candidate(calls=(), score=0.0, rationale=f"chat; {problem}")
    _, verdict = judge(candidate, asked, "chat")
    assert {r.rule for r in verdict.refusals} == {"closed-schema"}


@given(st.text(max_size=200) | st.recursive(st.none() | st.text() | st.integers(), st.lists).map(json.dumps))
def test_nothing_that_is_written_is_an_exception(text: str) -> None:
    reading = read(Reply(text))
    assert bool(reading.calls) != bool(reading.problem)


def test_nothing_of_the_answer_is_in_the_rationale() -> None:
    (candidate,) = candidates(
        [Reply('{"calls": [{"tool": "x", "params": {"<b>pwn</b>": "A B"}, "ttl_s": 1}]}')], "chat"
    )
    assert "pwn" not in candidate.rationale


def test_equal_answers_count_once_and_bad_ones_stay() -> None:
    spaced = json.dumps(json.loads(BLOCK), indent=1)
    replies = [Reply(OBSERVE, log_probability=-9.0), Reply("no", log_probability=-1.0), Reply(BLOCK, "stop", -4.0),
               Reply(spaced, "stop", -6.0), Reply("", "stop", -2.0)]  # fmt: skip
    found = candidates(replies, "chat")
    assert [c.calls[0].tool if c.calls else "" for c in found] == ["observe", "block_ip", "", ""]
    assert [c.score for c in found] == [-9.0, -4.0, -1.0, -2.0]
    assert found[1].rationale == "chat; log-probability -4.00; answered 2 times"


def test_without_log_probabilities_the_order_is_the_score() -> None:
    assert [c.score for c in candidates([Reply(OBSERVE), Reply(BLOCK)], "chat")] == [0.0, -1.0]


class Scripted:
    """A back end that has its answers ready."""

    name, identity = "chat/scripted", {"model": "scripted"}

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def answer(self, prompt: Prompt, *, n: int, seed: int) -> Replies:
        assert (prompt.user, n > 0, seed) > ("", False, -1)
        return Replies(tuple(Reply(t) for t in self.texts))


def test_the_first_that_the_guard_allows_is_taken(asked: PolicyRequest) -> None:
    unknown = BLOCK.replace("@src0", "@src7")
    decision = decide(asked, ChatPolicy(Scripted(unknown, "no", BLOCK), ChatOptions()), candidates=3, seed=0)
    assert [a.spec.openc2 for a in decision.strategy.actions] == ["deny ipv4_net|ipv6_net"]
    assert len(decision.candidates) == 3
    assert [rule for _, refusals in decision.rejected for rule in {r.rule for r in refusals}] == ["closed-schema"]


def test_only_bad_answers_are_a_refusal(asked: PolicyRequest) -> None:
    with pytest.raises(GuardRefusal, match="closed-schema"):
        decide(asked, ChatPolicy(Scripted("no", ""), ChatOptions()), candidates=2, seed=0)
