"""Which actions of the catalogue this network cannot take, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from secloop_ai.contracts import CATALOGUE, Environment, Plane


def not_offered(environment: Environment, roles_path: Sequence[str]) -> dict[str, str]:
    """Actions that nothing here could carry out.

    Args:
        environment: with its devices and hosts.
        roles_path: folders in which Ansible looks for roles; a host action needs a role of its name there.
    """
    found = {name: _refusal(name, environment, roles_path) for name in CATALOGUE}
    return {name: reason for name, reason in found.items() if reason}


def _refusal(action: str, environment: Environment, roles_path: Sequence[str]) -> str:
    plane = CATALOGUE[action].spec.plane
    if plane is Plane.NETWORK and not environment.devices:
        return "the inventory has no device"
    if plane is Plane.HOST and not any(Path(folder, action).is_dir() for folder in roles_path):
        return f"its role does not exist yet: no folder {action!r} in Ansible's roles path"
    if plane is Plane.HOST and not environment.hosts:
        return "the inventory has no host"
    if plane is Plane.HOST and not any(h.access and action in h.access.actions for h in environment.hosts):
        return "no host allows it: no secloop_host.access.actions lists it"
    return ""


def merge_not_offered(environment: Environment, by_device: Mapping[str, Mapping[str, str]]) -> Environment:
    """The Environment without the actions that every one of its devices refuses.

    Args:
        environment: as loaded.
        by_device: device → action → why that device cannot take it. A device that is not named refuses nothing.

    An action that some device can take stays offered: whether it can be taken where it is needed is for the plan.
    """
    names = [d.name for d in environment.devices]
    found = dict(environment.not_offered)
    for action in CATALOGUE:
        reasons = {n: by_device[n][action] for n in names if action in by_device.get(n, {})}
        if names and len(reasons) == len(names):
            found.setdefault(action, _joined(reasons))
    return environment.model_copy(update={"not_offered": found})


def _joined(reasons: Mapping[str, str]) -> str:
    """One reason, or each device's own."""
    if len(set(reasons.values())) == 1:
        return next(iter(reasons.values()))
    return "; ".join(f"{device}: {reason}" for device, reason in reasons.items())
