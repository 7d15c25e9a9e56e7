"""What a step of the playbooks hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class StepResult(NamedTuple):
    """What a step hands to the playbook: JSON-able values, never alert text.

    Attributes:
        diff: Ansible diff entries, shown only under ``--diff``.
    """

    changed: bool
    values: dict[str, Any]
    warnings: tuple[str, ...] = ()
    diff: tuple[dict[str, str], ...] = ()


Step = Callable[[Mapping[str, Any], bool], StepResult]
