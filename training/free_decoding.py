"""What the grammar holds up: answers decoded under it, beside answers of the same weights that nothing holds.

    python -m training.free_decoding --policy embedded --policy embedded:var/train/sft [--split validation] [--keep]
    python -m training.free_decoding --policy transformers:var/chat-small

For each policy two rows over the same cases, greedy: `valid_share`, answers that are strategies of the request's closed
schema, `right_share`, those that are right on the fast model, the guard included, and `observe_share`, those that do
nothing. Under the grammar the format reward is the same for every answer; it can teach something only where decoding
is free.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from labs.scenario import Split
from secloop_ai.contracts import Candidate, Policy, PolicyError, PolicyRequest, SecLoopError
from secloop_ai.guard.rules import CLOSED_SCHEMA
from secloop_ai.loop.decide import judge
from secloop_ai.policies import load_policy
from secloop_ai.policies.embedded import EmbeddedPolicy, Grammar, sample
from secloop_ai.policies.embedded.encode import encode, shown
from secloop_ai.policies.embedded.grammar import MAX_WORDS, QUIET
from secloop_ai.policies.embedded.policy import SHIPPED
from secloop_ai.policies.embedded.vocabulary import EOS, ids

from .evaluation import logs
from .evaluation.cells import RESULTS
from .model import load_model, network_of
from .tasks import Task, tasks
from .validation import known_of, mean

HELD, FREE = "grammar", "free"
UNHELD = "?decoding=unconstrained"


class Unheld(Grammar):
    """Allows every word at every place, but for the end that an answer has to have; reads answers as strictly."""

    def allowed_ids(self, said: tuple[str, ...]) -> tuple[int, ...]:
        """All words; none after the end."""
        if said[-1:] == (EOS,):
            return ()
        return (ids()[EOS],) if len(said) + 1 == MAX_WORDS else tuple(range(len(ids())))


class FreePolicy:
    """The network's likeliest answer when the grammar is silent; what it says in vain is a candidate without calls."""

    def __init__(self, folder: Path) -> None:
        self._network, self._known = network_of(load_model(folder)), known_of(folder)
        self._weights = EmbeddedPolicy(folder)
        self.name = self._weights.name

    def digest(self) -> str:
        """That of the weights."""
        return self._weights.digest()

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:  # noqa: ARG002 - greedy, so always one
        """One candidate."""
        seen = shown(encode(request).words, self._known)
        (answer,) = sample(self._network, Unheld(request), seen, n=1, seed=0)
        try:
            return (Candidate(calls=Grammar(request).calls(answer.words), score=answer.log_probability),)
        except PolicyError:
            return (Candidate(calls=(), score=answer.log_probability),)


def policies(name: str) -> Iterator[tuple[str, Policy]]:
    """A policy decoded under its grammar, and free.

    Raises:
        PolicyError: it cannot start, or cannot be decoded freely.
    """
    scheme, _, argument = name.partition(":")
    yield HELD, load_policy(name)
    if scheme == "embedded":
        yield FREE, FreePolicy(Path(argument) if argument else SHIPPED)
    elif scheme == "transformers":
        yield FREE, load_policy(name + UNHELD)
    else:
        raise PolicyError(f"policy {name}: only embedded and transformers are decoded here")


def row(label: str, decoding: str, policy: Policy, of: Sequence[Task]) -> dict[str, Any]:
    """A policy's figures over these cases."""
    valid, right, observed = [], [], []
    for task in of:
        (candidate, *_) = policy.propose(task.request, n=1, seed=0)
        strategy, verdict = judge(candidate, task.request, policy.name)
        schema = any(r.rule == CLOSED_SCHEMA for r in verdict.refusals)
        valid.append(bool(candidate.calls) and not schema)
        right.append(valid[-1] and verdict.allowed and task.field.evaluate(strategy).correct)
        observed.append({call.tool for call in candidate.calls} == {QUIET})
    shares = {"valid_share": mean(valid), "right_share": mean(right), "observe_share": mean(observed)}
    figures = {"answers": len(of), **shares}
    return {"label": label, "policy": policy.name, "decoding": decoding, **figures}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; a line of JSON per row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policy", action="append", required=True, help="[LABEL=]POLICY; several may be given")
    parser.add_argument("--split", default="validation", choices=["train", "validation"])
    parser.add_argument("--seeds", type=int, default=2, help="of every scenario")
    parser.add_argument("--keep", action="store_true", help=f"the rows into training/results/{logs.FREE}")
    asked = parser.parse_args(arguments)
    of = tuple(tasks(Split(asked.split), range(asked.seeds)))
    rows: list[dict[str, Any]] = []
    try:
        for named in asked.policy:
            label, _, name = named.rpartition("=") if "=" in named.partition("?")[0] else (named, "", named)
            for decoding, policy in policies(name):
                rows.append(row(label, decoding, policy, of))
                sys.stdout.write(json.dumps(rows[-1]) + "\n")
                sys.stdout.flush()
        if asked.keep:
            keep(rows, RESULTS / logs.FREE)
    except SecLoopError as error:
        sys.stderr.write(f"free_decoding: {error}\n")
        return 1
    return 0


def keep(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write the rows among those that are kept; older ones of their labels make room, the others stay.

    Raises:
        InputError: the file holds something else than JSON lines.
    """
    new = {row["label"] for row in rows}
    whole = [*rows, *(row for row in logs.rows(path) if row["label"] not in new)]
    path.write_text("".join(json.dumps(row) + "\n" for row in whole), encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
