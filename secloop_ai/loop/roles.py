"""Host actions as roles: which one, with which values, on a host that allows it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from secloop_ai.contracts import (
    BaseAction,
    Environment,
    Host,
    HostAccess,
    HostPlan,
    Mitigation,
    PlanError,
    PlannedMitigation,
    RoleOp,
    TaggedRole,
)

LISTS = {"account": "accounts", "process": "processes", "package": "packages"}
"""Value of a role → the list of a host's access that must hold it."""
RESOLVES = "dns_sinkhole"


def compile_role(action: BaseAction, environment: Environment) -> tuple[str, RoleOp]:
    """The host of a host action, and its role with every value it needs.

    Raises:
        PlanError: the host is not in the inventory, or its `access` does not allow this; names host and action.
    """
    given: dict[str, Any] = action.model_dump(mode="json", exclude={"ttl_s"})
    role, name = given.pop("kind"), given.pop("host")
    values: dict[str, str | int] = given
    host = environment.host(name)
    if role == RESOLVES and host and host.access and host.access.resolver:
        values = {**values, "resolver": host.access.resolver}
    operation = RoleOp(role=role, values=values)
    require_access(name, host, operation)
    return name, operation


def require_access(name: str, host: Host | None, operation: RoleOp) -> None:
    """Hold a role to what its host allows now.

    Raises:
        PlanError: it does not; names host and action.
    """
    where = f"{operation.role}: host {name}"
    if host is None:
        raise PlanError(f"{where} is not in the inventory")
    if host.access is None:
        raise PlanError(f"{where} has no access: no role may touch it")
    if problem := _refusal(host.access, operation):
        raise PlanError(f"{where}: {problem}")


def _refusal(access: HostAccess, operation: RoleOp) -> str:
    if operation.role not in access.actions:
        return f"its access.actions does not allow it: {', '.join(access.actions) or 'it lists none'}"
    for value, known in LISTS.items():
        named = operation.values.get(value)
        if named is not None and named not in getattr(access, known):
            return f"its access.{known} does not list {named}"
    if operation.role == RESOLVES and access.resolver is None:
        return "it is no resolver: its access has none"
    if operation.role == RESOLVES and operation.values.get("resolver") != access.resolver:
        return f"its access.resolver is {access.resolver}"
    return ""


def by_host(mitigations: Iterable[PlannedMitigation | Mitigation]) -> dict[str, tuple[TaggedRole, ...]]:
    """Host → the roles that these mitigations stand for there, in order."""
    found: dict[str, list[TaggedRole]] = defaultdict(list)
    for m in mitigations:
        for name, ops in m.operations.items():
            found[name].extend(TaggedRole(tag=m.mitigation_id, op=op) for op in ops if isinstance(op, RoleOp))
    return {name: tuple(ops) for name, ops in sorted(found.items()) if ops}


def host_plans(mitigations: Iterable[PlannedMitigation | Mitigation]) -> tuple[HostPlan, ...]:
    """One plan for each host that these mitigations touch."""
    return tuple(HostPlan(host=name, operations=ops) for name, ops in by_host(mitigations).items())


def on_hosts(mitigation: PlannedMitigation | Mitigation) -> bool:
    """Whether it is of the host plane: a mitigation is wholly of one plane."""
    return any(isinstance(op, RoleOp) for ops in mitigation.operations.values() for op in ops)


def role_line(tagged: TaggedRole) -> str:
    """A role with its values, for people: ``disable_account account=operator (by 3fa2b1c4d5-0)``."""
    values = "".join(f" {name}={value}" for name, value in sorted(tagged.op.values.items()))
    return f"{tagged.op.role}{values} (by {tagged.tag})"
