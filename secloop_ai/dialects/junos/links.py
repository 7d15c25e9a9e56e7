"""Ports: ``disable`` on an interface or on a unit of it. No place for a tag; the ledger alone knows whose it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from secloop_ai.contracts import AdminOp, DeviceModel, InterfaceState, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, first, leaf, local, move

from . import names as n
from .activity import active, open_to_change


@dataclass(frozen=True)
class Links:
    """Interfaces and units, as a section of the dialect."""

    n: n.Names
    kind: ClassVar = AdminOp

    @property
    def tables(self) -> tuple[Node, ...]:
        """How this part is built: the configuration is one tree."""
        return (n.table(self.n),)

    def read(self, root: Element) -> DeviceModel:
        """Administrative states; a unit of an interface that is down is down."""
        return DeviceModel(interfaces=tuple(self._states(root)))

    def _states(self, root: Element) -> Iterator[InterfaceState]:
        i = self.n.ifs
        for interface in self._interfaces(root):
            name, down = leaf(interface, i.name) or "", self._disabled(interface)
            yield InterfaceState(name=name, enabled=not down, explicit=down)
            for unit in interface.iterfind(i.unit):
                shut = self._disabled(unit)
                yield InterfaceState(name=f"{name}.{leaf(unit, i.name)}", enabled=not (down or shut), explicit=shut)

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Set the ports' states.

        Raises:
            DialectError: the configuration does not hold the interface, or takes no change of it.
        """
        for _, op in of_kind(ops, AdminOp):
            port = self._port(root, op.interface)
            if port is None:
                raise DialectError(f"interface {op.interface} is not in the configuration: its state cannot be set")
            held = port.find(self.n.ifs.disable)
            if self._disabled(port) == op.enabled:
                open_to_change(port if held is None else held, f"{op.interface}: its state cannot be set")
                self._set(port, down=not op.enabled)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Restore the prior state of ports that still have the operation's; of several for one port, the first's."""
        for _, op in reversed(of_kind(ops, AdminOp)):
            port = self._port(root, op.interface)
            if port is not None and self._disabled(port) != op.enabled:
                self._set(port, down=op.prior is False)

    def tags(self, root: Element) -> Iterator[str]:  # noqa: ARG002 - the section's shape
        """None: there is no place for one."""
        yield from ()

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """The ports' states."""
        i = self.n.ifs
        for _, op in of_kind(ops, AdminOp):
            port = self._port(root, op.interface)
            state = [] if port is None else [e for e in port if e.tag in (i.name, i.disable)]
            yield f"/interfaces//{op.interface}/disable", state

    def _interfaces(self, root: Element) -> Iterator[Element]:
        return root.iterfind(f"{self.n.configuration}/{self.n.ifs.interfaces}/{self.n.ifs.interface}")

    def _port(self, root: Element, name: str) -> Element | None:
        """The interface, or the unit, of that name."""
        i = self.n.ifs
        interface_name, _, number = name.partition(".")
        for interface in self._interfaces(root):
            if leaf(interface, i.name) != interface_name:
                continue
            if not number:
                return interface
            return next((u for u in interface.iterfind(i.unit) if leaf(u, i.name) == number), None)
        return None

    def _disabled(self, port: Element) -> bool:
        """Whether it is disabled itself; a deactivated statement, or one in something deactivated, does not count."""
        held = first(port, self.n.ifs.disable)
        return held is not None and active(held)

    def _set(self, port: Element, *, down: bool) -> None:
        held = port.find(self.n.ifs.disable)
        if held is not None and not down:
            port.remove(held)
        elif held is None and down:
            made = add(port, self.n.ifs.disable)
            before = [c for c in port if c is not made and local(c) in ("name", "description")]
            move(port, len(before), made)
