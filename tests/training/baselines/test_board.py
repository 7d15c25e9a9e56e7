"""What the learners see and what they can say."""

from __future__ import annotations

import re

import numpy as np
import pytest

from secloop_ai.contracts import CATALOGUE
from secloop_ai.policies.embedded import Grammar, features, spell
from secloop_ai.policies.reflex import reflex
from training.baselines import observation, templates
from training.baselines.board import ACTIONS, OBSERVED, Board

from .world import tasks

QUIET = "observe"


def board(number: int = 0) -> Board:
    task = tasks()[number]
    return Board.of(task.prompt, task.request)


def test_every_tool_but_observe_has_templates_and_none_stands_twice() -> None:
    found = templates.templates()
    assert {t.tool for t in found} == set(CATALOGUE) - {QUIET}
    assert len(set(found)) == len(found) == templates.stop()


def test_a_mask_allows_exactly_what_the_grammar_can_spell() -> None:
    for task in tasks():
        grammar = Grammar(task.request)
        for call in templates.calls_of(task.request):
            if call:
                assert grammar.calls(tuple(spell((call,)))) == (call,)

    assert any(any(templates.calls_of(task.request)) for task in tasks())


def test_what_the_grammar_forbids_is_no_call() -> None:
    request = next(t.request for t in tasks() if any(s.handshake for s in t.request.summaries))
    bare = request.model_copy(update={"offered": ("block_ip", QUIET)})
    assert {c.tool for c in templates.calls_of(bare) if c} == {"block_ip"}
    lone = request.model_copy(update={"pointers": request.pointers.model_copy(update={"slots": ()})})
    assert not any(templates.calls_of(lone))


def test_several_calls_are_spelt_by_the_grammar_too() -> None:
    dice = np.random.default_rng(0)
    for number, task in enumerate(tasks()):
        here = board(number)
        said: list[int] = []
        while (chosen := int(dice.choice(np.flatnonzero(here.mask(said))))) != templates.stop():
            said.append(chosen)
        calls = here.answer(said)
        assert len(calls) == len({c.model_dump_json() for c in calls}) <= templates.MOST_CALLS
        if said:
            assert Grammar(task.request).calls(tuple(spell(calls))) == calls


def test_nothing_said_is_observe_and_a_full_answer_can_only_stop() -> None:
    here = board()
    assert [c.tool for c in here.answer(())] == [QUIET]
    said = [int(n) for n in np.flatnonzero(here.mask(()))[: here.most]]
    assert np.flatnonzero(here.mask(said)).tolist() == [templates.stop()]


def test_an_observation_is_facts_then_what_was_said_then_the_mask() -> None:
    here = board()
    first = int(np.flatnonzero(here.mask(()))[0])
    seen = here.observation((first,))
    assert seen.shape == (OBSERVED,)
    assert seen.dtype == np.uint8
    assert np.flatnonzero(seen[-2 * ACTIONS : -ACTIONS]).tolist() == [first]
    assert not seen[-ACTIONS:][first]
    assert np.array_equal(seen[: observation.width()], observation.see(tasks()[0].prompt))


def test_every_feature_of_a_prompt_has_its_mark() -> None:
    known = {name for block in observation.BLOCKS for name in block.groups}
    said = {word.partition(":")[0] for task in tasks() for word in task.prompt if ":" in word}
    assert said - {"do"} <= known  # what the reflex says has marks of its own
    assert known <= {word.partition(":")[0] for word in features.words()}


def test_what_the_reflex_says_is_marked_among_the_actions() -> None:
    told = 0
    for number, task in enumerate(tasks()):
        here, said = board(number), reflex(task.request)
        marks = np.flatnonzero(here.observation(())[observation.width() :][:ACTIONS]).tolist()
        if not said:
            assert marks == [templates.stop()]
        for mark in marks if said else ():
            call = here.calls[mark]
            assert call
            assert (call.tool, call.params) in [(c.tool, c.params) for c in said]
            told += 1
    assert told


def test_one_fact_more_or_less_of_what_has_a_place_changes_the_observation() -> None:
    prompt = tasks()[0].prompt
    before = observation.see(prompt)
    placed = True
    for n, word in enumerate(prompt):
        if word.startswith("<") and n + 1 < len(prompt):
            placed = re.fullmatch(r"@(host|svc|src)([4-9]|\d\d)", prompt[n + 1]) is None
        group, colon, _ = word.partition(":")
        other = next((w for w in features.words() if w.startswith(f"{group}:") and w != word), None)
        if colon and other and placed:
            assert not np.array_equal(observation.see((*prompt[:n], other, *prompt[n + 1 :])), before), word


@pytest.mark.parametrize("slot", ["@host31", "@src0"])
def test_a_slot_without_a_place_is_seen_elsewhere_or_not_at_all(slot: str) -> None:
    prompt = ("<bos>", "<alerts>", "all:1", "from:1", "<host>", slot.replace("src", "host"), "role:server", "<sep>")
    marks = observation.see(prompt).sum() - observation.see(prompt[:4]).sum()
    assert marks == (0 if slot == "@host31" else 3)
