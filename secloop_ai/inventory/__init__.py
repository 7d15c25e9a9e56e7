"""The Ansible inventory as an Environment, for Ansible and Nornir alike.

    from secloop_ai.inventory import load_environment

    environment = load_environment(["inventory/example"])

Names are loaded on first use: :func:`start` needs neither pydantic nor Ansible, so a caller can set the reading
off before its own imports and hand the :class:`Reading` to :func:`load_environment` afterwards.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .load import Loaded, load_environment, load_with_secrets, secrets
    from .offers import merge_not_offered
    from .source import Reading, start

_HOMES = {
    "Loaded": ".load",
    "Reading": ".source",
    "load_environment": ".load",
    "load_with_secrets": ".load",
    "merge_not_offered": ".offers",
    "secrets": ".load",
    "start": ".source",
}

__all__ = [
    "Loaded",
    "Reading",
    "load_environment",
    "load_with_secrets",
    "merge_not_offered",
    "secrets",
    "start",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
