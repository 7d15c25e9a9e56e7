"""A run in sentences: one for each event, and the verdict. Nothing in them was written by an attacker."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from labs.scenario import Kind
from labs.validator.measurement import Measurement
from secloop_ai.loop.story import seconds

from .timeline import (
    ActionApplied,
    ActionUndone,
    AlertSeen,
    CaseFacts,
    Event,
    Marked,
    ProbeTurned,
    StageEnded,
    StageFact,
    StageStarted,
    Timeline,
)

Lane = Literal["phase", "attack", "alert", "action", "probe"]
Tone = Literal["plain", "bad", "good", "warn", "act"]
WORDS = ("strategy", "refusals")
"""Of a verdict's row: lists of sentences, no figures."""


class Line(NamedTuple):
    """An event as a person reads it."""

    at_s: float
    lane: Lane
    tone: Tone
    text: str

    def row(self) -> dict[str, object]:
        """For a table."""
        return {"at_s": self.at_s, "lane": self.lane, "event": self.text}


def lines(run: Timeline) -> tuple[Line, ...]:
    """Every event of a run."""
    return tuple(line(e, run.facts) for e in run.events)


def line(event: Event, facts: CaseFacts) -> Line:
    """One event."""
    at = event.at_s
    if isinstance(event, Marked):
        return Line(at, "phase", "plain", event.phase)
    if isinstance(event, StageStarted | StageEnded):
        return _stage_line(event, facts)
    if isinstance(event, AlertSeen):
        return Line(at, "alert", "warn", _alert_text(event, facts))
    if isinstance(event, ProbeTurned):
        word = "is served again by" if event.served else "is no longer served by"
        return Line(at, "probe", "good" if event.served else "bad", f"{event.client} {word} {event.service}")
    return _action_line(event)


def _stage_line(event: StageStarted | StageEnded, facts: CaseFacts) -> Line:
    stage = next((s for s in facts.stages if s.index == event.stage), None)
    name = stage_name(stage, facts) if stage else f"stage {event.stage + 1}"
    if isinstance(event, StageStarted):
        return Line(event.at_s, "attack", "warn", f"{name} begins")
    detail = f": {event.detail}" if event.detail else ""
    if not event.attempted:
        return Line(event.at_s, "attack", "good", f"{name} was not attempted{detail}")
    word = "succeeded" if event.succeeded else "failed"
    return Line(event.at_s, "attack", "bad" if event.succeeded else "good", f"{name} {word}{detail}")


def _action_line(event: ActionApplied | ActionUndone) -> Line:
    if isinstance(event, ActionUndone):
        left = f"; still there: {'; '.join(event.failures)}" if event.failures else ""
        gone = ", ".join(event.removed)
        return Line(event.at_s, "action", "act", f"undone: {gone or 'nothing was on the network'}{left}")
    what = "; ".join(event.actions) or "nothing"
    why = f" ({'; '.join(event.reasons)})" if event.reasons else ""
    took = f" in {event.at_s - event.began_s:.1f} s" if event.at_s > event.began_s else ""
    where = ", ".join(f"{d.name} {d.state}" for d in event.devices)
    place = f" on {where}" if where else ""
    tone: Tone = "act" if event.outcome in {"confirmed", "unchanged"} else "bad"
    return Line(event.at_s, "action", tone, f"{event.policy}: {what}: {event.outcome}{place}{took}{why}")


def _alert_text(event: AlertSeen, facts: CaseFacts) -> str:
    port = f":{event.destination_port}" if event.destination_port is not None else ""
    times = f"{event.count} x " if event.count > 1 else ""
    ends = f"{_who(event.source, facts)} to {_who(event.destination, facts)}{port}"
    name = f" {event.name}" if event.name else ""
    return f"{times}sid {event.signature_id}{name} ({event.classification}), {ends}"


def _who(address: object, facts: CaseFacts) -> str:
    """The node's name, where the case knows the address."""
    return next((f"{n.name} {address}" for n in facts.nodes if address in n.addresses), str(address))


def stage_name(stage: StageFact, facts: CaseFacts) -> str:
    """A stage: its number, means and ends."""
    source = stage.source_host or _who(stage.source, facts)
    target = stage.target_host or _who(stage.target, facts)
    place = f"{target}/{stage.service}" if stage.service else target
    return f"stage {stage.index + 1} {stage.means} from {source} to {place}"


def headline(run: Timeline) -> tuple[Tone, str]:
    """The verdict in a sentence."""
    verdict = run.verdict
    if not verdict.valid:
        return "warn", "Void: the attack does not succeed undefended, so this run proves nothing."
    if verdict.refusals:
        shown = "" if run.mode == "mid-attack" else ": what is shown is the undefended run"
        return "bad", f"The guard refused the strategy, so nothing was executed{shown}."
    if verdict.kind is not Kind.ATTACK:
        return _peaceful(verdict)
    return _fought(run)


def _fought(run: Timeline) -> tuple[Tone, str]:
    verdict = run.verdict
    if run.mode == "undefended":
        return "bad", f"Nobody defends: {_stages(verdict)} succeeded."
    lost = _lost(verdict)
    if verdict.correct:
        return "good", "The attack was stopped, and every legitimate try was served."
    if verdict.rs_attack == 0:
        return "warn", f"The attack was stopped, but {lost or 'the strategy was not executed whole'}."
    also = f", and {lost}" if lost else ""
    if verdict.time_to_contain_s is not None:
        when = f"{verdict.time_to_contain_s:.1f} s after the first alert"
        return "warn", f"Contained {when}; until then {_stages(verdict)} succeeded{also}."
    return "bad", f"The attack got through: {_stages(verdict)} succeeded{also}."


def _peaceful(verdict: Measurement) -> tuple[Tone, str]:
    what = "a false alarm" if verdict.kind is Kind.FALSE_ALARM else "a quiet period"
    if verdict.correct:
        return "good", f"Rightly nothing was done: this is {what}."
    return "bad", f"Wrong: this is {what}, and {_lost(verdict) or 'something was done about it'}."


def _stages(verdict: Measurement) -> str:
    return f"{sum(s.succeeded for s in verdict.stages)} of {len(verdict.stages)} stages"


def _lost(verdict: Measurement) -> str:
    return "" if verdict.served else f"{1 - verdict.rs_service:.1%} of the legitimate tries were lost"


def verdict_row(name: str, verdict: Measurement) -> dict[str, Any]:
    """The judge's word on one run, for a table."""
    return {
        "run": name,
        "correct": verdict.correct,
        "valid": verdict.valid,
        "executed": verdict.executed,
        "rs_exe": round(verdict.rs_exe, 3),
        "rs_attack": round(verdict.rs_attack, 3),
        "rs_service": round(verdict.rs_service, 4),
        "tries": verdict.tries,
        "time_to_contain_s": verdict.time_to_contain_s,
        "rollback_exact": verdict.rollback_exact,
        "sensor_alive": verdict.sensor_alive,
        "seconds": verdict.seconds,
    }


def verdict_rows(run: Timeline) -> list[dict[str, Any]]:
    """The run's and, where there is one, its twin's, with what was done and what the guard refused."""
    done = [a for e in run.events if isinstance(e, ActionApplied) for a in e.actions]
    own = verdict_row(run.mode, run.verdict)
    rows = [own, verdict_row("undefended twin", run.twin)] if run.twin else [own]
    own |= {"strategy": done, "refusals": list(run.verdict.refusals)}
    return [{**row, "strategy": row.get("strategy", []), "refusals": row.get("refusals", [])} for row in rows]


__all__ = ["Line", "headline", "line", "lines", "seconds", "stage_name", "verdict_row", "verdict_rows"]
