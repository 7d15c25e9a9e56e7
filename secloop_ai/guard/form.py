"""Rules on the form of a strategy: what it may say at all."""

from __future__ import annotations

from collections.abc import Iterator

from secloop_ai.contracts import TTLS_S, Action, Observe

from .context import Context, malformation

Finding = tuple[int, str]
"""Index of the action (-1: the strategy as a whole) and a sentence."""


def closed_schema(ctx: Context) -> Iterator[Finding]:
    """Every action is one of the catalogue with exactly its typed parameters, and there is at least one."""
    if not ctx.strategy.actions:
        yield -1, "the strategy holds no action: observe is the way to do nothing"
    for index, action in enumerate(ctx.strategy.actions):
        if fault := malformation(action):
            yield index, fault


def ttl(ctx: Context) -> Iterator[Finding]:
    """Every action has a lifetime, and one of the enumeration."""
    for index, action in enumerate(ctx.strategy.actions):
        if getattr(action, "ttl_s", None) not in TTLS_S:
            yield index, f"{_kind(action)}: its lifetime is none of {', '.join(map(str, TTLS_S))} seconds"


def offered(ctx: Context) -> Iterator[Finding]:
    """Every action is one that this network can take now."""
    can = set(ctx.request.offered).intersection(ctx.environment.offered_actions())
    for index, action in ctx.actions:
        if action.kind not in can:
            reason = ctx.environment.not_offered.get(action.kind, "")
            yield index, f"{action.kind} is not offered in this network" + (f": {reason}" if reason else "")


def duplicates(ctx: Context) -> Iterator[Finding]:
    """No action stands twice, not even with another lifetime."""
    seen: list[Action] = []
    for index, action in ctx.actions:
        bare = action.model_copy(update={"ttl_s": TTLS_S[0]})
        if bare in seen:
            yield index, f"{action.kind} stands in the strategy twice with the same parameters"
        seen.append(bare)


def observe_alone(ctx: Context) -> Iterator[Finding]:
    """To observe is to do nothing: it stands alone."""
    observing = [index for index, action in ctx.actions if isinstance(action, Observe)]
    if observing and len(ctx.strategy.actions) > 1:
        yield observing[0], "observe does nothing and so cannot stand beside another action"


def _kind(action: Action) -> str:
    kind = str(getattr(action, "kind", ""))
    return kind if kind.isidentifier() else "an action"
