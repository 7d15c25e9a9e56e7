"""A recorded run as one HTML file: no network, no other file, readable without JavaScript.

Jinja2 escapes every value; the figures for the script are JSON in a block that cannot end early; a content policy lets
only our own script run, by its digest, and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from labs.battlefield.atlas import RED

from .charts import Charts, charts, port_labels
from .drawing import draw_topology
from .timeline import ActionApplied, ActionUndone, ProbeTurned, Timeline
from .words import WORDS, headline, lines, stage_name, verdict_rows

TEMPLATES = Path(__file__).with_name("templates")
MOST_ROWS = 400
"""Events in the page's table; of more, alerts are left out first, and how many is said."""
MOST_SAMPLES = 800
"""Samples the script is given; of a longer run every second one, or fewer."""
MODES = {
    "undefended": "undefended run",
    "blue-first": "strategy first, then the attack",
    "mid-attack": "answer in mid-attack",
}


def page(run: Timeline) -> str:
    """The run's page."""
    drawn = charts(run)
    script = _environment().get_template("script.js.j2").render()
    rows, left_out = table_rows(run)
    tone, sentence = headline(run)
    return _environment().get_template("page.html.j2").render(
        run=run,
        mode=MODES[run.mode],
        tone=tone,
        sentence=sentence,
        verdicts=[{k: v for k, v in row.items() if k not in WORDS} for row in verdict_rows(run)],
        topology=draw_topology(run.facts),
        charts=drawn,
        stages=[stage_name(s, run.facts) for s in run.facts.stages],
        probes=sorted(run.probes, key=lambda p: p.served >= p.tries),
        rows=rows,
        left_out=left_out,
        data=data(run, drawn),
        script=script,
        script_hash=f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}",
    )  # fmt: skip


def table_rows(run: Timeline) -> tuple[list[dict[str, Any]], int]:
    """Events as rows, and how many alerts' events had to stay out."""
    found = [one._asdict() for one in lines(run)]
    surplus = max(0, len(found) - MOST_ROWS)
    alerts = [n for n, row in enumerate(found) if row["lane"] == "alert"]
    out = set(alerts[len(alerts) - min(surplus, len(alerts)) :])
    return [row for n, row in enumerate(found) if n not in out], len(out)


def data(run: Timeline, drawn: Charts) -> dict[str, Any]:
    """What the script plays: rates by port, and spans during which something is so."""
    step = max(1, -(-len(run.series.at_s) // MOST_SAMPLES))
    ends = drawn.ends_s
    return {
        "ends_s": ends,
        "at_s": run.series.at_s[::step],
        "ports": {key: _both(r.packets_in_per_s, r.packets_out_per_s)[::step] for key, r in run.series.ports.items()},
        "labels": dict(port_labels(run)),
        "phases": [[line.at_s, line.text] for line in lines(run) if line.lane == "phase"],
        "stages": list(_stages(run)),
        "actions": list(_actions(run, ends)),
        "failing": list(_failing(run, ends)),
    }


def _both(first: Sequence[float], second: Sequence[float]) -> list[int]:
    return [round(a + b) for a, b in zip(first, second, strict=True)]


def _stages(run: Timeline) -> Iterator[dict[str, Any]]:
    stages = {s.index: s for s in run.facts.stages}
    for one in run.tries():
        if one.end is None or one.end.attempted:
            stage = stages[one.stage]
            yield {
                "stage": stage.index,
                "name": stage_name(stage, run.facts),
                "from_s": one.from_s,
                "to_s": one.to_s,
                "source": stage.source_host or RED,
                "target": stage.target_host or RED,
            }


def _actions(run: Timeline, ends: float) -> Iterator[dict[str, Any]]:
    gone = next((e.at_s for e in run.events if isinstance(e, ActionUndone)), ends)
    for event in run.events:
        if isinstance(event, ActionApplied) and event.outcome == "confirmed":
            for one in event.mitigations:
                yield {"from_s": event.at_s, "to_s": gone, "name": one.action, "places": list(one.places)}


def _failing(run: Timeline, ends: float) -> Iterator[dict[str, Any]]:
    """Spans in which a client was not served."""
    open_: dict[tuple[str, str], float] = {}
    for event in run.events:
        if not isinstance(event, ProbeTurned):
            continue
        place = (event.client, event.service)
        if not event.served:
            open_[place] = event.at_s
        elif place in open_:
            yield _span(place, open_.pop(place), event.at_s)
    for place, since in open_.items():
        yield _span(place, since, ends)


def _span(place: tuple[str, str], from_s: float, to_s: float) -> dict[str, Any]:
    return {"from_s": from_s, "to_s": to_s, "client": place[0], "service": place[1]}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["figure"] = _figure
    return environment


def _figure(value: object) -> str:
    """A cell of the verdict."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
