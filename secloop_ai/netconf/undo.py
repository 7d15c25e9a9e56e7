"""Settling a commit on one device: confirm it, or take it back, whatever happens to the session."""

from __future__ import annotations

import time
from collections.abc import Iterator

from secloop_ai.contracts import CapabilityError, ConnectError, DeviceError, RpcFailure, VerifyError

from .member import Member
from .settle import settler_of

PAUSES_S = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0)
"""Before each try, in seconds."""


def confirm(member: Member) -> None:
    """Make the commit permanent, as often as it takes and is of use.

    Leaves the member `confirmed`; or `undone` when the device has rolled back already; or `in_doubt`.

    Raises:
        DeviceError: not confirmed; what the last try met.
    """
    last: DeviceError | None = None
    for again in _tries(member):
        try:
            settler_of(member).confirm(member, again=again)
        except (ConnectError, RpcFailure) as error:
            last = error
            continue
        _note_retry(member, last)
        return
    if last is not None:
        member.in_doubt(f"{last.reason}; {member.by_itself}", last.operation, cause=last)
        raise last


def take_back(member: Member) -> None:
    """Undo the commit and see that the base is back; a lost session is replaced.

    Leaves the member `undone`; or `confirmed`, when an earlier confirmation turns out to have got through; or
    `in_doubt`, with what was seen.

    Raises:
        DeviceError: in doubt; why.
    """
    last: DeviceError | None = None
    for _ in _tries(member):
        earlier = last
        try:
            last = settler_of(member).take_back(member)
        except (ConnectError, CapabilityError, RpcFailure, VerifyError) as error:
            last = error
        if last is None:
            _note_retry(member, earlier)
            return
    if last is not None:
        member.in_doubt(f"{last.reason}; {member.by_itself}", last.operation, cause=last)
        raise last


def _note_retry(member: Member, error: DeviceError | None) -> None:
    if error is not None:
        member.notes.append(f"{error}; a further try settled it")


def _tries(member: Member) -> Iterator[bool]:
    """False for the first try, True for each further one; none after the device's own timeout, but at least one."""
    for count, pause in enumerate(PAUSES_S):
        if count and time.monotonic() + pause > member.deadline:
            return
        time.sleep(pause)
        yield count > 0
