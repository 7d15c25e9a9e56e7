"""Ports whose administrative state is one leaf (``enable`` or ``disable``), as a section that dialects share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from secloop_ai.contracts import AdminOp, DeviceModel, InterfaceState, TaggedOp
from secloop_ai.contracts.errors import DialectError

from .compose import of_kind
from .tree import Node
from .xml import Element, add, leaf, move

UP, DOWN = "enable", "disable"


@dataclass(frozen=True)
class AdminStates:
    """The section. A port without the leaf is up; there is no place for a tag, so the ledger alone knows whose it is.

    Attributes:
        sites: every port of a configuration, by its name in the inventory.
        state: name of the leaf, in Clark notation.
        path: readable path of a port, with ``{}`` for its name.
        tables: how this part is built.
    """

    sites: Callable[[Element], Iterable[tuple[str, Element]]]
    state: str
    path: str
    kind: ClassVar = AdminOp
    tables: tuple[Node, ...]

    def read(self, root: Element) -> DeviceModel:
        """Administrative states."""
        found = ((name, leaf(element, self.state)) for name, element in self.sites(root))
        states = [InterfaceState(name=name, enabled=text != DOWN, explicit=text is not None) for name, text in found]
        return DeviceModel(interfaces=tuple(states))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Set the states.

        Raises:
            DialectError: the configuration does not hold the interface.
        """
        mine = of_kind(ops, AdminOp)
        there = dict(self.sites(root)) if mine else {}
        for _, op in mine:
            if op.interface not in there:
                raise DialectError(f"interface {op.interface} is not in the configuration: its state cannot be set")
            if (leaf(there[op.interface], self.state) or UP) != _text(op.enabled):
                self._set(there[op.interface], op.enabled)

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Restore the prior state of those that still have the operation's; of several for one, the first's."""
        mine = of_kind(ops, AdminOp)
        there = dict(self.sites(root)) if mine else {}
        for _, op in reversed(mine):
            site = there.get(op.interface)
            if site is not None and leaf(site, self.state) == _text(op.enabled):
                self._set(site, op.prior)

    def tags(self, root: Element) -> Iterator[str]:  # noqa: ARG002 - the section's shape
        """None."""
        yield from ()

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """Key and state of the ports."""
        mine = of_kind(ops, AdminOp)
        there = dict(self.sites(root)) if mine else {}
        for _, op in mine:
            site = there.get(op.interface)
            shown = [] if site is None else [site[0], *site.findall(self.state)]
            yield f"{self.path.format(op.interface)}/{self.state.rpartition('}')[2]}", shown

    def _set(self, site: Element, enabled: bool | None) -> None:  # noqa: FBT001 - one plain value
        """Write the leaf behind the key, or take it away for None."""
        held = site.find(self.state)
        if enabled is None:
            if held is not None:
                site.remove(held)
        elif held is None:
            move(site, 1, add(site, self.state, _text(enabled)))
        else:
            held.text = _text(enabled)


def _text(enabled: bool) -> str:  # noqa: FBT001 - one plain value
    return UP if enabled else DOWN
