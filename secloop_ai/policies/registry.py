"""Policies by name: ``SCHEME`` or ``SCHEME:ARGUMENT``."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from secloop_ai.contracts import Policy, PolicyError

BACK_ENDS = {
    "embedded": "secloop_ai.policies.embedded.policy:load_embedded",
    "openai": "secloop_ai.policies.chat.remote:load",
    "playbook": "secloop_ai.policies.playbook:load",
    "rehearse": "labs.rehearsal.policy:load",
    "transformers": "training.chat_local:load",
}
"""Scheme → ``module:function`` that takes the argument (``""`` when there is none) and returns the policy.

A back end is one line here; its module is imported when it is asked for, and may need an extra.
"""
EXTRAS = {"openai": "chat", "rehearse": "lab"}
"""Scheme → the extra that has what it needs, where that is not ``train``."""


def load_policy(name: str) -> Policy:
    """The policy of that name (``playbook``, ``embedded:FOLDER``, ``openai:MODEL@BASE_URL``, ``transformers:PATH``).

    Raises:
        PolicyError: no such back end (names those there are), or it cannot start.
    """
    scheme, _, argument = name.partition(":")
    target = BACK_ENDS.get(scheme)
    if target is None:
        raise PolicyError(f"no policy {name!r}; known: {', '.join(sorted(BACK_ENDS))}")
    module, _, function = target.partition(":")
    try:
        return cast("Policy", getattr(import_module(module), function)(argument))
    except ModuleNotFoundError as error:
        needed = f"pip install 'secloop[{EXTRAS.get(scheme, 'train')}]'"
        raise PolicyError(f"policy {scheme}: {error.name} is not installed: {needed}") from None
