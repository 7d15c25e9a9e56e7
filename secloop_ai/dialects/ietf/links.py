"""Ports: administrative state in ietf-interfaces. No place for a tag there; the ledger alone knows whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from secloop_ai.contracts import AdminOp, DeviceModel, InterfaceState, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, leaf, move

from . import names as n


class Links:
    """RFC 8343 interfaces, as a section of the dialect."""

    kind: ClassVar = AdminOp
    tables: tuple[Node, ...] = (n.LINK_TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """Administrative states."""
        found = [
            (leaf(i, n.IF_NAME) or "", leaf(i, n.IF_ENABLED)) for i in root.iterfind(f"{n.INTERFACES}/{n.INTERFACE}")
        ]
        states = [InterfaceState(name=name, enabled=text != "false", explicit=text is not None) for name, text in found]
        return DeviceModel(interfaces=tuple(states))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Set the ports' states.

        Raises:
            DialectError: the configuration does not hold the interface, and its type is not ours to guess.
        """
        for _, op in of_kind(ops, AdminOp):
            interface = _interface(root, op.interface)
            if interface is None:
                raise DialectError(f"interface {op.interface} is not in the configuration: its state cannot be set")
            if (leaf(interface, n.IF_ENABLED) or "true") != _text(op.enabled):
                _set(interface, op.enabled)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Restore the prior state of ports that still have the operation's; of several for one port, the first's."""
        for _, op in reversed(of_kind(ops, AdminOp)):
            interface = _interface(root, op.interface)
            if interface is not None and leaf(interface, n.IF_ENABLED) == _text(op.enabled):
                _set(interface, op.prior)

    def tags(self, root: Element) -> Iterator[str]:  # noqa: ARG002 - the section's shape
        """None: there is no place for one."""
        yield from ()

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The ports' states."""
        for _, op in of_kind(ops, AdminOp):
            interface = _interface(root, op.interface)
            state = (
                [leaf for leaf in interface if leaf.tag in (n.IF_NAME, n.IF_ENABLED)] if interface is not None else []
            )
            yield f"/interfaces/interface[name='{op.interface}']/enabled", state


def _interface(root: Element, name: str) -> Element | None:
    found = root.iterfind(f"{n.INTERFACES}/{n.INTERFACE}")
    return next((i for i in found if leaf(i, n.IF_NAME) == name), None)


def _text(enabled: bool) -> str:  # noqa: FBT001 - one plain value
    return "true" if enabled else "false"


def _set(interface: Element, enabled: bool | None) -> None:  # noqa: FBT001 - one plain value
    """Write the leaf, or take it away for None."""
    state = interface.find(n.IF_ENABLED)
    if enabled is None:
        if state is not None:
            interface.remove(state)
    elif state is None:
        index = sum(1 for child in interface if child.tag in n.IF_BEFORE_ENABLED)
        move(interface, index, add(interface, n.IF_ENABLED, _text(enabled)))
    else:
        state.text = _text(enabled)
