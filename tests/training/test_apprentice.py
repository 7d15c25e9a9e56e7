"""The apprentice's answers are right, sturdy where they say so, and spelled by the grammar."""

from __future__ import annotations

from labs.scenario import Kind
from labs.scenario.draw import rng
from labs.simulator import FastField
from secloop_ai.contracts import Candidate
from secloop_ai.loop.decide import judge
from secloop_ai.policies.embedded import Grammar
from secloop_ai.policies.embedded.vocabulary import words
from training.apprentice import label
from training.corpus import DRAWN, GENERATED, SUITE, Source, example, read, sources, task_from, write
from training.sensor import renamed

SOURCES = [Source(GENERATED, 0, seed) for seed in range(40)]


def test_every_label_is_right_on_the_fast_model() -> None:
    answered = 0
    for source in SOURCES:
        task = task_from(source)
        found = label(task)
        if found is None:
            continue
        answered += 1
        strategy, verdict = judge(Candidate(calls=found.calls), task.request, "label")
        assert verdict.allowed
        assert task.field.evaluate(strategy).correct
        if found.sturdy and task.case.kind is Kind.ATTACK:
            back = FastField(task.case.model_copy(update={"persistent": True}))
            assert back.evaluate(strategy).correct
    assert answered > len(SOURCES) / 2


def test_the_answer_is_what_the_grammar_spells() -> None:
    unsayable = Source(DRAWN, 0, 59)  # the guard would let it close a port that no alert is about
    for source in (*SOURCES[:20], unsayable):
        task = task_from(source)
        found = example(task)
        if found is None:
            continue
        assert all(word in among for word, among in zip(found.answer, found.allowed, strict=True))
        said = [words()[n] for n in found.answer]
        answer = label(task)
        assert answer
        assert Grammar(task.request).calls(said) == answer.calls


def test_a_corpus_is_the_same_for_the_same_seeds_and_reads_back(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    chosen = (*sources(6, 0), Source(SUITE, 3, 1))
    counted = write(folder / "one.jsonl", chosen, workers=1)
    write(folder / "two.jsonl", chosen, workers=2)
    assert (folder / "one.jsonl").read_bytes() == (folder / "two.jsonl").read_bytes()
    assert len(read(folder / "one.jsonl")) == counted.total() - counted["unanswered"]


def test_another_sensor_changes_names_and_never_the_traffic() -> None:
    task = task_from(Source(SUITE, 0, 0))
    told = [renamed(task.field.alerts(), rng("test", n)) for n in range(20)]
    kept = ("source", "destination", "destination_port", "protocol", "app_protocol", "handshake", "to_server", "flow")
    for found in told:
        for before, after in zip(task.field.alerts(), found, strict=True):
            assert all(getattr(before, name) == getattr(after, name) for name in kept)
    assert any(found != task.field.alerts() for found in told)
