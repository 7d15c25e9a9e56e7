"""A battlefield on this machine: hosts in network namespaces, a NETCONF device that does what it is told, an IDS.

with Lab("lab0", inventory_dir=Path("inventory/lab")) as lab:
    Attack(lab).ssh_brute_force()
    lab.eve_path                                   # what the sensor saw
    lab.can_serve("client", "192.0.2.10", 80)      # whether the client is served
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .attack import Attack, AttackResult, RunningAttack
    from .lab import Lab, LabStatus, ProcessStatus

__all__ = ["Attack", "AttackResult", "Lab", "LabStatus", "ProcessStatus", "RunningAttack"]


def __getattr__(name: str) -> Any:
    """The classes, imported on first use: the lab's own daemons import this package too."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import attack, lab

    return getattr(attack if name in attack.__dict__ else lab, name)
