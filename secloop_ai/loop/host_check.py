"""Check mode on hosts: the roles say what they would change, and change nothing."""

from __future__ import annotations

from typing import NamedTuple

from secloop_ai.contracts import ChangePlan, HostResult, HostStep

from .context import Context
from .host_commit import attempt


class Rehearsed(NamedTuple):
    """What the hosts answered.

    Attributes:
        diff: Ansible diff entries, one for each host that told of a change.
    """

    story: tuple[str, ...]
    diff: tuple[dict[str, str], ...]


def rehearse(context: Context, plan: ChangePlan) -> Rehearsed:
    """Run a plan's roles in check mode, or the undo of a removal's."""
    step = HostStep.APPLY if plan.purpose == "respond" else HostStep.UNDO
    found = attempt(context.host_runner(), plan.hosts, step, check=True)
    told = [r for r in found if r.diff]
    diff = ({"prepared": f"what the roles would change on {r.host}:\n" + "\n".join(r.diff) + "\n"} for r in told)
    return Rehearsed(tuple(map(_line, found)), tuple(diff))


def _line(result: HostResult) -> str:
    if not result.ok:
        return f"{result.host}: the roles do not pass check mode at {result.task or 'Ansible'}: {result.message}"
    return f"{result.host}: {'the roles would change it' if result.changed else 'nothing would have to change'}"
