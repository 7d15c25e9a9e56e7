"""Hosts that are folders of this machine: real roles, run by the real Ansible, without root and without SSH."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from secloop_ai.contracts import (
    Action,
    CommitReport,
    Environment,
    HostAccess,
    HostPlan,
    HostRunner,
    Mitigation,
    MitigationState,
    RoleOp,
    Strategy,
    TaggedRole,
)
from secloop_ai.loop.commit import commit_plan
from secloop_ai.loop.context import Context, now
from secloop_ai.loop.devices import read_running
from secloop_ai.loop.draft import draft
from secloop_ai.loop.folder import PlanFolder
from secloop_ai.loop.hosts import AnsibleHosts
from secloop_ai.loop.plan import plan_response

ROLES = Path(__file__).with_name("roles")
"""``disable_account`` writes a file named after the account. What an account is called says what shall fail."""
ACCOUNTS = ("operator", "guest", "no-apply", "no-verify", "no-undo", "no-verify-no-undo")
ACCESS = HostAccess(actions=("disable_account", "close_port"), accounts=ACCOUNTS)


def variables(root: Path, name: str, **more: Any) -> dict[str, Any]:
    """Connection variables of a host whose state is a folder below `root`."""
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ground": str(root / name),
        **more,
    }


def with_access(environment: Environment, *names: str) -> Environment:
    """The environment in which roles may touch these hosts."""
    hosts = tuple(h.model_copy(update={"access": ACCESS}) if h.name in names else h for h in environment.hosts)
    return environment.model_copy(update={"hosts": hosts})


def strategy(*actions: Action) -> Strategy:
    """These actions, on no evidence: no guard looks at it."""
    return Strategy(actions=actions, evidence=(), policy="written by hand")


def tagged(account: str = "operator", tag: str = "aaaaaaaaaa-0") -> TaggedRole:
    """A role to run."""
    return TaggedRole(tag=tag, op=RoleOp(role="disable_account", values={"account": account}))


def host_plan(host: str, *accounts: str) -> HostPlan:
    """A host's plan that disables these accounts."""
    return HostPlan(host=host, operations=tuple(tagged(a, f"aaaaaaaaaa-{n}") for n, a in enumerate(accounts)))


class Ground(Context):
    """A run's context whose hosts are folders below `root`, each reached as the dict `reach` says."""

    def __init__(self, environment: Environment, root: Path, names: Sequence[str]) -> None:
        super().__init__({"ledger_url": f"sqlite:///{root / 'ledger.sqlite'}", "run_dir": str(root / "runs")})
        self.root = root
        self.network = environment
        self.secrets: Mapping[str, SecretStr] = {}
        self.reach = {name: variables(root, name) for name in names}
        for name in names:
            (root / name).mkdir()

    def environment(self) -> Environment:
        return self.network

    def passwords(self, environment: Environment) -> Mapping[str, SecretStr]:
        del environment
        return self.secrets

    def host_runner(self) -> HostRunner:
        return AnsibleHosts(self.reach, roles_path=[str(ROLES)], timeout_s=60)

    def disabled(self, name: str) -> list[str]:
        """Accounts that are disabled on a host now."""
        return sorted(p.name for p in (self.root / name).iterdir())

    def active(self) -> tuple[Mitigation, ...]:
        """What stands, by the ledger."""
        return self.ledger.mitigations(states=(MitigationState.ACTIVE,))

    def plan(self, *actions: Action, incident: str = "aaaaaaaaaa") -> PlanFolder:
        """The plan of these actions against what stands."""
        made = draft(strategy(*actions), incident, self.network, self.active())
        devices = [d for n in made.operations() if (d := self.network.device(n))]
        running, failed = read_running(devices, self.secrets, concurrency=2)
        assert not failed
        plan = plan_response(incident, made, self.network, running, now())
        self.ledger.record_plan(plan, now=now())
        return PlanFolder(plan, None, ())

    def commit(self, content: PlanFolder) -> CommitReport:
        """Carry a plan out."""
        return commit_plan(content, self.network, self.secrets, self.ledger, self.settings, hosts=self.host_runner())

    def apply(self, *actions: Action, incident: str = "aaaaaaaaaa") -> CommitReport:
        """Plan and carry out."""
        return self.commit(self.plan(*actions, incident=incident))
