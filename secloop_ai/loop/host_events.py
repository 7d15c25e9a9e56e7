"""What ansible-runner's events say of each host of a run of roles. Nothing else of an event is kept."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from secloop_ai.contracts import HostResult

Event = Mapping[str, Any]
HERE = {"set_fact", "include_tasks", "include_role", "import_role", "validate_argument_spec", "debug", "assert", "fail"}
"""Tasks that are done on the controller: they have not reached a host."""
FAILED = ("runner_on_failed", "runner_on_unreachable")
REACHED = ("runner_on_ok", "runner_on_failed", "runner_item_on_ok", "runner_item_on_failed")
LOST = {"timeout": "the roles were ended: they had not finished after {0:g} s", "canceled": "the roles were ended"}
ABSENT = "Ansible's inventory has no host of that name"
MESSAGE_LIMIT = 500


class HostTale:
    """One host's part of a run, event by event."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.changed = self.began = False
        self.seconds = 0.0
        self.diff: list[str] = []
        self.task = self.message = self._item = ""

    def hear(self, kind: str, data: Event) -> None:
        """Take in one event of this host."""
        result = data.get("res") or {}
        action = str(data.get("task_action", "")).rsplit(".", 1)[-1]
        self.began = self.began or (kind in REACHED and action not in HERE)
        self.task = str(data.get("task", "")) or self.task
        self.seconds += float(data.get("duration") or 0.0)
        if kind == "runner_item_on_failed":
            self._item = _message(result)  # the task itself will only say that an item failed
        if kind in FAILED and not data.get("ignore_errors"):
            self.message = self._item or _message(result)
        if kind == "runner_on_ok":
            self.changed, self._item = self.changed or bool(result.get("changed")), ""
        if kind in ("runner_on_ok", "runner_item_on_ok"):
            self.diff += diff_lines(result.get("diff"))

    def result(self, *, ok: bool, why: str, ended: bool) -> HostResult:
        """What became of it.

        Args:
            ok: whether it fared well.
            why: what to say where the host itself never spoke.
            ended: whether Ansible came to the end of it; otherwise a task may have been under way unheard of.
        """
        return HostResult(
            host=self.host,
            ok=ok,
            changed=self.changed,
            seconds=round(self.seconds, 3),
            task="" if ok else self.task,
            message="" if ok else self.message or why,
            diff=tuple(self.diff),
            began=self.began or not ended,
        )


def results(
    hosts: Sequence[str], events: Iterable[Event], *, status: str, timeout_s: float
) -> tuple[HostResult, ...] | None:
    """One result per host, in order; None where Ansible came to run nothing at all.

    A failure that a role rescues is none: the run's own statistics say who failed.
    """
    tales = {host: HostTale(host) for host in hosts}
    stats: Event | None = None
    heard = False
    for event in events:
        data = event.get("event_data") or {}
        if event.get("event") == "playbook_on_stats":
            stats = data
        elif (tale := tales.get(str(data.get("host", "")))) is not None:
            heard = True
            tale.hear(str(event.get("event")), data)
    if stats is None and not heard and status not in LOST:
        return None
    why = ABSENT if stats else LOST.get(status, "Ansible broke off").format(timeout_s)
    return tuple(t.result(ok=_fared_well(h, stats), why=why, ended=stats is not None) for h, t in tales.items())


def _fared_well(host: str, stats: Event | None) -> bool:
    if stats is None or host not in stats.get("processed", {}):
        return False
    return not any(host in stats.get(part, {}) for part in ("failures", "dark"))


def _message(result: Event) -> str:
    said = str(next(filter(None, map(result.get, ("msg", "reason", "censored"))), "it gave no reason"))
    return " ".join(said.split())[:MESSAGE_LIMIT]


def diff_lines(diff: Any) -> list[str]:
    """A task's diff, in any of the shapes that modules give it, as lines."""
    return [line for part in (diff if isinstance(diff, list) else [diff]) for line in _part(part)]


def _part(part: Any) -> list[str]:
    if not isinstance(part, Mapping):
        return []
    if part.get("prepared"):
        return str(part["prepared"]).splitlines()
    before, after = (_lines(part.get(side)) for side in ("before", "after"))
    was, becomes = (str(part.get(f"{side}_header") or side) for side in ("before", "after"))
    return list(difflib.unified_diff(before, after, was, becomes, n=1, lineterm=""))


def _lines(side: Any) -> list[str]:
    if isinstance(side, Mapping):
        return [f"{key}: {value}" for key, value in sorted(side.items())]
    return str(side or "").splitlines()
