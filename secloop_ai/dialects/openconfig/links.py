"""Ports and subinterfaces: administrative state in openconfig-interfaces, which has no place for a tag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from secloop_ai.contracts import AdminOp, DeviceModel, InterfaceState, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, ensure, leaf

from . import names as n

_STATE = f"{n.IF_CONFIG}/{n.IF_ENABLED}"
_WORD = {True: "true", False: "false"}


class Links:
    """Interfaces and whether they are enabled, as a section of the dialect."""

    kind: ClassVar = AdminOp
    tables: tuple[Node, ...] = (n.LINK_TABLE,)

    def read(self, root: Element) -> DeviceModel:
        """Administrative states; an interface without one is up."""
        found = [(name, leaf(element, _STATE)) for name, element in _interfaces(root)]
        states = [InterfaceState(name=name, enabled=text != "false", explicit=text is not None) for name, text in found]
        return DeviceModel(interfaces=tuple(states))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Set the ports' states.

        Raises:
            DialectError: the configuration does not hold the interface.
        """
        for _, op in of_kind(ops, AdminOp):
            interface = _interface(root, op.interface)
            if interface is None:
                raise DialectError(f"interface {op.interface} is not in the configuration: its state cannot be set")
            if (leaf(interface, _STATE) or "true") != _WORD[op.enabled]:
                _set(interface, op.enabled)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Restore the prior state of ports that still have the operation's; of several for one port, the first's."""
        for _, op in reversed(of_kind(ops, AdminOp)):
            interface = _interface(root, op.interface)
            if interface is not None and leaf(interface, _STATE) == _WORD[op.enabled]:
                _set(interface, op.prior)

    def tags(self, root: Element) -> Iterator[str]:  # noqa: ARG002 - the section's shape
        """None: there is no place for one."""
        yield from ()

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The ports' states."""
        for _, op in of_kind(ops, AdminOp):
            interface = _interface(root, op.interface)
            held = [] if interface is None else interface.findall(_STATE)
            yield f"/interfaces//{op.interface}/config/enabled", held


def _interfaces(root: Element) -> Iterator[tuple[str, Element]]:
    """Interfaces by name, each followed by its subinterfaces: ``Ethernet1.7``; number 0 is the interface itself."""
    for interface in root.iterfind(f"{n.INTERFACES}/{n.INTERFACE}"):
        name = leaf(interface, n.IF_NAME) or ""
        yield name, interface
        for sub in interface.iterfind(f"{n.IF_SUBS}/{n.IF_SUB}"):
            if (index := leaf(sub, n.IF_INDEX)) != "0":
                yield f"{name}.{index}", sub


def _interface(root: Element, name: str) -> Element | None:
    return next((element for known, element in _interfaces(root) if known == name), None)


def _set(interface: Element, enabled: bool | None) -> None:  # noqa: FBT001 - one plain value
    """Write the leaf, or take it away for None, and its container when that is left empty."""
    config = ensure(interface, n.IF_CONFIG)
    state = config.find(n.IF_ENABLED)
    if enabled is not None:
        (add(config, n.IF_ENABLED) if state is None else state).text = _WORD[enabled]
    elif state is not None:
        config.remove(state)
    if len(config) == 0:
        interface.remove(config)
