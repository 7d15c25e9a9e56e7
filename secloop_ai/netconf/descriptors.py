"""Room for the open files of many sessions."""

from __future__ import annotations

import resource

from secloop_ai.contracts import SettingsError

PER_SESSION = 6
"""Open files of one session: its socket, the pair that rings its bell, its selector, and one to spare for a probe."""
REST = 128
"""Open files of everything else: ledger, probes, logs."""


def make_room(sessions: int) -> None:
    """Raise the limit of open files, as far as the system lets us, to what that many sessions need.

    Side effects: this process's soft limit, never lowered.

    Raises:
        SettingsError: the hard limit is too low; says what it should be.
    """
    needed = REST + PER_SESSION * sessions
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise SettingsError(
            f"{sessions} devices at a time need {needed} open files, and the system allows {hard}: "
            f"raise it (ulimit -Hn {needed}, or LimitNOFILE= of the service), or change fewer devices at a time"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
