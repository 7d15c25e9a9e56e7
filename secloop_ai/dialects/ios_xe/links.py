"""Ports: an empty ``shutdown`` leaf. No place for a tag beside it; the ledger alone knows whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from secloop_ai.contracts import AdminOp, DeviceModel, InterfaceState, TaggedOp
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, move

from . import interfaces
from . import names as n


class Links:
    """Administrative state of interfaces, as a section of the dialect."""

    kind: ClassVar = AdminOp
    tables: tuple[Node, ...] = (n.TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """Administrative states; an interface is up unless its configuration shuts it."""
        found = [(name, interface.find(n.SHUTDOWN) is not None) for name, interface in interfaces.listed(root)]
        return DeviceModel(interfaces=tuple(InterfaceState(name=i, enabled=not s, explicit=s) for i, s in found))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Set the ports' states.

        Raises:
            DialectError: the configuration does not hold the interface.
        """
        for _, op in of_kind(ops, AdminOp):
            _set(interfaces.need(root, op.interface, "its state cannot be set"), shut=not op.enabled)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Restore the prior state of ports that still have the operation's; of several for one port, the first's."""
        for _, op in reversed(of_kind(ops, AdminOp)):
            interface = interfaces.find(root, op.interface)
            if interface is not None and (interface.find(n.SHUTDOWN) is None) == op.enabled:
                _set(interface, shut=op.prior is False)

    def tags(self, root: Element) -> Iterator[str]:  # noqa: ARG002 - the section's shape
        """None: there is no place for one."""
        yield from ()

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The ports' states."""
        for _, op in of_kind(ops, AdminOp):
            interface = interfaces.find(root, op.interface)
            state = [] if interface is None else [part for part in interface if part.tag in (n.NAME, n.SHUTDOWN)]
            yield f"{interfaces.path(op.interface)}/shutdown", state


def _set(interface: Element, *, shut: bool) -> None:
    held = interface.find(n.SHUTDOWN)
    if shut and held is None:
        move(interface, sum(1 for part in interface if part.tag == n.NAME), add(interface, n.SHUTDOWN))
    elif not shut and held is not None:
        interface.remove(held)
