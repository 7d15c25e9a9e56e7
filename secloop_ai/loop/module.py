"""The seam between an Ansible module and the loop: parameters in, exit_json or fail_json out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from secloop_ai.contracts import DeviceError, GuardRefusal, SecLoopError, TransactionFailed


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


class ModuleLike(Protocol):
    """The part of AnsibleModule that is used here."""

    params: dict[str, Any]
    check_mode: bool

    def warn(self, warning: str) -> None:
        """Add a warning to the result."""

    def exit_json(self, **kwargs: Any) -> None:
        """End well."""

    def fail_json(self, msg: str, **kwargs: Any) -> None:
        """End badly."""


def run(module: ModuleLike, step: Step) -> None:
    """Run a step for a module; every error SecLoop raises on purpose becomes one clear failure."""
    try:
        result = step(module.params, module.check_mode)
    except SecLoopError as error:
        module.fail_json(msg=str(error), **failure_facts(error))
        return
    for warning in result.warnings:
        module.warn(warning)
    values = dict(result.values)
    if getattr(module, "_diff", False) and result.diff:  # AnsibleModule has no public name for --diff
        values["diff"] = list(result.diff)
    module.exit_json(changed=result.changed, **values)


def failure_facts(error: SecLoopError) -> dict[str, Any]:
    """What a playbook can act on, beside the sentence."""
    facts: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, DeviceError):
        facts |= {"device": error.device, "operation": error.operation, "error_tag": error.error_tag}
    if isinstance(error, GuardRefusal) and error.verdict is not None:
        facts["refusals"] = [r.model_dump(mode="json") for r in error.verdict.verdict.refusals]
        facts["incident_id"] = error.verdict.incident_id
    if isinstance(error, TransactionFailed) and error.report is not None:
        facts["report"] = error.report.model_dump(mode="json")
    return facts
