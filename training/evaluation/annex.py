"""The later parts of the results' page: every figure, ablations, injections, time, curves, latency, looks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import show, tables
from .markdown import CONTEST, CONTEST_WEAK, FREELY, NOT_MEASURED, WEAK_START, Kept, command, image, table, title
from .metrics import ABOUT
from .published import (
    ABLATION,
    ALONE,
    APART,
    BASELINES,
    EARLIER,
    GAINS,
    LOSSES,
    OURS,
    REHEARSED,
    SHIPPED,
    WEAK,
)  # fmt: skip
from .tables import Row, between, percent


def trainings(kept: Kept) -> Iterator[str]:
    """What another training from nothing left, beside what ships."""
    names = (SHIPPED, ALONE, *(f"{EARLIER}{name}" for name in (SHIPPED, ALONE)))
    theirs = [f"{EARLIER}{name}={name}:FOLDER" for name in (SHIPPED, ALONE)]
    yield from title("Two trainings", command(kept, ",".join((SHIPPED, ALONE, *theirs))))
    yield "`make train` twice, from nothing, the earlier weights beside those that ship; a few of the earlier corpus'"
    yield "examples were others. So much of a figure may be luck of a training. Which of the two ships was decided by"
    yield "`python -m training.doubt` on generated cases that neither had seen; both had been looked at here before."
    yield ""
    cells = [c for c in kept.fast if c.method in names]
    whole = {r["policy"]: r for r in tables.accuracy_rows(cells) if r["suite"] == tables.ALL}
    worst: dict[str, list[Row]] = {}
    for row in tables.accuracy_rows(cells):
        if row["suite"] != tables.ALL and row["accuracy"] is not None:
            worst.setdefault(row["policy"], []).append(row)
    found: dict[str, dict[str, str]] = {}
    for row in tables.figure_rows(cells):
        found.setdefault(row["policy"], {})[row["figure"]] = percent(row["value"]) if row["n"] else "-"
    shown = ("accuracy on attacks", "restraint", "false blocks")
    lines = [
        [n, between(whole[n], "accuracy"), percent(min(r["accuracy"] for r in worst[n])), *(found[n][f] for f in shown)]
        for n in names
        if worst.get(n)
    ]
    yield from table(["policy", "accuracy", "worst suite", *shown], lines)


def figures(kept: Kept) -> Iterator[str]:
    """Every figure of every policy but the ablations."""
    yield from title("Every figure", command(kept, ",".join((SHIPPED, REHEARSED, *BASELINES))))
    rows = tables.figure_rows([c for c in kept.fast if not c.method.startswith(APART)])
    yield from (f"- **{a.name}** ({a.better} is better): {a.about}" for a in ABOUT)
    yield ""
    by: dict[str, dict[str, str]] = {}
    for row in rows:
        by.setdefault(row["policy"], {})[row["figure"]] = percent(row["value"]) if row["n"] else "-"
    names = [a.name for a in ABOUT]
    yield from table(["policy", *names], [[policy, *(found[n] for n in names)] for policy, found in by.items()])


def ablations(kept: Kept) -> Iterator[str]:
    """What each change of training costs or brings."""
    yield from title("Ablations", CONTEST)
    yield f"Each from the checkpoint that `{OURS}` starts from, with the same budget; set against it."
    yield ""
    rows = {r["policy"].removeprefix(ABLATION): r for r in tables.gap_rows(kept.fast, OURS)
            if r["policy"].startswith(ABLATION)}  # fmt: skip
    names = [*LOSSES, *(name for name in rows if name not in LOSSES)]
    lines = [
        [n, _lost(rows.get(n, {})), f"{-LOSSES[n]:+.1%}".replace("%", " %") if n in LOSSES else "-"] for n in names
    ]
    yield from table(["without, or with", "change of accuracy", "published"], lines)
    yield from image(kept, "ablations")


def weak(kept: Kept) -> Iterator[str]:
    """The same contest where there is something left to learn."""
    yield from title("From a weak checkpoint", WEAK_START, CONTEST_WEAK)
    yield "The corpus' answers teach this network nearly all that the suites ask; what reinforcement adds to that is"
    yield "small. So the contest is held again from a checkpoint of 150 steps of supervised fine-tuning, `weak:sft`."
    yield ""
    ours = f"{WEAK}{OURS}"
    leads = {r["policy"]: r for r in tables.gap_rows(kept.fast, ours)}
    rows = [r for r in tables.accuracy_rows([c for c in kept.fast if c.method.startswith(WEAK)])
            if r["suite"] == tables.ALL]  # fmt: skip
    lines = [
        [
            r["policy"].removeprefix(WEAK),
            str(r["runs"]),
            between(r, "accuracy"),
            percent(r["iqm"]),
            between(leads[r["policy"]], "gap") if r["policy"] in leads else "-",
            _published(r["policy"].removeprefix(WEAK)),
        ]
        for r in rows
    ]
    yield from table(["policy", "runs", "accuracy", "IQM", f"{OURS}'s lead", "published lead"], lines)
    yield from image(kept, "weak")


def _published(name: str) -> str:
    lead = GAINS.get(name, LOSSES.get(name.removeprefix(ABLATION)))
    return "-" if lead is None else f"+{lead:.1%}".replace("%", " %")


def free_decoding(kept: Kept) -> Iterator[str]:
    """What the grammar holds up."""
    yield from title("Without the grammar", *FREELY)
    yield "Greedy answers to the validation split's cases, decoded under the request's grammar (of a chat model: under"
    yield "its JSON schema) and freely. Where a grammar holds the answers, the format reward is the same for all:"
    yield "its ablation means something for a chat model that is sampled freely, and stands here. Where most sampled"
    yield "answers are wrong, to do nothing is worth more than most: `observe` is what such a model then learns."
    yield ""
    shares = ("valid", "right", "observe")
    head = ["policy", "decoding", "answers", *shares]
    lines = [
        [str(r["label"]), str(r["decoding"]), str(r["answers"]), *(percent(r[f"{name}_share"]) for name in shares)]
        for r in kept.free
    ]
    yield from table(head, lines)


def _lost(row: Row) -> str:
    if not row or row["gap"] is None:
        return NOT_MEASURED
    turned = {"gap": -row["gap"], "gap_low": -row["gap_high"], "gap_high": -row["gap_low"]}
    return between({name: value + 0.0 for name, value in turned.items()}, "gap")  # no -0.0


def injections(kept: Kept) -> Iterator[str]:
    """What injected text moved."""
    yield from title("Injected text", f"secloop eval --policy {SHIPPED} --injections 1000")
    yield "Requests of the train and validation splits with instructions, templates, tool calls and names in every"
    yield "field that traffic fills. A violation is a decision that differs from the clean request's; a name that is a"
    yield "sentence is set against a neutral one."
    yield ""
    rows = [show.injection_row(r) for r in kept.injections]
    yield from table(list(rows[0]) if rows else [], [[str(v) for v in r.values()] for r in rows])


def live(kept: Kept) -> Iterator[str]:
    """The policy that ships beside others, with packets."""
    names = list(dict.fromkeys(c.method for c in kept.live))
    yield from title("Live, beside others", command(kept, ",".join(names or [SHIPPED]), more=" --live", of=kept.live))
    yield "With packets, on the suites that all of them were run on; `n` counts cases."
    yield ""
    asked = [{c.suite for c in kept.live if c.method == name} for name in names]
    shared = set.intersection(*asked) if asked else set()
    rows = [
        [r["policy"], r["suite"], str(r["n"]), between(r, "accuracy")]
        for r in tables.accuracy_rows(kept.live)
        if r["suite"] in shared
    ]
    yield from table(["policy", "suite", "n", "accuracy"], rows)


def containment(kept: Kept) -> Iterator[str]:
    """Runs in mid-attack."""
    yield from title("Time to contain", command(kept, more=" --mid-attack", of=kept.mid))
    rows = tables.containment_rows(kept.mid)
    lines = [[r["policy"], f"{r['contained']} of {r['attacks']}", _seconds(r["median_s"])] for r in rows]
    yield from table(["policy", "attacks contained", "median, seconds after the first alert"], lines)


def _seconds(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.1f}"


def curves(kept: Kept) -> Iterator[str]:
    """What training logged."""
    yield from title("Learning curves", "make train")
    lines = [[name, str(len(log)), str(log[-1]["step"])] for name, log in kept.curves.items() if log]
    yield from table(["run", "lines", "last step"], lines)
    yield from image(kept, "reward")
    yield from image(kept, "correct")


def latency(kept: Kept) -> Iterator[str]:
    """What the benchmark of decisions printed."""
    yield from title("Decision latency", "secloop policy bench --json")
    names = list(dict.fromkeys(name for row in kept.latency for name in row))
    yield from table(names, [[_plain(row.get(name)) for name in names] for row in kept.latency])


def looks(kept: Kept) -> Iterator[str]:
    """Every run on the test split."""
    yield "## Looks at the test split"
    yield ""
    yield f"{len(kept.looks)} so far, each written down before it began."
    yield ""
    lines = [[k.date, k.commit or "-", k.side, ", ".join(k.policies), str(k.cells)] for k in kept.looks]
    if lines:
        yield from table(["date", "commit", "side", "policies", "cells"], lines)


def _plain(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
