"""The Ansible inventory of the embedded network, with an emulated device as its gateway."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from .client import Device
from .schema import DATA

_HEADER = "# Written by labs/emulator: the embedded network, whose gateway is an emulated NETCONF device.\n---\n"


def write_inventory(device: Device, directory: Path) -> Path:
    """Write hosts.yml, group_vars/ and host_vars/ for the embedded network; existing files are overwritten.

    Args:
        device: the emulated gateway, known as gw1 in the inventory whatever its own name.
        directory: made where it is absent.

    Returns:
        The path of hosts.yml, to be given to `ansible-playbook -i`.
    """
    network = yaml.safe_load((DATA / "embedded-network.yaml").read_text(encoding="utf-8"))
    devices = {name: _reachable(variables, device) for name, variables in network["devices"].items()}
    groups = {"secloop_devices": devices, "secloop_hosts": network["hosts"]}
    for name, variables in {**devices, **network["hosts"]}.items():
        _write(directory / "host_vars" / f"{name}.yml", variables)
    for name, variables in network["group_vars"].items():
        _write(directory / "group_vars" / f"{name}.yml", variables)
    members: dict[str, Any] = {group: {"hosts": {host: {} for host in hosts}} for group, hosts in groups.items()}
    return _write(directory / "hosts.yml", {"all": {"children": members}})


def _reachable(variables: Mapping[str, Any], device: Device) -> dict[str, Any]:
    described = variables["secloop_device"]
    return {
        "ansible_host": device.host,
        "ansible_port": device.port,
        "ansible_user": device.user,
        "ansible_ssh_private_key_file": str(device.private_key),
        "secloop_device": {
            "dialect": described["dialect"],
            "known_hosts": str(device.known_hosts),
            "interfaces": described["interfaces"],
        },
    }


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(dict(content), Dumper=_Plain, sort_keys=False, default_flow_style=False)
    path.write_text(_HEADER + text, encoding="utf-8")
    return path


class _Plain(yaml.SafeDumper):
    """YAML without anchors, as a person would write it."""

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat what occurs twice."""
        del data
        return True
