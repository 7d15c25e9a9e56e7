"""The Ansible inventory of a running battlefield: what its Environment says, as a user would write it down."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from secloop_ai.contracts import Device, Environment, Host, Interface, Service

LIMITS = ("max_prefix_v4", "max_prefix_v6", "max_actions")


def write(environment: Environment, logins: Mapping[str, Mapping[str, str]], folder: Path) -> Path:
    """Write it into a new, private folder, and say where; reading it gives the Environment again.

    Args:
        environment: of the battlefield.
        logins: host → Ansible's connection variables.
        folder: must not exist.
    """
    for name, content in documents(environment, logins).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_text(yaml.safe_dump(content, sort_keys=False, width=110), encoding="utf-8")
    return folder


def documents(environment: Environment, logins: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Every file: its path below the folder, and what it holds."""
    devices, hosts = environment.devices, environment.hosts
    groups = {
        "secloop_devices": {"hosts": {d.name: None for d in devices}},
        "secloop_hosts": {"hosts": {h.name: None for h in hosts}},
    }
    return {
        "hosts.yaml": {"all": {"children": groups}},
        "group_vars/all.yaml": {
            "secloop_protected": [str(n) for n in environment.protected],
            "secloop_limits": {name: getattr(environment, name) for name in LIMITS},
        },
        **{f"host_vars/{d.name}.yaml": _device(d) for d in devices},
        **{f"host_vars/{h.name}.yaml": {**logins.get(h.name, {}), "secloop_host": _host(h)} for h in hosts},
    }


def _device(device: Device) -> dict[str, Any]:
    way = device.connection
    return {
        "ansible_host": way.address,
        "ansible_port": way.port,
        "ansible_user": way.user,
        "ansible_ssh_private_key_file": way.key_file,
        "secloop_device": {
            "dialect": device.dialect,
            "known_hosts": way.known_hosts,
            "timeout_s": way.timeout_s,
            "lock_running": device.lock_running,
            "confirm_timeout_unit": device.confirm_timeout_unit,
            "interfaces": {i.name: _interface(i) for i in device.interfaces},
        },
    }


def _interface(port: Interface) -> dict[str, Any]:
    return port.model_dump(mode="json", exclude={"name"})


def _host(host: Host) -> dict[str, Any]:
    plain = host.model_dump(mode="json", exclude={"name", "services"}, exclude_none=True)
    return {**plain, "services": [_service(s) for s in host.services]}


def _service(service: Service) -> dict[str, Any]:
    return service.model_dump(mode="json", exclude_none=True)
