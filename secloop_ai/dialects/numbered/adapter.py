"""What the engine asks of a vendor's ACLs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from secloop_ai.contracts import Direction, Family, FilterOp, PacketRule, RuleAction
from secloop_ai.dialects.marks import PERMIT_REST, Mark, is_own_acl, mark_of, own_acl
from secloop_ai.dialects.tree import Node
from secloop_ai.dialects.xml import Element

from .found import Meaning

PERMIT_REST_KEPT = f"{PERMIT_REST}-kept"
"""The same closing permit, where the interface had attachment settings before us: they stay when our ACL goes."""
RESTS = frozenset({PERMIT_REST, PERMIT_REST_KEPT})
IMPLICIT_DENY = "implicit-deny"
"""Name, in the model, of the rule that says what an ACL does with what no entry matches, where that is a drop."""


class Place(NamedTuple):
    """One side of an interface."""

    interface: str
    direction: Direction

    def __str__(self) -> str:
        return f"{self.interface} {self.direction}"


@dataclass(frozen=True, slots=True)
class Acl:
    """An ACL where it stands; `family` None: it looks at something the model has no words for."""

    name: str
    family: Family | None
    element: Element

    @property
    def key(self) -> tuple[str, Family | None]:
        """What tells it from the others."""
        return self.name, self.family


class Attached(NamedTuple):
    """That an ACL filters at a place."""

    place: Place
    name: str
    family: Family | None

    @property
    def key(self) -> tuple[str, Family | None]:
        """Of the ACL."""
        return self.name, self.family


class Entry(NamedTuple):
    """One entry of an ACL, or a remark of somebody else's.

    Attributes:
        number: the lowest sequence number it uses.
        label: the text at the tag place, if there is any.
        elements: all that goes when it is erased.
    """

    number: int
    label: str | None
    elements: tuple[Element, ...]

    @property
    def mark(self) -> Mark | None:
        """Our mark; None for somebody else's entry and for our closing permit."""
        return mark_of(self.label)

    @property
    def is_rest(self) -> bool:
        """Whether it is our closing permit."""
        return self.label in RESTS


class Adapter(ABC):
    """One vendor's ACLs. Stateless: every method works on the ``<data>`` element it is given, in place.

    Attributes:
        tables: how this part of the configuration is built.
        numbers: the sequence numbers the device takes.
        rest: number of our closing permit in an ACL of our own.
        span: numbers that one entry of ours uses up.
        step: distance between entries of ours, where there is room.
        chained: several ACLs of a family may stand at one place; they are evaluated in order, and what none of
            them matches passes.
        tops: path and tag (an ``iterfind`` path below ``<data>``) of containers that go with the last ACL.
    """

    tables: tuple[Node, ...]
    numbers: ClassVar[range] = range(1, 2**32)
    rest: ClassVar[int] = 1_000_000
    span: ClassVar[int] = 1
    step: ClassVar[int] = 10
    chained: ClassVar[bool] = False
    tops: ClassVar[tuple[tuple[str, str], ...]] = ()

    @abstractmethod
    def acls(self, root: Element) -> Iterable[Acl]:
        """Every ACL, in document order."""

    @abstractmethod
    def attachments(self, root: Element) -> Iterable[Attached]:
        """Every attachment; those of one place in order of evaluation."""

    @abstractmethod
    def point(self, root: Element, interface: str) -> Element | None:
        """The element that holds an interface's attachments, for digests; None when there is none."""

    @abstractmethod
    def entries(self, acl: Acl) -> list[Entry]:
        """The entries, sorted by number; cheap: conditions are not read."""

    @abstractmethod
    def meaning(self, root: Element, acl: Acl, entry: Entry, name: str) -> Meaning:
        """The rules an entry stands for, under that name."""

    @abstractmethod
    def write(self, root: Element, acl: Acl, number: int, label: str, rule: PacketRule) -> None:
        """Add an entry with that number and label.

        Raises:
            DialectError: the vendor has no form for the rule.
        """

    def erase(self, root: Element, acl: Acl, entry: Entry) -> None:
        """Take an entry away."""
        del root, acl
        for element in entry.elements:
            if (parent := element.getparent()) is not None:
                parent.remove(element)

    @abstractmethod
    def renumber(self, root: Element, acl: Acl, entry: Entry, number: int) -> None:
        """Give an entry of ours another number, and change nothing else about it."""

    @abstractmethod
    def create(self, root: Element, name: str, family: Family) -> Acl:
        """Make an ACL without entries."""

    @abstractmethod
    def destroy(self, root: Element, acl: Acl) -> None:
        """Take away a detached ACL."""

    @abstractmethod
    def attach(self, root: Element, place: Place, acl: Acl, *, first: bool) -> None:
        """Attach an ACL; `first`: in front of others there. One attached there already is moved.

        Raises:
            DialectError: the interface is not in the configuration, and cannot be made.
        """

    @abstractmethod
    def detach(self, root: Element, place: Place, acl: Acl, *, keep: bool) -> None:
        """Detach an ACL; without `keep`, an entry for the interface that `attach` made goes when it says no more."""

    @abstractmethod
    def unmatched(self, acl: Acl, entries: Sequence[Entry]) -> RuleAction:
        """What happens to a packet that none of these entries of the ACL matches."""

    @abstractmethod
    def acl_path(self, name: str, family: Family | None) -> str:
        """A readable path of an ACL."""

    @abstractmethod
    def point_path(self, interface: str) -> str:
        """A readable path of an interface's attachments."""

    def takes(self, op: FilterOp) -> bool:
        """Whether the operation is done here; False leaves it to another section of the dialect."""
        del op
        return True

    def span_in(self, acl: Acl) -> int:
        """Numbers that one entry of ours uses up in that ACL; `span` in every one, unless families differ."""
        del acl
        return self.span

    def refuses(self, acl: Acl, entries: Sequence[Entry]) -> str | None:
        """Why our entries may not go into somebody else's ACL, for people; None when they may."""
        del acl, entries
        return None

    def own_name(self, op: FilterOp) -> str:
        """Name of our own ACL for the operation's place and family."""
        return own_acl(op.interface, op.direction, op.family)

    def is_own(self, acl: Acl) -> bool:
        """Whether the ACL was made by us."""
        return is_own_acl(acl.name)

    def extras(self, root: Element, acl: Acl) -> Iterable[tuple[str, list[Element]]]:
        """What else the entries of an ACL depend on, by a readable path, for digests."""
        del root, acl
        return ()
