"""Whatever a network says to whatever prompt, what comes out is a strategy of the request's schema."""

from __future__ import annotations

import random
from itertools import islice, product

import pytest

from secloop_ai.contracts import CATALOGUE, Candidate, PolicyError, PolicyRequest
from secloop_ai.loop.decide import build_request, judge
from secloop_ai.policies import choices, resolve
from secloop_ai.policies.embedded import Grammar, sample, spell
from secloop_ai.policies.embedded.grammar import MAX_WORDS
from secloop_ai.policies.embedded.vocabulary import EOS, words
from tests.policies.samples import environment, summary, with_access

from .asked import BUT_OBSERVE, odd, tiny

ASKED, PARTS = 10_000, 4
PROMPT = 24
"""Words of a drawn prompt: a network with random weights learns nothing from more."""


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_ten_thousand_questions_have_valid_answers(all_requests: list[PolicyRequest], part: int) -> None:
    dice = random.Random(part)
    networks = [tiny(n) for n in range(5)]
    grammars = [(r, Grammar(r)) for r in all_requests]
    tools: set[str] = set()
    for number in range(part, ASKED, PARTS):
        request, grammar = grammars[dice.randrange(len(grammars))]
        prompt = dice.choices(words(), k=PROMPT) if number % 7 else [EOS] * PROMPT
        (answer,) = sample(networks[number % 5], grammar, prompt, n=1, seed=number, greedy_first=number % 2 == 0)
        calls = grammar.calls(answer.words)
        assert resolve(Candidate(calls=calls), request, "tiny").problems == ()
        assert len(answer.words) <= MAX_WORDS
        tools |= {c.tool for c in calls}
    assert tools > CATALOGUE.keys() - {"deploy_hids", "enforce_apparmor", "patch_vulnerability"}


@pytest.mark.parametrize("name", odd())
def test_oddities_have_answers(name: str) -> None:
    request = odd()[name]
    grammar = Grammar(request)
    dice = random.Random(5)
    for _ in range(60):
        said: list[str] = []
        while not said or said[-1] != EOS:
            said.append(dice.choice(grammar.allowed(said)))
        calls = grammar.calls(said)
        assert resolve(Candidate(calls=calls), request, "walk").problems == ()
        assert list(spell(calls)) == said
        assert len({(c.tool, *c.params.values()) for c in calls}) == len(calls) <= request.environment.max_actions
        assert len(calls) == 1 or all(c.tool != "observe" for c in calls)


def test_nothing_that_the_guard_would_allow_is_forbidden(train_requests: list[PolicyRequest]) -> None:
    """Of single calls that the schema of chat models admits; of flows and ports it speaks as of a server's alone."""
    for request in train_requests[::4]:
        grammar = Grammar(request)
        for tool in request.offered:
            for found in choices(tool, request):
                for values in islice(product(*found.values()), 40):
                    call = {"tool": tool, "params": dict(zip(found, values, strict=True)), "ttl_s": 300}
                    candidate = Candidate.model_validate({"calls": [call]})
                    spoken = _speakable(grammar, candidate)
                    assert not spoken or not resolve(candidate, request, "any").problems
                    if "port" not in found and judge(candidate, request, "any")[1].allowed:
                        assert spoken, call


def _speakable(grammar: Grammar, candidate: Candidate) -> bool:
    try:
        return grammar.calls(list(spell(candidate.calls))) == candidate.calls
    except PolicyError:
        return False


def test_a_sinkhole_needs_a_resolver() -> None:
    request = odd()["a sinkhole on no resolver"]
    grammar = Grammar(request)
    assert "dns_sinkhole" in grammar.tools
    hosts = {s.slot: s.host for s in request.pointers.slots if s.host}
    assert {hosts[w] for w in grammar.allowed(["do:dns_sinkhole"])} == {"dns"}


def test_only_observe_is_said_at_once() -> None:
    request = odd()["only observe"]
    grammar = Grammar(request)
    assert grammar.allowed([]) == ("do:observe",)
    assert grammar.allowed(["do:observe", "reason=false_alarm", "ttl:300"]) == (EOS,)


def test_nothing_to_say_is_an_error() -> None:
    network = environment(not_offered={**BUT_OBSERVE, "observe": "not here either"})
    with pytest.raises(PolicyError, match="no action that this policy knows is offered"):
        Grammar(build_request((summary(),), network))
    with pytest.raises(PolicyError, match="no action that this policy knows"):
        Grammar(build_request((summary(),), environment(not_offered={"observe": "no"})), ("observe",))


def test_an_answer_keeps_to_the_room_there_is() -> None:
    request = build_request((summary(),), with_access())
    longest = Grammar(request, room=11)
    said = ["do:block_ip", "@src0", "ttl:300", "do:block_ip", "@host0", "ttl:300"]
    assert longest.allowed(said) == (EOS,)
    assert len(Grammar(request).allowed(said)) > 1
    with pytest.raises(PolicyError, match="no room for an answer: 5 words are left"):
        Grammar(request, room=5)


def test_no_call_is_said_twice_with_another_lifetime() -> None:
    grammar = Grammar(build_request((summary(),), with_access()))
    again = [*("do:block_ip", "@src0", "ttl:300"), "do:block_ip"]
    assert "@src0" not in grammar.allowed(again)
    with pytest.raises(PolicyError, match="'@src0' where another word of the call belongs"):
        grammar.allowed([*again, "@src0"])
    with pytest.raises(PolicyError, match="where nothing belongs"):
        grammar.allowed(["do:observe", "reason=false_alarm", "ttl:300", EOS, EOS])
