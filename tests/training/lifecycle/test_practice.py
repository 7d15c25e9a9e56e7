"""Lessons as tasks of SA-GRPO: rewards of what happened, the executed answer in its group, the mixture, an update."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("trl", reason="the extra `train` is not installed")

from typer.testing import CliRunner, Result  # noqa: E402

from labs.rehearsal.score import AlertRehearsal  # noqa: E402
from secloop_ai.contracts import ActionCall  # noqa: E402
from secloop_ai.ledger import Ledger, open_ledger  # noqa: E402
from secloop_ai.policies.embedded.grammar import Grammar  # noqa: E402
from secloop_ai.policies.embedded.policy import EmbeddedPolicy  # noqa: E402
from secloop_ai.policies.embedded.sampler import likelihood  # noqa: E402
from secloop_ai.policies.embedded.store import SHIPPED, Store  # noqa: E402
from secloop_ai.policies.embedded.vocabulary import words  # noqa: E402
from tests.training.making import QUIET_WARNINGS, report, source  # noqa: E402
from training.cli import learning  # noqa: E402
from training.config import preset  # noqa: E402
from training.judge import Rubric  # noqa: E402
from training.lifecycle.lessons import Lesson, harvest  # noqa: E402
from training.lifecycle.practice import LessonScorer, Mixed, by_case, graded, recalled, told  # noqa: E402
from training.lifecycle.trainer import Learner  # noqa: E402
from training.model import load_model, network_of  # noqa: E402
from training.rewards import reward  # noqa: E402
from training.rollouts import Asked, speaker  # noqa: E402
from training.scoring import Answered, Scorer  # noqa: E402
from training.sources import MadeTasks  # noqa: E402

from .making import a_task, decided, wild  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET_WARNINGS)
KNOWN = frozenset(words())
OBSERVE = (ActionCall(tool="observe", params={"reason": "informational"}, ttl_s=900),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wild(tmp_path_factory.mktemp("weights") / "wild")


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(f"sqlite:///{tmp_path}/ledger.sqlite") as opened:
        yield opened


def learnt(ledger: Ledger, folder: Path, **changes: Any) -> Lesson:
    decided(ledger, a_task().request, EmbeddedPolicy(folder), **changes)
    (lesson,), _ = harvest(ledger, KNOWN, positions=512)
    return lesson


def scored(lesson: Lesson, calls: tuple[ActionCall, ...] | None) -> tuple[float, ...]:
    found = LessonScorer(by_case([lesson])).score([Answered(lesson.task, calls)])[0].reward
    assert found is not None
    return tuple(found)


@pytest.mark.parametrize("attack", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("service", [1.0, 0.25])
def test_with_a_red_sides_word_the_reward_is_the_methods_own(
    ledger: Ledger, folder: Path, attack: float, service: float
) -> None:
    lesson = learnt(ledger, folder, rs_attack=attack, rs_service=service)
    rationality = Rubric().rationality(lesson.strategy, lesson.task.request)
    wanted = reward(True, report(rs_attack=attack, rs_service=service), rationality)
    assert scored(lesson, lesson.calls) == pytest.approx(tuple(wanted))


def test_without_one_the_attack_is_guessed_and_the_service_is_what_it_was(ledger: Ledger, folder: Path) -> None:
    lesson = learnt(ledger, folder, rs_attack=None, rs_service=0.5)
    (guess,) = AlertRehearsal().score(lesson.task.request, [lesson.strategy])
    assert scored(lesson, lesson.calls)[2] == pytest.approx(0.5 * min(1.0, max(0.0, guess)))


def test_what_was_undone_has_not_executed(ledger: Ledger, folder: Path) -> None:
    lesson = learnt(ledger, folder, rs_exe=0.0, rs_attack=0.0, outcome="undone")
    assert scored(lesson, lesson.calls)[:3] == (1.0, 0.0, 0.0)


def test_other_answers_are_rehearsed_and_refused_or_ill_formed_ones_do_not_execute(
    ledger: Ledger, folder: Path
) -> None:
    lesson = learnt(ledger, folder)
    assert scored(lesson, OBSERVE)[:2] == (1.0, 1.0)
    assert 0.0 <= scored(lesson, OBSERVE)[2] < 0.2, "an alert that nothing explains is likely no false alarm"
    assert scored(lesson, None) == (0.0, 0.0, 0.0, -1.0)
    nobody = ActionCall(tool="block_ip", params={"source": "@src99"}, ttl_s=900)
    assert scored(lesson, (nobody,))[:3] == (1.0, 0.0, 0.0)


def test_the_gates_are_the_methods() -> None:
    for values in ({"rs_attack": 0.25}, {"rs_attack": 0.0, "rs_service": 0.5}, {"executed": False, "rs_exe": 0.0}):
        measured = report(**values)
        worth = (1 - measured.rs_attack) * measured.rs_service
        assert tuple(graded(measured.executed, worth, 0.7)) == pytest.approx(tuple(reward(True, measured, 0.7)))


def test_other_tasks_are_scored_as_in_training(ledger: Ledger, folder: Path) -> None:
    lesson, plain = learnt(ledger, folder), source().task(0)
    answers = [Answered(plain, OBSERVE), Answered(lesson.task, lesson.calls), Answered(plain, None)]
    found = LessonScorer(by_case([lesson])).score(answers)
    alone = Scorer().score([answers[0], answers[2]])
    assert [found[0], found[2]] == alone
    assert found[1].measurement is None, "no truth is claimed where part of it is guessed"


def test_the_group_of_a_lesson_begins_with_what_was_executed(ledger: Ledger, folder: Path) -> None:
    lesson, network = learnt(ledger, folder), network_of(load_model(folder))
    speak = recalled(speaker(network, 1.0), network, by_case([lesson]))
    asked = [Asked(source().task(0), 4, 1), Asked(lesson.task, 4, 2)]
    plain, mine = speak(asked)
    assert len(plain) == len(mine) == 4
    assert [s.completion_ids for s in plain] == [s.completion_ids for s in speaker(network, 1.0)(asked[:1])[0]]
    assert mine[0].answered.calls == lesson.calls
    assert mine[0].logps is not None
    told_so = likelihood(network, Grammar(lesson.task.request), lesson.task.prompt, lesson.words)
    assert sum(mine[0].logps) == pytest.approx(told_so, abs=1e-4)
    assert mine[0].allowed == told(network, lesson).allowed


def test_the_mixture_has_its_share_and_every_lesson_has_its_turn(ledger: Ledger, folder: Path) -> None:
    lesson = learnt(ledger, folder)
    other = lesson._replace(task=lesson.task._replace(prompt=("<bos>",)))
    mixed = Mixed([lesson, other], source(), 0.75, 40, seed=3)
    found = [mixed.task(n) for n in range(len(mixed))]
    lessons = [t for t in found if t.request == lesson.task.request]
    assert len(found) == 40
    assert len(lessons) == 10
    assert sum(t.prompt == ("<bos>",) for t in lessons) == 5
    again = Mixed([lesson, other], source(), 0.75, 40, seed=3)
    assert [again.task(n).prompt for n in range(40)] == [t.prompt for t in found]


def updated(lesson: Lesson, folder: Path, run: Path, **came_of_it: Any) -> tuple[Learner, float]:
    """One update after other Feedback, and by how much it made the executed answer likelier."""
    lesson = lesson._replace(feedback=lesson.feedback.model_copy(update=came_of_it))
    model = load_model(folder)
    before = told(network_of(model), lesson).log_probability
    config = preset("embedded", steps=1, questions=1, resample=0, schedule="constant", warmup=0, learning_rate=1e-3)
    learner = Learner(model, MadeTasks(lambda _: lesson.task, 1), config, run, by_case([lesson]))
    learner.train()
    return learner, told(network_of(model), lesson).log_probability - before


def test_an_update_follows_the_feedback(ledger: Ledger, folder: Path, tmp_path: Path) -> None:
    """The same answer in the same group by the same weights: Feedback alone tells the two updates apart."""
    lesson = learnt(ledger, folder)
    good, rise = updated(lesson, folder, tmp_path / "good", rs_attack=0.0)
    bad, other = updated(lesson, folder, tmp_path / "bad", rs_exe=0.0, outcome="undone")
    samples = good.rolled.samples
    assert [s.completion_ids for s in samples] == [s.completion_ids for s in bad.rolled.samples]
    share = sum(s.completion_ids == samples[0].completion_ids for s in samples) / len(samples)
    lost = 2 * (1 - share)  # execution and W, less their part of the group's mean
    assert good.advantages[0] > 0
    assert good.advantages[0] - bad.advantages[0] == pytest.approx(lost, abs=1e-5)
    assert rise > 0
    assert rise > other


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(learning, arguments, catch_exceptions=False)


@pytest.fixture
def live(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Weights that are live in a state folder of our own."""
    monkeypatch.setenv("SECLOOP_STATE_DIR", str(tmp_path / "state"))
    store = Store()
    name = store.keep(folder, EmbeddedPolicy(folder).digest())
    store.promote(name, instead_of=SHIPPED)
    return name


def test_learn_says_why_there_is_nothing_to_learn_from(ledger: Ledger, live: str, tmp_path: Path) -> None:
    done = asked("--ledger", f"sqlite:///{tmp_path}/ledger.sqlite")
    assert done.exit_code == 1
    assert "no run to learn from: no run has been kept" in done.stderr


@pytest.mark.slow
def test_learn_trains_on_the_ledger_and_asks_the_gate(
    ledger: Ledger, folder: Path, live: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a ledger to new weights that the gate has judged; so little training gains nothing that is sure."""
    from labs.scenario import Suite
    from training.lifecycle import compare

    monkeypatch.setattr(compare, "Suite", (Suite.AUTOATTACK,))
    monkeypatch.setattr(compare, "_asked", lambda _count: ())
    learnt(ledger, folder)
    url, out = f"sqlite:///{tmp_path}/ledger.sqlite", tmp_path / "out"
    done = asked("--ledger", url, "--out", str(out), "--steps", "1", "--learning-rate", "1e-6", "--seeds", "5")
    assert done.exit_code == 1
    assert "1 lessons" in done.stdout
    assert "refused: accuracy" in done.stdout
    assert Store().pointer().live == live
    new = EmbeddedPolicy(out / "policy")
    assert new.digest()[:12] != live
    assert (out / "comparison.json").exists()
    assert [line.event for line in ledger.audit_lines()][-1] == "policy-refused"
