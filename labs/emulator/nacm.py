"""Access control (RFC 8341) as far as the lab needs it: paths that clients may not write to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .errors import RpcError
from .tree import Node

_STEP = re.compile(r"/([\w.-]+):([\w.-]+)((?:\[[^\]]*\])*)")
_PREDICATE = re.compile(r"\[(?:[\w.-]+:)?([\w.-]+)=(?:'([^']*)'|\"([^\"]*)\")\]")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a denied path; `keys` holds local name to value, for what stands in brackets."""

    tag: str
    keys: tuple[tuple[str, str], ...] = ()

    def meets(self, node: Node) -> bool:
        """Whether the node is one of those meant."""
        if node.tag != self.tag:
            return False
        held = {child.tag.rpartition("}")[2]: child.text for child in node.children} if self.keys else {}
        return all(held.get(name) == value for name, value in self.keys)


@dataclass(frozen=True, slots=True)
class Denied:
    """A path below which nothing may be written."""

    path: str
    steps: tuple[Step, ...]

    def found(self, data: Node) -> list[Node]:
        """What a datastore holds there."""
        return list(_follow(data, self.steps))


def denied(path: str, prefixes: Mapping[str, str]) -> Denied:
    """Read a path such as `/acl:acls/acl:acl[name='edge-in']`.

    Raises:
        ValueError: it is none, or a prefix is unknown.
    """
    steps = []
    position = 0
    for match in _STEP.finditer(path):
        prefix, name, predicates = match.groups()
        if match.start() != position or prefix not in prefixes:
            break
        keys = tuple((key, single or double) for key, single, double in _PREDICATE.findall(predicates))
        steps.append(Step(f"{{{prefixes[prefix]}}}{name}", keys))
        position = match.end()
    if position != len(path) or not steps:
        known = ", ".join(sorted(prefixes))
        raise ValueError(f"no path to deny: {path!r} (every step is /PREFIX:NAME with a prefix of {known})")
    return Denied(path, tuple(steps))


def require_access(rules: Iterable[Denied], before: Node, after: Node) -> None:
    """Refuse a change below a denied path.

    Raises:
        RpcError: access-denied, with the path.
    """
    for rule in rules:
        if rule.found(before) != rule.found(after):
            error = RpcError("access-denied", "access denied", kind="application")
            error.steps = rule.path.removeprefix("/").split("/")
            raise error


def _follow(node: Node, steps: tuple[Step, ...]) -> Iterator[Node]:
    if not steps:
        yield node
        return
    for child in node.children:
        if steps[0].meets(child):
            yield from _follow(child, steps[1:])
