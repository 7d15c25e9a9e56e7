"""The data model of a dialect, read from a table of data (`data/DIALECT.yaml`).

The table holds a tree of names. A mapping is a container, or a list where it has `$key`; text is a leaf's
type. A name without a prefix belongs to its parent's module. `$case: CHOICE/CASE` (a list of them, outermost
first, where choices are nested), `$when`, `$presence`, `$user-ordered`, `$mandatory` and `$leaf-list` mean what
YANG means by them. A leafref names its target's path, absolute or from its parent (`../`), and may add the
target's type, which the text is then read by. `identityref BASE | TYPE` is a union of the two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .names import BASE, base, split_tag
from .tree import Prefixes
from .values import LeafType, plain_type

DATA = Path(__file__).parent / "data"


class Kind(StrEnum):
    """The kinds of data node the tables know."""

    CONTAINER = "container"
    LIST = "list"
    LEAF = "leaf"
    LEAF_LIST = "leaf-list"


@dataclass(frozen=True, slots=True)
class Module:
    """A YANG module as a hello names it."""

    name: str
    prefix: str
    namespace: str
    revision: str
    features: tuple[str, ...] = ()

    @property
    def capability(self) -> str:
        """The module's capability URI (RFC 6020 section 5.6.4)."""
        features = f"&features={','.join(self.features)}" if self.features else ""
        return f"{self.namespace}?module={self.name}&revision={self.revision}{features}"


@dataclass(frozen=True, slots=True)
class When:
    """The node may exist only where `leaf` of the nearest enclosing `within` has one of `values`."""

    within: str
    leaf: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SchemaNode:
    """One data node definition; `children` are in canonical order, keys first.

    Attributes:
        cases: (choice, case) of every choice it stands in, outermost first.
        ranks: position among its siblings by Clark name.
        numeric: for each key, whether it sorts as a number.
    """

    tag: str
    prefix: str
    kind: Kind
    children: Mapping[str, SchemaNode] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    user_ordered: bool = False
    presence: bool = False
    mandatory: bool = False
    cases: tuple[tuple[str, str], ...] = ()
    when: When | None = None
    leaf: LeafType | None = None
    ranks: Mapping[str, int] = field(default_factory=dict)
    numeric: tuple[bool, ...] = ()

    @property
    def case(self) -> tuple[str, str] | None:
        """The innermost (choice, case)."""
        return self.cases[-1] if self.cases else None

    @property
    def valued(self) -> bool:
        """Whether it holds a value and no children."""
        return self.leaf is not None

    @property
    def transparent(self) -> bool:
        """A container that means nothing by itself: it exists as soon as something in it does."""
        return self.kind is Kind.CONTAINER and not self.presence

    def step(self, key: tuple[str, ...] = ()) -> str:
        """One step of an instance path."""
        name = f"{self.prefix}:{split_tag(self.tag)[1]}"
        quoted = (f'"{value}"' if "'" in value else f"'{value}'" for value in key)
        if self.kind is Kind.LEAF_LIST:
            return name + "".join(f"[.={v}]" for v in quoted)
        names = (f"{self.children[k].prefix}:{split_tag(k)[1]}" for k in self.keys)
        return name + "".join(f"[{n}={v}]" for n, v in zip(names, quoted, strict=False))


@dataclass(frozen=True, slots=True)
class Schema:
    """A dialect's modules and the tree they span."""

    dialect: str
    modules: tuple[Module, ...]
    root: SchemaNode

    @property
    def prefixes(self) -> dict[str, str]:
        """Prefix to namespace."""
        return {m.prefix: m.namespace for m in self.modules}


@cache
def load_schema(dialect: str, modules: tuple[str, ...] | None = None) -> Schema:
    """Read the table of a dialect.

    Args:
        dialect: the name of a file in `data/`.
        modules: the modules the device implements; None is all of the table's.

    Raises:
        ValueError: no such dialect or module, or the table is wrong.
    """
    path = DATA / f"{dialect}.yaml"
    if not path.is_file():
        raise ValueError(f"no data table for the dialect {dialect!r}: {path.name} is absent from {path.parent.name}/")
    return read_table(dialect, yaml.safe_load(path.read_text(encoding="utf-8")), modules)


def read_table(dialect: str, table: Mapping[str, Any], modules: tuple[str, ...] | None = None) -> Schema:
    """The schema that a table spells out.

    Raises:
        ValueError: it has no such module, or a leaf is of no type.
    """
    everything = [
        Module(name=n, **{**m, "features": tuple(m.get("features", ()))}) for n, m in table["modules"].items()
    ]
    if unknown := set(modules or ()) - {m.name for m in everything}:
        raise ValueError(f"dialect {dialect}: no such module: {', '.join(sorted(unknown))}")
    offered = tuple(m for m in everything if modules is None or m.name in modules)
    reader = _Reader(everything, {m.prefix for m in offered}, table.get("identities") or {})
    return Schema(dialect, offered, reader.mapping(base("config"), "", {**table["tree"], "$presence": True}))


class _Reader:
    """Turns the table into schema nodes; nodes of modules that the device lacks are left out."""

    def __init__(self, modules: list[Module], offered: Collection[str], identities: Mapping[str, list[str]]) -> None:
        self._namespaces = {m.prefix: m.namespace for m in modules} | {"": BASE}
        self._offered = offered
        self._identities = identities

    def clark(self, name: str, inherited: str) -> tuple[str, str]:
        """(prefix, Clark name) of a name of the table."""
        prefix, colon, local = name.rpartition(":")
        prefix = prefix if colon else inherited
        return prefix, f"{{{self._namespaces[prefix]}}}{local}"

    def mapping(self, tag: str, prefix: str, table: Mapping[str, Any]) -> SchemaNode:
        """A container or list."""
        children: dict[str, SchemaNode] = {}
        for name, inside in table.items():
            child_prefix, child_tag = self.clark(name, prefix)
            if not name.startswith("$") and child_prefix in self._offered:
                children[child_tag] = self.node(child_tag, child_prefix, inside)
        keys = tuple(self.clark(name, prefix)[1] for name in table.get("$key", "").split())
        ordered = {tag: children[tag] for tag in (*keys, *(t for t in children if t not in keys))}
        return SchemaNode(
            tag,
            prefix,
            Kind.LIST if keys else Kind.CONTAINER,
            children=ordered,
            keys=keys,
            user_ordered=bool(table.get("$user-ordered")),
            presence=bool(table.get("$presence")),
            cases=_cases(table),
            when=self.when(table, prefix),
            ranks={tag: rank for rank, tag in enumerate(ordered)},
            numeric=tuple(_is_number(ordered[key]) for key in keys),
        )

    def node(self, tag: str, prefix: str, inside: Mapping[str, Any] | str) -> SchemaNode:
        """Whatever stands under a name of the table."""
        table = {"$type": inside} if isinstance(inside, str) else inside
        if "$type" not in table:
            return self.mapping(tag, prefix, table)
        leaf = self.leaf_type(table["$type"], prefix)
        many = bool(table.get("$leaf-list"))
        return SchemaNode(
            tag,
            prefix,
            Kind.LEAF_LIST if many else Kind.LEAF,
            user_ordered=bool(table.get("$user-ordered")),
            mandatory=bool(table.get("$mandatory")),
            cases=_cases(table),
            when=self.when(table, prefix),
            leaf=leaf,
            numeric=(leaf.number,) if many else (),
        )

    def when(self, table: Mapping[str, Any], prefix: str) -> When | None:
        """The node's condition, if it has one."""
        if not (spec := table.get("$when")):
            return None
        within, leaf = (self.clark(spec[part], prefix)[1] for part in ("within", "leaf"))
        return When(within, leaf, tuple(spec["values"].split()))

    def leaf_type(self, spec: str, prefix: str) -> LeafType:
        """A leaf's type; identities and references need the table, the rest are plain."""
        name, _, argument = spec.partition(" ")
        if name == "identityref":
            base_name, _, other = argument.partition(" | ")
            identities = dict(self.identity(i, self._namespaces[prefix]) for i in self._identities[base_name])
            return LeafType(spec, plain_type(other).canonical if other else str, identities=identities)
        if name == "leafref":
            path, _, kind = argument.partition(" ")
            steps = path.strip("/").split("/")
            up = steps.count("..")
            inherited = prefix if up else ""
            target = tuple(self.clark(step, inherited)[1] for step in steps[up:])
            read = plain_type(kind) if kind else LeafType(spec, str)
            return LeafType(spec, read.canonical, target=target, up=up, number=read.number)
        return plain_type(spec)

    def identity(self, name: str, own: str) -> tuple[str, tuple[str, Prefixes]]:
        """An identity: unprefixed where it is the leaf's own module's, else with a binding."""
        prefix, _, local = name.partition(":")
        namespace = self._namespaces[prefix]
        shown: tuple[str, Prefixes] = (local, ()) if namespace == own else (name, ((prefix, namespace),))
        return f"{{{namespace}}}{local}", shown


def _cases(table: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    given = table.get("$case", ())
    pairs = (str(text).partition("/") for text in ([given] if isinstance(given, str) else given))
    return tuple((choice, case) for choice, slash, case in pairs if slash)


def _is_number(key: SchemaNode) -> bool:
    return key.leaf is not None and key.leaf.number
