"""The judge of SA-GRPO: how proportionate a strategy is to the alerts, by a fixed rubric, apart from the battlefield.

It reads the strategy and the request alone: the alerts and the inventory, never the case, the attack or what became of
it. So a strategy that cuts everything off loses twice: by the service it takes, and here.

The rubric is our choice, as the method leaves the judge open (an LLM there). Seven faults, each from 0 (none) to 1:

irrelevant (weight 0.40)
    Share of the actions whose target no alert names.
collateral (0.40)
    Declared uses of services that are cut off, beside the alerted ones: w / (w + 8), where a use weighs 1, 2 or 4 by
    the service's criticality.
wholesale (0.30)
    A host, port or service is cut off where less would do: the host was only acted upon, others share the port, or
    declared clients use the service while a stranger is who can be blocked.
scope (0.20)
    How far the harshest action goes beyond what the severity of its alerts calls for.
padding (0.20)
    Share of the actions beyond one for each pair of ends that the alerts name.
duplicates (0.20)
    Share of the actions that another one repeats or already includes.
duration (0.10)
    By how much a lifetime is longer than severity and harshness call for.

Rationality is 1 less the weighted sum, at least 0. To observe is never too harsh: 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from secloop_ai.contracts import (
    TTLS_S,
    Action,
    BlackholeRoute,
    BlockFlow,
    BlockIp,
    ClosePort,
    Criticality,
    IsolateHost,
    PolicyRequest,
    ShutdownPort,
    StopProcess,
    Strategy,
)

from .judged import View, inside

VERSION = 1
HARSHNESS: Mapping[str, int] = {
    "observe": 0,
    **dict.fromkeys(("secure_sshd", "harden_kernel", "deploy_hids", "enforce_apparmor", "patch_vulnerability"), 1),
    **dict.fromkeys(("block_flow", "rate_limit", "dns_sinkhole"), 1),
    **dict.fromkeys(("block_ip", "restrict_service", "blackhole_route"), 2),
    **dict.fromkeys(("close_port", "stop_process", "disable_account"), 2),
    "isolate_host": 3,
    "shutdown_port": 4,
}
"""How harsh an action is by its kind; an unknown one is as harsh as any."""
HARSHEST = 4
CALLED_FOR: Mapping[int, int] = {1: 4, 2: 3, 3: 2, 4: 1}
"""Severity of an alert → the harshest action it calls for."""
LONGEST_S: Mapping[int, int] = {1: 14_400, 2: 14_400, 3: 3_600, 4: 900}
"""Severity → the longest lifetime it calls for, in seconds; one step less for what cuts a host off."""
WHOLE_HOST = 3
HALF = 8
"""Weight of cut uses at which collateral is one half."""
WEIGHT = {Criticality.LOW: 1, Criticality.MEDIUM: 2, Criticality.HIGH: 4}


class Judge(Protocol):
    """Whoever says how proportionate a strategy is; an LLM may stand behind it."""

    @property
    def name(self) -> str:
        """Name and version, for the run's record."""

    def rationality(self, strategy: Strategy, request: PolicyRequest) -> float:
        """From 0 (extreme) to 1 (proportionate)."""


class Rubric:
    """The deterministic judge; equal arguments always get the same figure."""

    @property
    def name(self) -> str:
        """Name and version, for the run's record."""
        return f"rubric/{VERSION}"

    def faults(self, strategy: Strategy, request: PolicyRequest) -> dict[str, float]:
        """Every fault from 0 to 1, unweighted."""
        view = View(strategy, request)
        return {name: fault(view) if view.acting else 0.0 for name, (_, fault) in FAULTS.items()}

    def rationality(self, strategy: Strategy, request: PolicyRequest) -> float:
        """1 less the weighted faults, at least 0."""
        found = self.faults(strategy, request)
        return max(0.0, 1.0 - sum(weight * found[name] for name, (weight, _) in FAULTS.items()))


def irrelevant(view: View) -> float:
    """Share of the actions whose target no alert names."""
    return sum(not view.naming(a) for a in view.acting) / len(view.acting)


def collateral(view: View) -> float:
    """Weight of the declared uses that are cut off, beside those that the alerts are about."""
    cut = {(str(u.client), u.server.name, u.service.name): u for a in view.acting for u in view.cut(a)}
    lost = sum(WEIGHT[u.service.criticality] for u in cut.values() if not view.alerted(u))
    return lost / (lost + HALF)


def wholesale(view: View) -> float:
    """Whether something is cut off whole where less would do."""
    return float(any(_less_would_do(view, action) for action in view.acting))


def _less_would_do(view: View, action: Action) -> bool:
    hosts = view.targets(action)
    if isinstance(action, IsolateHost | ShutdownPort):
        return len(hosts) != 1 or not view.acted(hosts[0])
    if isinstance(action, ClosePort | StopProcess):
        strangers = any(s.summary.handshake and view.environment.host_at(s.ends.client) is None for s in view.alerts)
        return strangers and any(True for _ in view.cut(action))
    return False


def scope(view: View) -> float:
    """How far the harshest action goes beyond what its alerts call for."""
    return max(max(0, _harshness(a) - CALLED_FOR[_severity(view, a)]) for a in view.acting) / (HARSHEST - 1)


def padding(view: View) -> float:
    """Share of the actions beyond one for each pair of ends."""
    pairs = {(seen.ends.client, seen.ends.server) for seen in view.alerts}
    return max(0, len(view.acting) - max(1, len(pairs))) / len(view.acting)


def duplicates(view: View) -> float:
    """Share of the actions that another one repeats or already includes."""
    acts = view.acting
    idle = sum(any(_covers(acts[m], acts[n], view) for m in range(len(acts)) if m != n) for n in range(len(acts)))
    return min(idle, len(acts) - 1) / len(acts)


def duration(view: View) -> float:
    """By how many steps the longest lifetime is out of proportion, of all steps there are."""
    return max(_steps_over(view, a) for a in view.acting) / (len(TTLS_S) - 1)


def _steps_over(view: View, action: Action) -> int:
    longest = TTLS_S.index(LONGEST_S[_severity(view, action)]) - (_harshness(action) >= WHOLE_HOST)
    return max(0, TTLS_S.index(action.ttl_s) - longest)


def _harshness(action: Action) -> int:
    return HARSHNESS.get(action.kind, HARSHEST)


def _severity(view: View, action: Action) -> int:
    """Of the most severe alert that names the action's target; the least of all where none does."""
    return min((seen.summary.severity for seen in view.naming(action)), default=max(CALLED_FOR))


def _covers(wide: Action, narrow: Action, view: View) -> bool:
    """Whether one action makes another superfluous."""
    if wide.model_copy(update={"ttl_s": narrow.ttl_s}) == narrow:
        return True
    if isinstance(wide, IsolateHost | ShutdownPort) and isinstance(narrow, IsolateHost | ShutdownPort | ClosePort):
        lesser = all(host in view.targets(wide) for host in view.targets(narrow))
        return lesser and _harshness(wide) > _harshness(narrow)
    if isinstance(wide, BlockIp) and isinstance(narrow, BlockFlow | BlockIp):
        return wide != narrow and inside(narrow.source, wide.source)
    return isinstance(wide, BlockIp) and isinstance(narrow, BlackholeRoute) and wide.source == narrow.destination


FAULTS: Mapping[str, tuple[float, Callable[[View], float]]] = {
    "irrelevant": (0.4, irrelevant),
    "collateral": (0.4, collateral),
    "wholesale": (0.3, wholesale),
    "scope": (0.2, scope),
    "padding": (0.2, padding),
    "duplicates": (0.2, duplicates),
    "duration": (0.1, duration),
}
"""Fault → its weight, and how it is found."""
