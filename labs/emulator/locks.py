"""Datastore locks (RFC 6241 section 7.5): one holder each, gone with their session."""

from __future__ import annotations

from .errors import RpcError


def lock_denied(holder: int, why: str) -> RpcError:
    """The lock-denied error; `holder` 0 says that no NETCONF session holds the lock."""
    return RpcError("lock-denied", why, kind="protocol", info={"session-id": str(holder)})


class Locks:
    """Who holds which datastore."""

    def __init__(self) -> None:
        self.holders: dict[str, int] = {}

    def take(self, session: int, target: str) -> None:
        """Grant the lock.

        Raises:
            RpcError: lock-denied, with the holder's session-id.
        """
        if (holder := self.holders.get(target)) is not None:
            raise lock_denied(holder, f"session {holder} holds the lock on {target}")
        self.holders[target] = session

    def release(self, session: int, target: str) -> None:
        """Give the lock back.

        Raises:
            RpcError: operation-failed where this session does not hold it.
        """
        if self.holders.get(target) != session:
            raise RpcError("operation-failed", f"this session holds no lock on {target}", kind="protocol")
        del self.holders[target]

    def require_free(self, session: int, *targets: str) -> None:
        """Refuse a change to a datastore that another session has locked.

        Raises:
            RpcError: in-use.
        """
        for target in targets:
            holder = self.holders.get(target, session)
            if holder != session:
                raise RpcError("in-use", f"session {holder} holds the lock on {target}", kind="protocol")

    def held_by(self, session: int) -> list[str]:
        """The datastores that the session has locked."""
        return [target for target, holder in self.holders.items() if holder == session]
