"""A dialect put together from sections, each of which knows one part of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from secloop_ai.contracts import AdminOp, DeviceModel, DiscardOp, FilterOp, TaggedOp
from secloop_ai.contracts.ports import Rendered

from .capabilities import Need, lacking
from .tree import Node, difference, prune, settle
from .xml import Element, canonical, digest, indented, load, may_be_hollow, text_of

Op = TypeVar("Op")
Tagged = tuple[str, Op]


class Section(Protocol):
    """One part of a configuration: filters, links or routes. All work on the ``<data>`` element, in place."""

    @property
    def kind(self) -> type[FilterOp | AdminOp | DiscardOp]:
        """The operations it makes hold; without one of these it changes nothing."""

    @property
    def tables(self) -> tuple[Node, ...]:
        """How this part is built; where several parts stand in one tree, each has the table of all."""

    def read(self, root: Element) -> DeviceModel:
        """This part of the model."""

    def apply(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Make the operations of this section hold; others are ignored."""

    def remove(self, root: Element, ops: Sequence[TaggedOp]) -> None:
        """Take the entries with the operations' tags away."""

    def tags(self, root: Element) -> Iterator[str]:
        """Every mark in this part."""

    def subtrees(self, root: Element, ops: Sequence[TaggedOp]) -> Iterator[tuple[str, list[Element]]]:
        """What the operations touch or their rendering depends on, by a readable path."""


@dataclass(frozen=True)
class TreeDialect:
    """The Dialect protocol over sections and tables.

    Attributes:
        filter_xml: children of the subtree filter.
        needs: action → what the hello must offer for it; an action that is absent has no model in the dialect.
        absent: action without a model → why, where there is more to say than that.
    """

    name: str
    tag_place: str
    filter_xml: str
    sections: tuple[Section, ...]
    needs: Mapping[str, Sequence[Need]]
    absent: Mapping[str, str] = field(default_factory=dict)

    def read_filter(self) -> str:
        """Children of ``<filter type="subtree">``."""
        return self.filter_xml

    def not_offered(self, capabilities: Iterable[str]) -> dict[str, str]:
        """Actions this device cannot take, each with the reason."""
        return {**lacking(self.needs, capabilities), **self.absent}

    def parse(self, data: str) -> DeviceModel:
        """The model of a configuration.

        Raises:
            DialectError: not XML, or not the ``<data>`` of a reply.
        """
        root = self._load(data)
        parts = [section.read(root) for section in self.sections_for(root)]
        return DeviceModel(
            acls=tuple(a for p in parts for a in p.acls),
            attachments=tuple(a for p in parts for a in p.attachments),
            interfaces=tuple(i for p in parts for i in p.interfaces),
            discards=tuple(d for p in parts for d in p.discards),
            notes=tuple(n for p in parts for n in p.notes),
        )

    def apply(self, data: str, ops: Sequence[TaggedOp]) -> Rendered:
        """The edit that makes the operations hold.

        All operations of one mitigation on one ACL go into one call: what else carries its tag there is replaced.

        Raises:
            DialectError: an operation this dialect or this configuration cannot take.
        """
        return self._render(data, ops, lambda section, root: section.apply(root, ops))

    def remove(self, data: str, ops: Sequence[TaggedOp], *, tidy: bool = True) -> Rendered:
        """The edit that takes the entries with the operations' tags away, wherever they are on the device.

        Containers left empty are deleted as well, so that nothing of ours stays. An edit that will be sent later,
        without another look at the device, is rendered with ``tidy=False``: it deletes our entries and nothing else.
        """
        return self._render(data, ops, lambda section, root: section.remove(root, ops), tidy=tidy)

    def between(self, before: str, after: str) -> str | None:
        """The edit that turns one configuration into another; None when they are equal in what is read here."""
        old = self._load(before)
        return difference(old, self._load(after), _tables(self.sections_for(old)))

    def tags(self, data: str) -> frozenset[str]:
        """Mitigation ids whose mark is in the configuration."""
        root = self._load(data)
        return frozenset(tag for section in self.sections_for(root) for tag in section.tags(root))

    def digests(self, data: str, ops: Sequence[TaggedOp]) -> dict[str, str]:
        """SHA-256 of the canonical XML of every subtree the operations touch, by a readable path."""
        root = self._load(data)
        found = (pair for section in self.sections_for(root) for pair in section.subtrees(root, ops))
        return {path: digest(elements) for path, elements in found}

    def pretty(self, data: str) -> str:
        """The configuration as stable, indented text: that of :meth:`canonical` for people."""
        return indented(self._settled(data))

    def canonical(self, data: str) -> str:
        """The configuration in canonical XML, with what means nothing taken out of it.

        That is white space between elements, empty containers, and the order of lists that their user does not order.
        """
        return canonical(self._settled(data)).decode()

    def sections_for(self, root: Element) -> tuple[Section, ...]:  # noqa: ARG002 - for dialects of several namespaces
        """The sections that read and write this device's configuration."""
        return self.sections

    def _settled(self, data: str) -> Element:
        root = self._load(data)
        settle(root, _tables(self.sections_for(root)))
        return root

    def _load(self, data: str) -> Element:
        root = load(data)
        prune(root, _tables(self.sections_for(root)))
        return root

    def _render(
        self,
        data: str,
        ops: Sequence[TaggedOp],
        change: Callable[[Section, Element], None],
        *,
        tidy: bool = True,
    ) -> Rendered:
        before = self._load(data)
        concerned = [section for section in self.sections_for(before) if of_kind(ops, section.kind)]
        tables, after = _tables(concerned), deepcopy(before)
        for section in concerned:
            change(section, after)
        text = text_of(after)
        if may_be_hollow(text) and prune(after, tables):
            text = text_of(after)
        return Rendered(edit=difference(before, after, tables, tidy=tidy), after=text)


def _tables(sections: Iterable[Section]) -> tuple[Node, ...]:
    """The tables of sections, each once."""
    return tuple(dict.fromkeys(node for section in sections for node in section.tables))


def of_kind(ops: Sequence[TaggedOp], kind: type[Op]) -> list[Tagged[Op]]:
    """The operations of one kind, each with its tag."""
    return [(tagged.tag, tagged.op) for tagged in ops if isinstance(tagged.op, kind)]
