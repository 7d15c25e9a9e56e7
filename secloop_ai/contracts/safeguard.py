"""What takes a change back when its controller is gone, written down before any device hears of it."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field, SecretStr

from .base import Frozen, Name
from .environment import Device
from .plan import TaggedOp


class DeviceUndo(Frozen):
    """How one device that cannot undo a commit by itself is put back.

    Attributes:
        path: the way it takes the change, as ``candidate`` or ``running``.
        edit: children of ``<config>`` that turn what the change leaves behind into what was there before.
        after: digests of the touched subtrees once the change is in, as ``Dialect.digests`` names them: while the
            device holds these, `edit` is exact. When somebody else has changed them since, only our entries leave.
        before: the same digests without the change.
        touched: all operations of the change: what the digests are about.
        operations: those of them that change something here: what was so already is not ours to undo.
        removal: whether the change takes away, so that undoing it puts back.
    """

    device: Name
    path: str
    edit: str
    after: dict[str, str]
    before: dict[str, str]
    touched: tuple[TaggedOp, ...] = ()
    operations: tuple[TaggedOp, ...] = ()
    removal: bool = False


class Safeguard(Frozen):
    """What an open commit leaves for others to find.

    Attributes:
        owner: the process that works on it: ``machine/process id/its start``.
        watchdog: folder of the watchdog's files; empty when every device can undo by itself.
        undos: of the devices that cannot.
    """

    owner: str = ""
    watchdog: str = ""
    undos: tuple[DeviceUndo, ...] = Field(default=())

    def of(self, device: str) -> DeviceUndo | None:
        """How that device is put back; None when it does so itself."""
        return next((u for u in self.undos if u.device == device), None)


class Watched(NamedTuple):
    """One device for a watchdog.

    Attributes:
        password: handed over in memory; never on disk.
        session: id of the NETCONF session that makes the change: its locks may outlive its controller.
    """

    device: Device
    password: SecretStr | None
    session: str
    undo: DeviceUndo
