"""When a stage may be tried at all: the same word for packets and for the fast model."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from labs.scenario import Case, Stage


def obstacle(case: Case, stage: Stage, needs: Sequence[str], succeeded: Collection[int]) -> str:
    """Why a stage cannot be tried; empty when it can.

    A means that needs others needs one of them to have succeeded earlier. A stage that starts from a host which an
    earlier stage attacks needs that attack to have succeeded: without it there is nobody on the host (our choice).
    Where an implant of the attacker runs from the beginning, both are given.

    Args:
        case: whose stage it is.
        stage: the one to be tried.
        needs: of its means.
        succeeded: indexes of the stages that succeeded so far.
    """
    if stage.source_host in case.infected:
        return ""
    earlier = [s for s in case.stages if s.index < stage.index]
    done = [s for s in earlier if s.index in succeeded]
    if needs and not any(s.means in needs for s in done):
        return f"needs {' or '.join(needs)} to have succeeded before"
    taken = [s for s in earlier if stage.source_host and s.target_host == stage.source_host]
    if taken and not any(s.index in succeeded for s in taken):
        return f"nobody is on {stage.source_host}"
    return ""
