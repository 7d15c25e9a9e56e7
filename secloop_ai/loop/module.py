"""The seam between an Ansible module and the loop: parameters in, exit_json or fail_json out.

It imports nothing of its own at first: a module is a process of a second, most of which would be imports.
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from secloop_ai.contracts import SecLoopError

    from .result import Step


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


StepName = Literal["alerts_step", "decide_step", "plan_step", "commit_step", "rollback_step", "verify_step"]

READ_INVENTORY = ("decide_step", "rollback_step", "verify_step")
"""Steps that always need the inventory."""


def begin() -> None:
    """What makes a process of a second quicker; call it before anything else is imported."""
    gc.disable()  # the process ends before a collection would pay for itself
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # else every installed package is searched for some
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the embedded policy's matrices are too small to share out


def run(module: ModuleLike, name: StepName) -> None:
    """Run a step for a module; every error SecLoop raises on purpose becomes one clear failure."""
    begin()
    params = dict(module.params)
    if name in READ_INVENTORY:  # in a process of its own, while this one imports what it needs
        from secloop_ai.inventory import start

        params["reading"] = start(params["inventory"], config=params["ansible_config"] or None, secrets=True)
    from secloop_ai.contracts import SecLoopError

    from . import steps

    step: Step = getattr(steps, name)
    try:
        result = step(params, module.check_mode)
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
    from secloop_ai.contracts import DeviceError, GuardRefusal, TransactionFailed

    facts: dict[str, Any] = {"error": type(error).__name__}
    if isinstance(error, DeviceError):
        facts |= {"device": error.device, "operation": error.operation, "error_tag": error.error_tag}
    if isinstance(error, GuardRefusal) and error.verdict is not None:
        facts["refusals"] = [r.model_dump(mode="json") for r in error.verdict.verdict.refusals]
        facts["incident_id"] = error.verdict.incident_id
    if isinstance(error, TransactionFailed) and error.report is not None:
        facts["report"] = error.report.model_dump(mode="json")
    return facts
