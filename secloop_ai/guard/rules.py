"""The guard's rules, as one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from secloop_ai.contracts import Action

from .context import Context
from .form import Finding, closed_schema, duplicates, observe_alone, offered, ttl
from .ground import evidence, prefix_width, target_exists
from .hosts import host_access
from .reach import budget, legitimate_clients, protected_set
from .trust import handshake, spoofed_self

Check = Callable[[Context], Iterator[Finding]]


class Rule(NamedTuple):
    """One rule: its name as refusals carry it, what it holds to in one line, and its check."""

    name: str
    about: str
    check: Check


def _each(check: Callable[[Action, Context], Iterator[str]]) -> Check:
    """A check of single actions as one of the whole strategy."""

    def over_all(ctx: Context) -> Iterator[Finding]:
        for index, action in ctx.actions:
            for reason in check(action, ctx):
                yield index, reason

    over_all.__doc__ = check.__doc__
    return over_all


def _rule(name: str, check: Check) -> Rule:
    return Rule(name, (check.__doc__ or "").strip().split("\n")[0], check)


CLOSED_SCHEMA = "closed-schema"
RULES: tuple[Rule, ...] = (
    _rule(CLOSED_SCHEMA, closed_schema),
    _rule("ttl", ttl),
    _rule("offered", offered),
    _rule("target-exists", _each(target_exists)),
    _rule("host-access", _each(host_access)),
    _rule("evidence", _each(evidence)),
    _rule("handshake", _each(handshake)),
    _rule("spoofed-self", _each(spoofed_self)),
    _rule("protected-set", _each(protected_set)),
    _rule("prefix-width", _each(prefix_width)),
    _rule("legitimate-clients", _each(legitimate_clients)),
    _rule("budget", budget),
    _rule("duplicates", duplicates),
    _rule("observe-alone", observe_alone),
)
"""Every rule, in the order they are checked; each rule's `about` is the first line of its check's docstring."""
