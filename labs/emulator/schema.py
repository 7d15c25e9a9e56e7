"""The data model of a dialect, read from a table of data (`data/DIALECT.yaml`).

The table holds a tree of names. A mapping is a container, or a list where it has `$key`; text is a leaf's
type. A name without a prefix belongs to its parent's module. `$case: CHOICE/CASE`, `$when`, `$presence`,
`$user-ordered` and `$mandatory` mean what YANG means by them.
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
    """One data node definition; `children` are in canonical order, keys first."""

    tag: str
    prefix: str
    kind: Kind
    children: Mapping[str, SchemaNode] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    user_ordered: bool = False
    presence: bool = False
    mandatory: bool = False
    case: tuple[str, str] | None = None
    when: When | None = None
    leaf: LeafType | None = None
    ranks: Mapping[str, int] = field(default_factory=dict)

    @property
    def transparent(self) -> bool:
        """A container that means nothing by itself: it exists as soon as something in it does."""
        return self.kind is Kind.CONTAINER and not self.presence

    def step(self, key: tuple[str, ...] = ()) -> str:
        """One step of an instance path."""
        name = f"{self.prefix}:{split_tag(self.tag)[1]}"
        quoted = (f'"{value}"' if "'" in value else f"'{value}'" for value in key)
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
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    everything = [
        Module(name=n, **{**m, "features": tuple(m.get("features", ()))}) for n, m in table["modules"].items()
    ]
    if unknown := set(modules or ()) - {m.name for m in everything}:
        raise ValueError(f"dialect {dialect}: no such module: {', '.join(sorted(unknown))}")
    offered = tuple(m for m in everything if modules is None or m.name in modules)
    reader = _Reader(everything, {m.prefix for m in offered}, table["identities"])
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
            case=_case(table),
            when=self.when(table, prefix),
            ranks={tag: rank for rank, tag in enumerate(ordered)},
        )

    def node(self, tag: str, prefix: str, inside: Mapping[str, Any] | str) -> SchemaNode:
        """Whatever stands under a name of the table."""
        table = {"$type": inside} if isinstance(inside, str) else inside
        if "$type" not in table:
            return self.mapping(tag, prefix, table)
        return SchemaNode(
            tag,
            prefix,
            Kind.LEAF,
            mandatory=bool(table.get("$mandatory")),
            case=_case(table),
            when=self.when(table, prefix),
            leaf=self.leaf_type(table["$type"], prefix),
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
            own = self._namespaces[prefix]
            return LeafType(spec, str, identities=dict(self.identity(i, own) for i in self._identities[argument]))
        if name == "leafref":
            target = tuple(self.clark(step, "")[1] for step in argument.strip("/").split("/"))
            return LeafType(spec, str, target=target)
        return plain_type(spec)

    def identity(self, name: str, own: str) -> tuple[str, tuple[str, Prefixes]]:
        """An identity: unprefixed where it is the leaf's own module's, else with a binding."""
        prefix, _, local = name.partition(":")
        namespace = self._namespaces[prefix]
        shown: tuple[str, Prefixes] = (local, ()) if namespace == own else (name, ((prefix, namespace),))
        return f"{{{namespace}}}{local}", shown


def _case(table: Mapping[str, Any]) -> tuple[str, str] | None:
    choice, slash, case = str(table.get("$case", "")).partition("/")
    return (choice, case) if slash else None
