"""``secloop policy``: which policies there are, what one answers, and how quick it is."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from secloop_ai.contracts import PolicyError
from secloop_ai.settings import DEFAULT_POLICY

from . import policy_life
from .operate import Inventory, Json, context
from .tables import show

if TYPE_CHECKING:
    from secloop_ai.contracts import Candidate, Policy, PolicyRequest
    from secloop_ai.policies.examples import Example


class _Needs(NamedTuple):
    """What a back end that cannot be had by its bare name needs."""

    form: str
    libraries: tuple[str, ...]
    extra: str


NEEDS = {
    "openai": _Needs("openai:MODEL@BASE_URL", ("openai",), "chat"),
    "rehearse": _Needs("rehearse:G:POLICY", ("labs",), "lab"),
    "transformers": _Needs("transformers:FOLDER", ("torch", "transformers", "training"), "train"),
}
EMBEDDED = "embedded"
Name = Annotated[str, typer.Argument(help="Back end, as `secloop policy list` shows them.")]


def add_to(app: typer.Typer) -> None:
    """Register the group."""
    group = typer.Typer(name="policy", help="Policies: which there are, what they answer, how quick they are.")
    life = (("promote", policy_life.promoted), ("rollback", policy_life.rolled_back))
    for name, command in (("list", listed), ("test", tried), ("bench", timed), *life):
        group.command(name=name)(command)
    app.add_typer(group, name="policy")


def listed(as_json: Json = False) -> None:
    """The back ends, whether each can be used here, and what its answers come from."""
    from secloop_ai.policies.registry import BACK_ENDS

    rows = [_back_end(name) for name in sorted(BACK_ENDS)]
    columns = {"name": "name", "usable": "usable", "version": "version", "digest_short": "digest"}
    show(rows if as_json else list(map(_shortened, rows)), as_json=as_json, title="Policies", empty="", columns=columns)
    for row in () if as_json else rows:
        for key in ("reason", "default", "vocabulary"):
            if row[key]:
                typer.echo(f"{row['name']}: {row[key]}")
        for found in row["weights"]:
            state = "live" if found["live"] else "at hand"
            typer.echo(f"{row['name']}: weights {found['weights']}, {state}: {found['policy']}")


def _shortened(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "digest_short": row["digest"][:12]}


def _back_end(name: str) -> dict[str, Any]:
    """A row: one that needs an argument is asked for its libraries alone, as its model may be large or far away."""
    from secloop_ai.policies import load_policy

    row: dict[str, Any] = {"name": name, "usable": False, "reason": "", "version": "", "digest": ""}
    row |= {"default": "", "vocabulary": "", "weights": []}
    if name == EMBEDDED:
        row |= {"vocabulary": _vocabulary(), "weights": policy_life.weights()}
    if needs := NEEDS.get(name):
        lacking = [library for library in needs.libraries if find_spec(library) is None]
        row |= {"name": needs.form, "usable": not lacking}
        if lacking:
            row["reason"] = f"{', '.join(lacking)} not installed: pip install 'secloop[{needs.extra}]'"
        if lacking or name != DEFAULT_POLICY.partition(":")[0]:
            return row
        row["default"] = f"{DEFAULT_POLICY} decides where nothing else is chosen"
    try:
        policy = load_policy(DEFAULT_POLICY if row["default"] else name)
    except PolicyError as error:
        return {**row, "reason": str(error)}
    return {**row, "usable": True, "version": policy.name, "digest": policy.digest()}


def _vocabulary() -> str:
    from secloop_ai.contracts import RESERVED_TOOL_SLOTS
    from secloop_ai.policies.embedded.vocabulary import VERSION, digest, words

    kept = f"{RESERVED_TOOL_SLOTS} kept for actions to come"
    return f"vocabulary {VERSION}: {len(words())} words, {kept}; SHA-256 {digest()[:12]}"


def tried(
    name: Name,
    count: Annotated[int, typer.Option("--n", help="Candidates asked for.", min=1, max=64)] = 3,
    requests: Annotated[int, typer.Option(help="Incidents drawn, where no --alerts are given.", min=1)] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the policy and of what is drawn.", min=0)] = 0,
    inventory: Inventory = None,
    alerts: Annotated[Path | None, typer.Option(help="Suricata EVE file, plain or gzip.")] = None,
    as_json: Json = False,
) -> None:
    """Ask a policy on incidents and show its candidates with the guard's verdict; nothing is changed anywhere.

    Without --alerts the incidents are drawn: in the network of --inventory, or in one that is drawn too.
    """
    from secloop_ai.loop.decide import build_request
    from secloop_ai.policies import load_policy

    policy = load_policy(name)
    rows: list[dict[str, Any]] = []
    for label, made in _asked(requests, seed, inventory, alerts):
        request = build_request(made.summaries, made.environment)
        for rank, candidate in enumerate(policy.propose(request, n=count, seed=seed), 1):
            rows.append({"request": label, "rank": rank, **_judged(candidate, request, policy)})
    columns = {"request": "request", "rank": "rank", "actions": "actions", "score": "score", "allowed": "allowed"}
    columns["refusals"] = "refused because"
    shown = rows if as_json else [{**r, "score": f"{r['score']:.2f}"} for r in rows]
    show(shown, as_json=as_json, title=f"Candidates of {policy.name}", empty="It proposed nothing.", columns=columns)


def _asked(requests: int, seed: int, inventory: list[str] | None, alerts: Path | None) -> Iterator[tuple[str, Example]]:
    from secloop_ai.policies.examples import Example, example, example_in

    network = context(inventory, "").environment() if inventory or alerts else None
    if alerts and network:
        from secloop_ai.alerts import summarise

        summaries, _ = summarise(alerts)
        yield alerts.name, Example(tuple(summaries), network)
        return
    for number in range(seed, seed + requests):
        yield f"drawn {number}", example_in(network, number) if network else example(number)


def _judged(candidate: Candidate, request: PolicyRequest, policy: Policy) -> dict[str, Any]:
    from secloop_ai.loop.decide import judge
    from secloop_ai.loop.story import action_line

    strategy, verdict = judge(candidate, request, policy.name)
    return {
        "actions": [action_line(a) for a in strategy.actions],
        "score": candidate.score,
        "allowed": verdict.allowed,
        "refusals": [f"[{r.rule}] {r.reason}" for r in verdict.refusals],
        "rationale": candidate.rationale,
    }


def timed(
    name: Name = DEFAULT_POLICY,
    incidents: Annotated[int, typer.Option(help="Incidents decided.", min=2)] = 200,
    cold_starts: Annotated[int, typer.Option(help="New processes, of which the median counts.", min=1)] = 5,
    as_json: Json = False,
) -> None:
    """How long a decision takes, warm and cold: one thread, drawn incidents, each figure in fresh processes."""
    from .policy_bench import bench

    row = bench(name, incidents=incidents, cold_starts=cold_starts)
    columns = {
        "policy": "policy",
        "warm_p50_ms": "warm p50 ms",
        "warm_p95_ms": "p95 ms",
        "g16_ms": "G=16 ms",
        "cold_s": "cold s",
        "peak_mb": "peak MB",
    }
    title = f"From {row['incidents']} incidents to the guard's verdict (one thread; load {row['load']})"
    show([row], as_json=as_json, title=title, empty="", columns=columns)
