"""Static discard routes, each with its tags in its description; those of IPv6 in the table inet6.0."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from typing import ClassVar, NamedTuple

from secloop_ai.contracts import DeviceModel, DiscardOp, IPNetwork, StaticDiscard, TaggedOp
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import of_kind
from secloop_ai.dialects.marks import tags_in, text_with
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element, add, ensure, leaf, local, move

from . import names as n
from .activity import active, open_to_change, parts

_TABLES = ("inet.0", n.RIB)
_DISCARDS = frozenset({"discard", "reject"})


class Route(NamedTuple):
    """A static route, where it stands."""

    element: Element
    prefix: IPNetwork
    tags: tuple[str, ...]

    @property
    def discards(self) -> bool:
        """Whether it throws its traffic away."""
        return any(local(part) in _DISCARDS for part in parts(self.element))


@dataclass(frozen=True)
class Routes:
    """Static routes of the main tables, as a section of the dialect."""

    n: n.Names
    kind: ClassVar = DiscardOp

    @property
    def tables(self) -> tuple[Node, ...]:
        """How this part is built: the configuration is one tree."""
        return (n.table(self.n),)

    def read(self, root: Element) -> DeviceModel:
        """Discard routes; one that stands for several mitigations is listed for each."""
        live = [r for r in self._routes(root) if r.discards and active(r.element)]
        found = [(r.prefix, tag) for r in live for tag in r.tags or (None,)]
        return DeviceModel(discards=tuple(StaticDiscard(prefix=p, tag=t) for p, t in found))

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Add the routes.

        Raises:
            DialectError: somebody else has a static route for the same prefix, or the place takes no change.
        """
        rt = self.n.rt
        for tag, op in of_kind(ops, DiscardOp):
            same = next((r for r in self._routes(root) if r.prefix == op.prefix), None)
            if same is None:
                self._add(root, op, tag)
            elif not same.tags or not same.discards:
                raise DialectError(f"{op.prefix} already has a static route that is not ours")
            else:
                open_to_change(same.element, f"{op.prefix}: no discard route can be set")
            if same is not None and tag not in same.tags:
                ensure(same.element, rt.description).text = text_with(sorted({*same.tags, tag}))

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take the tags off our routes, the routes that have none left, and our table with its last route."""
        gone = {tag for tag, _ in of_kind(ops, DiscardOp)}
        for route in [r for r in self._routes(root) if gone & set(r.tags)]:
            left = [tag for tag in route.tags if tag not in gone]
            if left:
                ensure(route.element, self.n.rt.description).text = text_with(left)
            else:
                self._delete(route.element)

    def tags(self, root: Element) -> Iterator[str]:
        """Tags of our routes."""
        for route in self._routes(root):
            yield from route.tags

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """Every route to one of the prefixes, and what goes with our last one."""
        mine, rt = of_kind(ops, DiscardOp), self.n.rt
        for _, op in mine:
            same = [r.element for r in self._routes(root) if r.prefix == op.prefix]
            yield f"/routing-options//static/route[name='{op.prefix}']", same
        for top in self._tops(root) if mine else ():
            holders = [h for h in self._holders(top) if self._all_ours(h)]
            yield "/routing-options//static", holders
            yield "/routing-options/rib", [r for r in top.iterfind(rt.rib) if self._macro(r) is not None]
            if all(part in holders or self._macro(part) is not None for part in top):
                yield "/routing-options", [top]

    def _tops(self, root: Element) -> list[Element]:
        return root.findall(f"{self.n.configuration}/{self.n.rt.routing_options}")

    def _holders(self, top: Element) -> list[Element]:
        """The ``static`` containers of the main tables."""
        rt = self.n.rt
        ribs = [rib for rib in top.iterfind(rt.rib) if leaf(rib, rt.name) in _TABLES]
        return [static for holder in (top, *ribs) for static in holder.iterfind(rt.static)]

    def _routes(self, root: Element) -> list[Route]:
        rt = self.n.rt
        return [
            Route(element, prefix, self._tags_of(element))
            for top in self._tops(root)
            for static in self._holders(top)
            for element in static.iterfind(rt.route)
            if (prefix := _prefix(leaf(element, rt.name)))
        ]

    def _tags_of(self, route: Element) -> tuple[str, ...]:
        return tags_in(route.findtext(self.n.rt.description))

    def _all_ours(self, static: Element) -> bool:
        return all(part.tag == self.n.rt.route and self._tags_of(part) for part in static)

    def _macro(self, rib: Element) -> Element | None:
        macros = rib.iterfind(self.n.rt.apply_macro)
        return next((m for m in macros if leaf(m, self.n.rt.name) == n.OURS), None)

    def _add(self, root: Element, op: DiscardOp, tag: str) -> None:
        rt = self.n.rt
        top = ensure(ensure(root, self.n.configuration), rt.routing_options)
        holder = top if op.prefix.version == 4 else self._rib(top)  # noqa: PLR2004 - IPv4
        static = ensure(holder, rt.static)
        open_to_change(static, f"{op.prefix}: no discard route can be set")
        route = add(static, rt.route)
        add(route, rt.name, str(op.prefix))
        add(route, rt.discard)
        add(route, rt.description, text_with([tag]))

    def _rib(self, top: Element) -> Element:
        """The table of IPv6, made, and marked as made by us, when it is not there."""
        rt = self.n.rt
        for rib in top.iterfind(rt.rib):
            if leaf(rib, rt.name) == n.RIB:
                return rib
        rib = add(top, rt.rib)
        add(rib, rt.name, n.RIB)
        add(add(rib, rt.apply_macro), rt.name, n.OURS)
        move(top, 0, rib)
        return rib

    def _delete(self, route: Element) -> None:
        static = route.getparent()
        holder = static.getparent() if static is not None else None
        if static is None or holder is None:
            return
        static.remove(route)
        macro = self._macro(holder) if holder.tag == self.n.rt.rib else None
        if macro is None or self._tagged(static):
            return
        holder.remove(macro)
        above = holder.getparent()
        if above is not None and len(static) == 0 and len(holder) == 2:  # noqa: PLR2004 - its name and `static`
            above.remove(holder)

    def _tagged(self, static: Element) -> bool:
        return any(self._tags_of(r) for r in static.iterfind(self.n.rt.route))


def _prefix(text: str | None) -> IPNetwork | None:
    """A route's destination; None for a wildcard of a configuration group."""
    try:
        return ip_network(text or "", strict=False)
    except ValueError:
        return None
