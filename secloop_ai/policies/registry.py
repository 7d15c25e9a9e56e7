"""Policies by name: ``SCHEME`` or ``SCHEME:ARGUMENT``."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from secloop_ai.contracts import Policy, PolicyError

BACK_ENDS = {
    "playbook": "secloop_ai.policies.playbook:load",
}
"""Scheme → ``module:function`` that takes the argument (``""`` when there is none) and returns the policy.

A back end is one line here; its module is imported when it is asked for.
"""


def load_policy(name: str) -> Policy:
    """The policy of that name (``playbook``, ``playbook:PATH``).

    Raises:
        PolicyError: no such back end (names those there are), or it cannot start.
    """
    scheme, _, argument = name.partition(":")
    target = BACK_ENDS.get(scheme)
    if target is None:
        raise PolicyError(f"no policy {name!r}; known: {', '.join(sorted(BACK_ENDS))}")
    module, _, function = target.partition(":")
    return cast("Policy", getattr(import_module(module), function)(argument))
