"""What the legitimate checks say about a change. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from secloop_ai.contracts import ProbeResult


class Judgement(NamedTuple):
    """Problems that are ours, and warnings about what was broken before."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def judge(before: Iterable[ProbeResult], seen: Sequence[ProbeResult], rounds: int) -> Judgement:
    """Hold the checks during the change against those before it.

    Args:
        before: results up to the commit.
        seen: results of the phase ``during``, others are passed over.
        rounds: tries that each check owes.

    Returns:
        A check that failed already before is a warning; one that fails, or has answered too seldom, is a problem.
    """
    red = {_key(p) for p in before if p.phase == "before" and p.tries and not p.green}
    problems: list[str] = []
    warnings: list[str] = []
    for probe in (p for p in seen if p.phase == "during"):
        if fault := _fault(probe, rounds):
            known = _key(probe) in red
            (warnings if known else problems).append(fault + (", as it was before the change" if known else ""))
    return Judgement(tuple(problems), tuple(warnings))


def _fault(probe: ProbeResult, rounds: int) -> str:
    label = f"service {probe.service} ({probe.target}) for {probe.client}"
    detail = f": {probe.detail}" if probe.detail else ""
    if probe.failures:
        return f"{label}: {probe.failures} of {probe.tries} tries failed{detail}"
    if probe.tries < rounds:
        return f"{label}: {probe.tries} of {rounds} tries came back in time{detail}"
    return ""


def _key(probe: ProbeResult) -> tuple[str, str, str]:
    return probe.client, probe.service, probe.target
