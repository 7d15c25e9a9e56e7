"""What a dialect's property tests need to know of it; ``foreign_<dialect>.py`` has a ``PLAY`` of these.

``test_properties.py`` finds those files and runs every property for every dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import chain
from pathlib import Path

from hypothesis import strategies as st

from secloop_ai.contracts import AdminOp, Direction, FilterOp, FilterResult, Packet, PacketRule, TaggedOp
from secloop_ai.contracts.device import DeviceModel
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.compose import TreeDialect

from .strategies import INTERFACES, mitigations

Groups = list[list[TaggedOp]]


@dataclass(frozen=True)
class Play:
    """A dialect and what may be on its devices.

    Attributes:
        configurations: ``<data>`` of devices that nobody of ours has touched; each mentions every interface.
        keys: list, by local name → local names of its keys, for the edit-config of the tests.
        interfaces: three names of this vendor's kind.
        ordered: local names of lists that their user orders.
        takes: whether the dialect has a form for a rule at all.
        tagless: kinds of operation whose mark has no place on the device.
        taken: share of mitigations that must be accepted on the random configurations; the others must be refused
            with a DialectError (a shared or crowded ACL).
    """

    dialect: TreeDialect
    configurations: st.SearchStrategy[str]
    keys: Mapping[str, tuple[str, ...]]
    interfaces: tuple[str, str, str] = INTERFACES
    ordered: tuple[str, ...] = ()
    takes: Callable[[PacketRule], bool] = field(default=lambda _rule: True)
    tagless: tuple[type, ...] = (AdminOp,)
    taken: float = 0.5

    def groups(self, *, at_most: int = 4) -> st.SearchStrategy[Groups]:
        """Mitigations on this vendor's interfaces, with rules it has a form for."""
        return mitigations(at_most=at_most).map(self._fitted).filter(bool)

    def _fitted(self, groups: Groups) -> Groups:
        fitted = [[op for one in ops if (op := self._fit(one))] for ops in groups]
        return [ops for ops in fitted if ops]

    def _fit(self, tagged: TaggedOp) -> TaggedOp | None:
        op = tagged.op
        if isinstance(op, FilterOp):
            if not all(self.takes(rule) for rule in op.rules):
                return None
        elif not isinstance(op, AdminOp):
            return tagged
        name = self.interfaces[INTERFACES.index(op.interface)]
        return tagged.model_copy(update={"op": op.model_copy(update={"interface": name})})


def dialects() -> list[str]:
    """Dialects that have a ``foreign_<dialect>.py`` beside this file."""
    return sorted(path.stem.removeprefix("foreign_") for path in Path(__file__).parent.glob("foreign_*.py"))


def play_of(name: str) -> Play:
    """The dialect's ``PLAY``."""
    found: Play = import_module(f"{__package__}.foreign_{name}").PLAY
    return found


def flat(groups: Iterable[Sequence[TaggedOp]]) -> list[TaggedOp]:
    return list(chain.from_iterable(groups))


def with_prior(dialect: TreeDialect, data: str, ops: Sequence[TaggedOp]) -> list[TaggedOp]:
    """The operations with the prior states a plan would find."""
    states = {i.name: i.enabled if i.explicit else None for i in dialect.parse(data).interfaces}
    found = []
    for tagged in ops:
        if isinstance(tagged.op, AdminOp):
            op = tagged.op.model_copy(update={"prior": states[tagged.op.interface]})
            found.append(tagged.model_copy(update={"op": op}))
        else:
            found.append(tagged)
    return found


def accepted(dialect: TreeDialect, data: str, groups: Groups) -> Groups:
    """The mitigations that this configuration can take one after the other, with prior states."""
    found = []
    for ops in groups:
        full = with_prior(dialect, data, ops)
        with suppress(DialectError):
            data = dialect.apply(data, full).after
            found.append(full)
    return found


def applied(dialect: TreeDialect, data: str, groups: Groups) -> str:
    for ops in groups:
        data = dialect.apply(data, ops).after
    return data


def unordered(dialect: TreeDialect, data: str) -> list[set[str]]:
    """What a configuration does, whatever the order of ACLs that look at different families."""
    model = dialect.parse(data)
    attached = {f"{a.interface} {a.direction} {sorted(a.acls)}" for a in model.attachments}
    return [
        {str(a) for a in model.acls},
        attached,
        {str(d) for d in model.discards},
        {str(i) for i in model.interfaces},
    ]


def expected(packet: Packet, interface: str, direction: Direction, groups: Groups, before: DeviceModel) -> FilterResult:
    """Ours by rank, tag and order; then what was there."""
    ours: list[tuple[int, str, PacketRule]] = []
    for tagged in flat(groups):
        op = tagged.op
        if isinstance(op, FilterOp) and (op.interface, op.direction) == (interface, direction):
            ours += [(op.rank, tagged.tag, rule) for rule in op.rules if op.family == packet.family]
    for _, _, rule in sorted(ours, key=lambda item: item[:2]):
        if rule.matches(packet):
            return FilterResult(action=rule.action, rule=rule)
    return before.filter(packet, interface, direction)
