"""One SA-GRPO update from Feedback that ansible-runner really collected, from the first packet to the new weights.

    python -m training.lifecycle.shown                      # a tiny network with random weights
    python -m training.lifecycle.shown --policy FOLDER      # any embedded policy's

A case of the train split is attacked on a battlefield; ``respond.yml`` runs there through ansible-runner and decides
with the policy; the attacker comes again. The run's Feedback, with the red side's word on that second attack, goes into
the battlefield's ledger, comes out as a lesson, and one step of SA-GRPO is taken on it. Needs root and the lab.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from labs.battlefield import Battlefield, playbook
from labs.battlefield.replay import replay
from labs.battlefield.trial import settle
from labs.scenario import Case, Scenario, Split
from labs.suites import load_suite
from labs.suites.cases import case_of
from labs.validator.judge import attack_share, outcome
from secloop_ai.contracts import InputError, PolicyError, SecLoopError
from secloop_ai.contracts.errors import LabError
from secloop_ai.ledger import open_ledger
from secloop_ai.loop.context import now
from secloop_ai.policies.embedded import EmbeddedPolicy
from secloop_ai.policies.embedded.vocabulary import words
from training.config import Config, preset
from training.model import Size, load_model, network_of, new_model, save_policy
from training.rewards import COMPONENTS
from training.rollouts import Sample
from training.sources import MadeTasks
from training.validation import known_of

from .learn import positions_of
from .lessons import Harvest, Lesson, harvest
from .practice import by_case, told
from .trainer import Learner, hushed

ONE_STEP = {"steps": 1, "questions": 1, "resample": 0, "schedule": "constant", "warmup": 0.0}
TINY = Size(layers=1, hidden=32, heads=2, middle=48, positions=512)
ATTACK_S = 90.0
CANDIDATES = 16
"""Asked of the policy, as most of what random weights say first is refused."""


class Shown(NamedTuple):
    """One update, looked at.

    Attributes:
        before, after: log-probability of the executed answer under the grammar.
        group: the answers of the group with reward and advantage, the executed one first.
    """

    case: str
    lesson: Lesson
    group: tuple[tuple[Sample, float], ...]
    before: float
    after: float
    seconds: dict[str, float]

    def figures(self) -> dict[str, Any]:
        """As JSON."""
        sample, advantage = self.group[0]
        return {
            "case": self.case,
            "feedback": self.lesson.feedback.model_dump(mode="json"),
            "executed": [call.model_dump(mode="json") for call in self.lesson.calls],
            "components": dict(zip(COMPONENTS, sample.score.reward or (), strict=False)),
            "reward": [round(sum(s.score.reward or ()), 4) for s, _ in self.group],
            "advantages": [round(a, 4) for _, a in self.group],
            "advantage": round(advantage, 4),
            "log_probability_before": round(self.before, 4),
            "log_probability_after": round(self.after, 4),
            "seconds": self.seconds,
        }


def collected(case: Case, scenario: Scenario, policy: Path) -> Harvest:
    """Attack, answer through ansible-runner, attack again: what the ledger then has to teach.

    Raises:
        LabError: no battlefield, or the attack fails undefended.
        PolicyError: the playbook did not come to an executed strategy.
    """
    with Battlefield.clone(scenario, case.seed) as field:
        field.start_sensor()
        first = [outcome(r) for r in replay(field, time.monotonic() + ATTACK_S)]
        if not all(s.succeeded for s in first):
            raise LabError(f"{case.case_id}: the attack fails undefended: it proves nothing")
        settle(field)
        run = playbook.respond(field, policy=f"embedded:{policy}", candidates=CANDIDATES)
        if run.failure:
            raise PolicyError(f"respond.yml: {run.failure}")
        again = [outcome(r) for r in replay(field, time.monotonic() + ATTACK_S)]
        feedback = run.feedback.model_copy(update={"rs_attack": attack_share(case, again)})
        with open_ledger(field.team().environ()["SECLOOP_LEDGER_URL"]) as ledger:
            ledger.record_feedback(feedback, now=now())
            return harvest(ledger, known_of(policy), positions=positions_of(policy))


def update(lesson: Lesson, policy: Path, config: Config, folder: Path) -> tuple[Learner, float, float]:
    """One step on one lesson; the log-probability of the executed answer before and after it."""
    lessons, model = by_case([lesson]), load_model(policy)
    before = told(network_of(model), lesson).log_probability
    learner = Learner(model, MadeTasks(lambda _: lesson.task, 1), config, folder, lessons)
    learner.train()
    return learner, before, told(network_of(model), lesson).log_probability


def show(suite: str, name: str, seed: int, policy: Path, config: Config, folder: Path) -> Shown:
    """The whole of it.

    Raises:
        SecLoopError: some part of it did not work; names it.
    """
    scenario = next((s for s in load_suite(suite) if s.name == name and s.split is Split.TRAIN), None)
    if scenario is None:
        raise InputError(f"suite {suite} has no scenario {name!r} for training")
    EmbeddedPolicy(policy)  # before a battlefield is built for it
    case, began = case_of(scenario, seed), time.monotonic()
    found = collected(case, scenario, policy)
    live_s = time.monotonic() - began
    if not found.lessons:
        raise PolicyError(f"{case.case_id}: no lesson: runs {found.why_not()}")
    lesson = found.lessons[0]
    began = time.monotonic()
    learner, before, after = update(lesson, policy, config, folder)
    group = tuple(zip(learner.rolled.samples, learner.advantages, strict=True))
    seconds = {"battlefield": round(live_s, 1), "update": round(time.monotonic() - began, 1)}
    return Shown(case.case_id, lesson, group, before, after, seconds)


def text(found: Shown) -> Iterator[str]:
    """For a person."""
    feedback = found.lesson.feedback
    kept = {n: getattr(feedback, n) for n in ("status", "outcome", "rs_exe", "rs_attack", "rs_service")}
    yield f"case {found.case}: respond.yml through ansible-runner, {feedback.seconds:.1f} s"
    yield "feedback  " + ", ".join(f"{name} {value}" for name, value in kept.items())
    yield "executed  " + "; ".join(
        f"{c.tool} {' '.join(c.params.values())} for {c.ttl_s} s" for c in found.lesson.calls
    )
    heads = (*COMPONENTS, "reward", "advantage")
    yield f"{'answer':>10}" + "".join(f"{head:>12}" for head in heads)
    for number, (sample, advantage) in enumerate(found.group):
        scored = sample.score.reward or ()
        parts = (*scored, sum(scored), advantage)
        yield f"{'executed' if number == 0 else number:>10}" + "".join(f"{part:12.4f}" for part in parts)
    yield f"log-probability of the executed answer: {found.before:.4f} before the update, {found.after:.4f} after"
    yield f"seconds: {found.seconds}"


@contextmanager
def given(policy: Path | None, seed: int) -> Iterator[Path]:
    """The folder of the policy; without one, that of a tiny network with random weights."""
    if policy is not None:
        yield policy.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="secloop-shown-") as made:
        save_policy(new_model(TINY, seed), Path(made), card={"trained_by": "nobody"}, known=frozenset(words()))
        yield Path(made)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m training.lifecycle.shown", description=__doc__)
    parser.add_argument("--policy", type=Path, help="Folder of weights; by default a tiny network, made at random.")
    parser.add_argument("--suite", default="autoattack")
    parser.add_argument("--scenario", default="auto-sql-injection", help="Of the suite's train split.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--temperature", type=float, default=1.0, help="Weights that are sure need more than 1.")
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    hushed()
    own = {"learning_rate": asked.learning_rate, "temperature": asked.temperature, "seed": asked.seed}
    try:
        config = preset("embedded", **ONE_STEP, **own)
        with given(asked.policy, asked.seed) as policy, tempfile.TemporaryDirectory(prefix="secloop-run-") as folder:
            found = show(asked.suite, asked.scenario, asked.seed, policy, config, Path(folder))
    except SecLoopError as error:
        sys.stderr.write(f"shown: {error}\n")
        return 1
    lines = [json.dumps(found.figures(), indent=1)] if asked.json else list(text(found))
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
