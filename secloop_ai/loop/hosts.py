"""Roles on hosts: ansible-runner on ``playbooks/hosts.yml``, all hosts side by side."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from secloop_ai.contracts import HostPlan, HostResult, HostStep, InputError, TaggedRole

from .host_events import Event, results
from .runner import own_path, project_dir, said_errors

PLAYBOOK = Path("playbooks/hosts.yml")
TASKS = {HostStep.APPLY: "main", HostStep.VERIFY: "verify", HostStep.UNDO: "undo"}
Inventory = Sequence[str] | Mapping[str, Mapping[str, Any]]


class AnsibleHosts:
    """A :class:`secloop_ai.contracts.HostRunner`.

    Args:
        inventory: Ansible's sources (empty: what ansible.cfg names); or, for a lab, host → its variables.
        config: the ansible.cfg to go by; None: ``ANSIBLE_CONFIG``, else the checkout's.
        roles_path: folders of roles, where they are not those of ansible.cfg.
        project: the checkout that holds ``playbooks/hosts.yml``; None: as for every playbook.
        timeout_s: seconds until a run is ended.
        concurrency: hosts worked on side by side.
    """

    def __init__(
        self,
        inventory: Inventory,
        *,
        config: str | None = None,
        roles_path: Sequence[str] = (),
        project: Path | None = None,
        timeout_s: float = 300.0,
        concurrency: int = 20,
    ) -> None:
        self._inventory = inventory
        self._config = config
        self._roles_path = tuple(roles_path)
        self._project = project or project_dir()
        self._timeout_s = timeout_s
        self._concurrency = concurrency

    def run(
        self, plans: Sequence[HostPlan], steps: Sequence[HostStep], *, check: bool = False
    ) -> tuple[HostResult, ...]:
        """Run every role of every plan, step by step; one result per plan, in order. A failing host keeps no other.

        Side effects: on the hosts; none with `check`, which asks the roles for their diff instead.

        Raises:
            InputError: Ansible could not run anything; its own words.
        """
        if not plans:
            return ()
        hosts = [p.host for p in plans]
        events: list[Event] = []
        status = self._play(work_of(plans, steps), events, check=check)
        found = results(hosts, events, status=status, timeout_s=self._timeout_s)
        if found is None:
            raise InputError(f"the roles could not be run: {said_errors(events) or f'Ansible ended as {status}'}")
        return found

    def _play(self, extra: Mapping[str, Any], events: list[Event], *, check: bool) -> str:
        import ansible_runner

        def keep(event: Event) -> bool:
            events.append(event)
            return False  # none of them reaches a disk

        private = Path(tempfile.mkdtemp(prefix="secloop-hosts-"))  # 0700, gone afterwards
        try:
            _write(private / "env" / "extravars", extra)
            result = ansible_runner.run(
                private_data_dir=str(private),
                project_dir=str(self._project),
                playbook=str(self._project / PLAYBOOK),
                inventory=self._sources(private),
                envvars=self._environ(),
                cmdline="--check --diff" if check else None,
                forks=self._concurrency,
                ident=uuid.uuid4().hex,
                suppress_env_files=True,
                timeout=max(1, int(self._timeout_s)),
                quiet=True,
                event_handler=keep,
                cancel_callback=lambda: False,  # or it would put signal handlers of its own in place for good
            )
            return str(result.status)
        finally:
            shutil.rmtree(private, ignore_errors=True)

    def _sources(self, private: Path) -> list[str] | None:
        if isinstance(self._inventory, Mapping):
            path = private / "inventory" / "hosts.json"
            _write(path, {"all": {"hosts": {name: dict(given) for name, given in self._inventory.items()}}})
            return [str(path)]
        return [str(Path(i).resolve()) if Path(i).exists() else i for i in self._inventory] or None

    def _environ(self) -> dict[str, str]:
        config = self._config or os.environ.get("ANSIBLE_CONFIG") or str(self._project / "ansible.cfg")
        found = {
            "ANSIBLE_CONFIG": config,
            "PATH": own_path(),
            # this may itself run in a module of a playbook that ansible-runner runs: its call-back must not call itself
            "ANSIBLE_STDOUT_CALLBACK": "default",
            "ANSIBLE_CALLBACK_PLUGINS": "",
            # ansible-runner turns the check of host keys off unless it is told. An inventory may do so for a host.
            "ANSIBLE_HOST_KEY_CHECKING": os.environ.get("ANSIBLE_HOST_KEY_CHECKING", "True"),
        }
        if self._roles_path:
            found["ANSIBLE_ROLES_PATH"] = os.pathsep.join(self._roles_path)
        return found


def work_of(plans: Sequence[HostPlan], steps: Sequence[HostStep]) -> dict[str, Any]:
    """The playbook's variables. What stands last is undone first."""
    backwards = tuple(steps) == (HostStep.UNDO,)
    work = {p.host: [role_call(t) for t in (p.operations[::-1] if backwards else p.operations)] for p in plans}
    return {"secloop_steps": [TASKS[s] for s in steps], "secloop_work": work}


def role_call(tagged: TaggedRole) -> dict[str, Any]:
    """A role and its variables, which carry its name."""
    role = tagged.op.role
    values = {"tag": tagged.tag, **tagged.op.values}
    return {"role": role, "vars": {f"{role}_{name}": value for name, value in values.items()}}


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True)
    path.write_text(json.dumps(value))
