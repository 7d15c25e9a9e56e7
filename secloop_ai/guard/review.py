"""The one review every strategy passes: in training, in evaluation and in production."""

from __future__ import annotations

from collections.abc import Iterable

from secloop_ai.contracts import PolicyRequest, Refusal, Strategy, Verdict

from .context import Context
from .rules import CLOSED_SCHEMA, RULES


def review(strategy: Strategy, request: PolicyRequest) -> Verdict:
    """Every rule's refusals of a strategy, each naming rule, action and entity; pure, and never raises for a strategy.

    A reason quotes names of the inventory, addresses and numbers only, never text that came with an alert.
    """
    context = Context(strategy, request)
    return Verdict(
        refusals=tuple(
            Refusal(rule=rule.name, action=index, reason=reason)
            for rule in RULES
            for index, reason in dict.fromkeys(rule.check(context))
        ),
        rules_checked=tuple(rule.name for rule in RULES),
    )


def schema_verdict(problems: Iterable[tuple[int, str]]) -> Verdict:
    """The refusal of a candidate that is no strategy: (index of the call or -1, what is wrong with it).

    It refuses always: without a problem it says that none was named.
    """
    named = tuple(problems) or ((-1, "the candidate is no strategy, and nothing says why"),)
    return Verdict(
        refusals=tuple(Refusal(rule=CLOSED_SCHEMA, action=index, reason=reason) for index, reason in named),
        rules_checked=(CLOSED_SCHEMA,),
    )
