"""Without the grammar an answer may be nothing at all; it is read as strictly as ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")
from labs.scenario import Split
from secloop_ai.contracts import ActionCall, Candidate, PolicyError, PolicyRequest
from secloop_ai.policies.embedded import Grammar, spell
from secloop_ai.policies.embedded.grammar import MAX_WORDS
from secloop_ai.policies.embedded.vocabulary import EOS, words
from secloop_ai.policies.reflex import ReflexPolicy
from training.free_decoding import FREE, HELD, Unheld, keep, main, policies, row
from training.tasks import Task, tasks

TASKS = tuple(tasks(Split.VALIDATION, [0], ["ccdc-2018"]))


def test_every_word_may_come_and_the_end_has_to() -> None:
    free = Unheld(TASKS[0].request)
    assert len(free.allowed_ids(())) == len(words())
    assert [words()[n] for n in free.allowed_ids(("x",) * (MAX_WORDS - 1))] == [EOS]
    assert free.allowed_ids((EOS,)) == ()


class Says:
    """Always the same."""

    name = "says/1"

    def __init__(self, candidate: Candidate) -> None:
        self._candidate = candidate

    def digest(self) -> str:
        return "0" * 64

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:  # noqa: ARG002 - the same answer to all
        return (self._candidate,)


def answers(task: Task) -> Candidate:
    return ReflexPolicy().propose(task.request, n=1, seed=0)[0]


def test_a_row_counts_what_is_valid_and_what_is_right() -> None:
    right = next(t for t in TASKS if row("x", HELD, Says(answers(t)), [t])["right_share"] == 1.0)
    assert Grammar(right.request).says(answers(right).calls)
    assert tuple(spell(answers(right).calls))[-1] == EOS
    nothing = row("x", FREE, Says(Candidate(calls=())), [right, right])
    assert (nothing["answers"], nothing["valid_share"], nothing["right_share"]) == (2, 0.0, 0.0)
    idle = Candidate(calls=(ActionCall(tool="observe", params={"reason": "false_alarm"}, ttl_s=300),))
    shares = [
        row("x", HELD, Says(c), [right, right])["observe_share"] for c in (idle, answers(right), Candidate(calls=()))
    ]
    assert shares == [1.0, 0.0, 0.0]


def test_the_weights_that_ship_lean_on_the_grammar(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--policy", "ours=embedded", "--seeds", "1"]) == 0
    held, free = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (held["label"], held["decoding"], held["valid_share"]) == ("ours", HELD, 1.0)
    assert free["decoding"] == FREE
    assert free["valid_share"] < held["valid_share"]


def test_what_cannot_be_decoded_freely_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="only embedded and transformers"):
        list(policies("playbook"))
    assert main(["--policy", f"embedded:{tmp_path}"]) == 1
    assert str(tmp_path) in capsys.readouterr().err


def test_rows_of_other_labels_stay(tmp_path: Path) -> None:
    path = tmp_path / "free.jsonl"
    keep([{"label": "a", "right_share": 0.1}, {"label": "b", "right_share": 0.2}], path)
    keep([{"label": "a", "right_share": 0.3}], path)
    kept = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert kept == [{"label": "a", "right_share": 0.3}, {"label": "b", "right_share": 0.2}]
