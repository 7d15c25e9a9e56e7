"""Entries below ``/acl/interfaces``. Their ids are arbitrary: the interface is the one they refer to."""

from __future__ import annotations

from dataclasses import dataclass

from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.xml import Element, add, below, ensure, first, leaf

from . import names as n


@dataclass(frozen=True, slots=True)
class Points:
    """A view of the ``<data>`` element."""

    root: Element

    @staticmethod
    def name(point: Element) -> str:
        """The interface an entry refers to: ``Ethernet1``, or ``Ethernet1.7`` for its subinterface 7."""
        ref = first(point, n.REF)
        config = first(ref, n.CONFIG) if ref is not None else None
        base = leaf(config, n.POINT) if config is not None else None
        if base is None or config is None:
            return leaf(point, n.ID) or "?"
        sub = leaf(config, n.REF_SUB)
        return base if sub in (None, "0") else f"{base}.{sub}"

    @property
    def _all(self) -> list[Element]:
        return below(self.root, n.ACLS, n.POINTS, n.POINT)

    def all(self, interface: str) -> list[Element]:
        """The entries that refer to an interface."""
        return [p for p in self._all if self.name(p) == interface]

    def get(self, interface: str) -> Element | None:
        """The first of them."""
        return next((p for p in self._all if self.name(p) == interface), None)

    def made(self, interface: str) -> Element:
        """The entry of an interface, made when there is none.

        Raises:
            DialectError: no such interface is in the configuration, so that nothing could be referred to.
        """
        if (found := self.get(interface)) is not None:
            return found
        base, sub = self._referred(interface)
        point = add(ensure(ensure(self.root, n.ACLS), n.POINTS), n.POINT)
        name = self._free(interface)
        add(point, n.ID, name)
        add(add(point, n.CONFIG), n.ID, name)
        ref = add(add(point, n.REF), n.CONFIG)
        add(ref, n.POINT, base)
        if sub is not None:
            add(ref, n.REF_SUB, sub)
        return point

    def _referred(self, interface: str) -> tuple[str, str | None]:
        """Base interface and index of the subinterface."""
        known = {leaf(i, n.IF_NAME): i for i in below(self.root, n.INTERFACES, n.INTERFACE)}
        if interface in known:
            return interface, None
        base, _, sub = interface.rpartition(".")
        if base in known and sub in {leaf(s, n.IF_INDEX) for s in known[base].iterfind(f"{n.IF_SUBS}/{n.IF_SUB}")}:
            return base, sub
        raise DialectError(f"interface {interface} is not in the configuration: no ACL can be attached there")

    def _free(self, interface: str) -> str:
        """An id that no other interface's entry has taken."""
        taken = {leaf(p, n.ID) for p in self._all}
        return interface if interface not in taken else f"secloop-{interface}"
