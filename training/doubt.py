"""From which certainty on a policy is taken at its word: what rehearsing below a bound brings, on generated cases.

    python -m training.doubt [--policy embedded] [--candidates 6] [--cases 1500] [--first 920000] [--json]

No corpus holds these cases: neither the corpus nor SA-GRPO gets as far as their seeds. A row is a bound;
`attack_share` and `calm_share` are right answers (attacks; false alarms and quiet periods), `rehearsed_share` is how
often it rehearses.
`labs.rehearsal.policy.SURE` and the number of candidates of the default policy were chosen by these figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from labs.rehearsal.policy import RehearsedPolicy
from labs.scenario import Kind
from secloop_ai.contracts import Candidate, Confident, Policy, PolicyError, SecLoopError
from secloop_ai.loop.decide import judge
from secloop_ai.policies import load_policy

from .corpus import made_task
from .tasks import Task
from .validation import mean

BOUNDS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.1)
"""0 never rehearses, more than 1 always does."""


class Doubted(NamedTuple):
    """A case, answered without and with a rehearsal; `probability` is 0 where the guard refuses the first answer."""

    attack: bool
    probability: float
    plain: bool
    rehearsed: bool


def doubted(policy: Policy, candidates: int, task: Task) -> Doubted:
    """One case.

    Raises:
        PolicyError: the policy does not know how sure it is.
    """
    if not isinstance(policy, Confident):
        raise PolicyError(f"policy {policy.name} does not say how sure it is")
    always = RehearsedPolicy(policy, candidates=candidates, sure=max(BOUNDS))
    (plain,) = policy.propose(task.request, n=1, seed=0)
    (best,) = always.propose(task.request, n=1, seed=0)
    allowed, right = _judged(policy, plain, task)
    probability = policy.probability(plain) if allowed else 0.0
    return Doubted(task.case.kind is Kind.ATTACK, probability, right, _judged(policy, best, task)[1])


def _judged(policy: Policy, candidate: Candidate, task: Task) -> tuple[bool, bool]:
    strategy, verdict = judge(candidate, task.request, policy.name)
    return verdict.allowed, verdict.allowed and task.field.evaluate(strategy).correct


def rows(found: Sequence[Doubted]) -> list[dict[str, Any]]:
    """A row for each bound."""
    table = []
    for bound in BOUNDS:
        right = [(d.attack, d.rehearsed if d.probability < bound else d.plain) for d in found]
        shares = {
            "attack_share": mean([ok for attack, ok in right if attack]),
            "calm_share": mean([ok for attack, ok in right if not attack]),
            "rehearsed_share": mean([d.probability < bound for d in found]),
        }
        table.append({"below": bound, "cases": len(found), **shares})
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", default="embedded", help="one that knows how sure it is")
    parser.add_argument("--candidates", type=int, default=6)
    parser.add_argument("--cases", type=int, default=1500)
    parser.add_argument("--first", type=int, default=920_000, help="seed of the first case")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    try:
        policy = load_policy(asked.policy)
        cases = (made_task(asked.first + n) for n in range(asked.cases))
        table = rows([doubted(policy, asked.candidates, task) for task in cases])
    except SecLoopError as error:
        sys.stderr.write(f"doubt: {error}\n")
        return 1
    lines = ["  ".join(f"{name} {value}" for name, value in row.items()) for row in table]
    sys.stdout.write((json.dumps(table, indent=2) if asked.json else "\n".join(lines)) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
