"""Undoing a change on one device in its controller's stead: what a watchdog does when time is up."""

from __future__ import annotations

from secloop_ai.contracts import DeviceError, Dialect, RpcFailure, Watched

from .paths import choose_path
from .revert import locked, revert
from .session import Session, open_session


def rescue(watched: Watched, dialect: Dialect, *, end_maker: bool) -> bool:
    """Take the change back over a session of our own; whether there was anything to take back.

    Args:
        watched: the device, and what is to be undone there.
        dialect: the device's.
        end_maker: whether the session that made the change may be ended where it still holds the locks. Only for a
            short time after the change: session ids are given anew some day.

    Side effects: the inverse edit, in effect on the device at once.

    Raises:
        DeviceError: it could not be done now; nobody knows how the device stands.
        DialectError: its configuration cannot be read.
    """
    session = open_session(watched.device, watched.password)
    try:
        path = choose_path(session, watched.device)
        try:
            with locked(session, path, watched.device):
                return revert(session, path, dialect, watched.undo)
        except RpcFailure as error:
            if end_maker and error.operation == "lock" and watched.session:
                _kill(session, watched.session)
            raise
    finally:
        session.close()


def _kill(session: Session, session_id: str) -> None:
    try:
        session.kill(session_id)
    except DeviceError as error:
        raise RpcFailure(
            f"locked, and session {session_id} that made the change cannot be ended: {error.reason}",
            device=error.device,
            operation=error.operation,
            error_tag=error.error_tag,
        ) from error
