"""The charts of a run: everything on one time axis, as coordinates for the template. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import ceil, log2
from typing import NamedTuple

from .timeline import SAMPLE_S, ActionApplied, ActionUndone, AlertSeen, Marked, Timeline

WIDTH = 960.0
TRAFFIC_H, PROBE_H, LANE_H, ALERT_H = 120.0, 70.0, 22.0, 34.0
SMOOTH = round(1.0 / SAMPLE_S)
"""Samples that the mean of a curve is over: a second. Clients try twice a second, which would be a saw."""
BUSIEST = 3
"""Ports with a curve of their own."""
TICKS = 10
NICE = (1, 2, 3, 5, 10)
ROUND = (1, 2, 5, 10)
LETTER = 6.6
"""Width of a letter in a lane, about."""
MARK_W = 4.0
"""Width of a place for alerts."""
MOST_NAMED = 4
MOST_POINTS = 480
"""Points of a curve; of more samples only every second one is drawn, or fewer."""
LATE = 0.6
"""Share of the width from which on a label stands left of its bar."""
TONES = {"succeeded": "bad", "failed": "good", "not attempted": "off", "not over": "off"}


class Curve(NamedTuple):
    """A line through the samples; `area` closes it along the bottom."""

    name: str
    line: str
    area: str
    most: float


class Bar(NamedTuple):
    """Something that lasts, in a lane of its own.

    Attributes:
        tone: its colour.
        anchor, text_x: where its words stand.
        ready_x: to here it was being carried out; None where there is no such time.
    """

    x: float
    width: float
    label: str
    tone: str
    text_x: float
    anchor: str
    ready_x: float | None = None


class Tick(NamedTuple):
    """A place on the axis."""

    x: float
    label: str


class AlertMark(NamedTuple):
    """Alerts of one moment: the taller, the more."""

    x: float
    height: float
    severity: int
    title: str


class Charts(NamedTuple):
    """All charts of a run; `ends_s` is the right edge."""

    ends_s: float
    traffic: tuple[Curve, ...]
    traffic_top: float
    probes: tuple[Curve, ...]
    probes_top: float
    stages: tuple[tuple[Bar, ...], ...]
    alerts: tuple[AlertMark, ...]
    actions: tuple[Bar, ...]
    phases: tuple[Tick, ...]
    ticks: tuple[Tick, ...]


class Scale(NamedTuple):
    """From seconds to the drawing."""

    ends_s: float

    def x(self, at_s: float) -> float:
        """Where a moment is drawn."""
        return round(min(max(at_s, 0.0), self.ends_s) / self.ends_s * WIDTH, 1)


def charts(run: Timeline) -> Charts:
    """Everything drawn over time."""
    scale = Scale(max(1.0, ceil(run.ends_s * 2) / 2))
    traffic = traffic_curves(run, scale)
    served = smooth(run.series.served_per_s)
    tries = smooth(run.series.tries_per_s)
    most = nice(max([*tries, 1.0]))
    probes = (
        _curve("tries", run.series.at_s, tries, most, PROBE_H, scale),
        _curve("served", run.series.at_s, served, most, PROBE_H, scale),
    )
    return Charts(
        ends_s=scale.ends_s,
        traffic=traffic,
        traffic_top=nice(max([1.0, *(c.most for c in traffic)])),
        probes=probes,
        probes_top=most,
        stages=tuple(_stage_lanes(run, scale)),
        alerts=tuple(_alert_marks(run, scale)),
        actions=tuple(_action_bars(run, scale)),
        phases=tuple(Tick(scale.x(e.at_s), e.phase) for e in run.events if isinstance(e, Marked)),
        ticks=tuple(_ticks(scale)),
    )


def traffic_curves(run: Timeline, scale: Scale) -> tuple[Curve, ...]:
    """All that enters the network, then the ports with most of it."""
    entering = {
        p.key: smooth(run.series.ports[p.key].packets_in_per_s)
        for p in run.facts.ports
        if p.zone != "link" and p.key in run.series.ports
    }
    whole = [sum(column) for column in zip(*entering.values(), strict=True)]
    top = nice(max([1.0, *whole]))
    busiest = sorted(entering, key=lambda key: -sum(entering[key]))[:BUSIEST] if len(entering) > 1 else []
    labels = port_labels(run)
    curves = [_curve("all ports", run.series.at_s, whole, top, TRAFFIC_H, scale)]
    return (
        *curves,
        *(_curve(labels[k], run.series.at_s, entering[k], top, TRAFFIC_H, scale) for k in busiest if any(entering[k])),
    )


def port_labels(run: Timeline) -> Mapping[str, str]:
    """Port → its name and who hangs on it."""
    found = {}
    for port in run.facts.ports:
        many = len(port.members) > 1
        found[port.key] = f"{port.key} ({port.zone if many else port.members[0] if port.members else port.zone})"
    return found


def smooth(values: Sequence[float]) -> list[float]:
    """The mean over the second before."""
    return [sum(part := values[max(0, n + 1 - SMOOTH) : n + 1]) / len(part) for n in range(len(values))]


def nice(value: float, steps: Sequence[int] = NICE) -> float:
    """The next round figure, at least 1."""
    scale = 10.0 ** (len(str(int(max(value, 1.0)))) - 1)
    return next(step * scale for step in steps if step * scale >= value)


def _curve(name: str, at_s: Sequence[float], values: Sequence[float], top: float, height: float, scale: Scale) -> Curve:
    step = max(1, -(-len(at_s) // MOST_POINTS))
    drawn = list(zip(at_s, values, strict=True))[::step]
    points = [(scale.x(at), round(height - value / top * height, 1)) for at, value in drawn]
    if not points:
        return Curve(name, "", "", 0.0)
    line = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
    return Curve(name, line, f"{line}V{height:g}H{points[0][0]:g}Z", max(values))


def _stage_lanes(run: Timeline, scale: Scale) -> Iterator[tuple[Bar, ...]]:
    """A lane for each stage; only the last time that it was tried bears its words."""
    for stage in run.facts.stages:
        tried = [t for t in run.tries() if t.stage == stage.index]
        good = sum(t.word == "succeeded" for t in tried)
        often = f" at last; {good} of {len(tried)} succeeded" if len(tried) > 1 else ""
        words = f"{stage.index + 1} {stage.means}: {tried[-1].word if tried else 'never came'}{often}"
        bars = [_bar(scale, t.from_s, t.to_s, words, TONES[t.word]) for t in tried]
        if not bars:
            bars = [_bar(scale, scale.ends_s, scale.ends_s, words, "off")]
        yield (*(bar._replace(label="") for bar in bars[:-1]), bars[-1])


def _action_bars(run: Timeline, scale: Scale) -> Iterator[Bar]:
    gone = next((e.at_s for e in run.events if isinstance(e, ActionUndone)), scale.ends_s)
    for event in (e for e in run.events if isinstance(e, ActionApplied)):
        held = event.outcome in {"confirmed", "unchanged"}
        for mitigation in event.mitigations if held else ():
            label = f"{mitigation.action} on {', '.join(mitigation.places)}"
            yield _action(scale, event.began_s, gone, label, "act")._replace(ready_x=scale.x(event.at_s))
        if not held or not event.mitigations:
            what = "; ".join(event.actions) or "no action"
            yield _action(scale, event.began_s, event.at_s, f"{what}: {event.outcome}", "act" if held else "off")


def _action(scale: Scale, start: float, end: float, label: str, tone: str) -> Bar:
    """Its words, which may be many, stand above it."""
    x, right = scale.x(start), max(scale.x(start) + 3.0, scale.x(end))
    late = x + len(label) * LETTER > WIDTH
    return Bar(x, right - x, label, tone, right if late else x, "end" if late else "start")


def _bar(scale: Scale, start: float, end: float, label: str, tone: str) -> Bar:
    """Its words stand in it where they fit, else beside it."""
    x, right = scale.x(start), max(scale.x(start) + 3.0, scale.x(end))
    if right - x > len(label) * LETTER + 12:
        return Bar(x, right - x, label, tone, x + 6, "start")
    late = x > LATE * WIDTH
    return Bar(x, right - x, label, tone, x - 6 if late else right + 6, "end" if late else "start")


def _alert_marks(run: Timeline, scale: Scale) -> Iterator[AlertMark]:
    """One mark for what would stand in the same place."""
    places: dict[float, list[AlertSeen]] = {}
    for event in (e for e in run.events if isinstance(e, AlertSeen)):
        places.setdefault(scale.x(event.at_s) // MARK_W * MARK_W, []).append(event)
    for x, events in places.items():
        count = sum(e.count for e in events)
        known = dict.fromkeys(f"{e.signature_id} {e.name}".strip() for e in events)
        height = min(ALERT_H, 12 + 4 * log2(count))
        severity = min(e.severity for e in events)
        yield AlertMark(x, round(height, 1), severity, f"{count} alerts: {', '.join(list(known)[:MOST_NAMED])}")


def _ticks(scale: Scale) -> Iterator[Tick]:
    step = nice(scale.ends_s / TICKS, ROUND)
    for number in range(int(scale.ends_s / step) + 1):
        yield Tick(scale.x(number * step), f"{number * step:g}")
