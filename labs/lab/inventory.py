"""The Ansible inventory of a running lab, as a user would write it for the same network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from secloop_ai.contracts.errors import LabError

from .paths import RunPaths
from .topology import (
    MANAGEMENT_PORT,
    NETCONF_PORT,
    NETCONF_USER,
    PORTS,
    Port,
    controller_address,
    device_address,
    management_subnet,
    namespace,
    port_of,
)

DEVICE = "gw1"
HEAD = "# Written by `secloop lab up` for lab {name}; removed by `secloop lab down`.\n"
HTTP = {"type": "http", "path": "/", "expect_status": 200}
BANNER = {"type": "banner", "expect": "SSH-"}
# the attacker is not in it: nobody's inventory lists the attacker
INVENTORY_NAMES = {"client": "client1", "web": "web1", "app": "app1"}


def documents(lab: str, index: int, paths: RunPaths) -> dict[str, Any]:
    """Every file of the inventory: its path below the inventory folder, and what it holds."""
    hosts = {"client": _client(lab), "web": _web(), "app": _app()}
    files: dict[str, Any] = {
        "hosts.yaml": {
            "all": {
                "children": {
                    "secloop_devices": {"hosts": {DEVICE: None}},
                    "secloop_hosts": {"hosts": {INVENTORY_NAMES[host]: None for host in hosts}},
                }
            }
        },
        "group_vars/all.yaml": {
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "secloop_protected": _protected(index),
        },
        f"host_vars/{DEVICE}.yaml": _device(index, paths),
    }
    for host, variables in hosts.items():
        files[f"host_vars/{INVENTORY_NAMES[host]}.yaml"] = {"secloop_host": variables}
    return files


def _protected(index: int) -> list[str]:
    own = [str(address.ip) for port in PORTS for address in (port.v4, port.v6)]
    return [*own, str(management_subnet(index))]


def _device(index: int, paths: RunPaths) -> dict[str, Any]:
    return {
        "ansible_host": str(device_address(index)),
        "ansible_port": NETCONF_PORT,
        "ansible_user": NETCONF_USER,
        "ansible_ssh_private_key_file": str(paths.login_key),
        "secloop_device": {
            "dialect": "ietf",
            "known_hosts": str(paths.known_hosts),
            "interfaces": {
                **{port.name: _interface(port) for port in PORTS},
                MANAGEMENT_PORT: {
                    "zone": "management",
                    "management": True,
                    "addresses": [f"{device_address(index)}/30"],
                    "networks": [f"{controller_address(index)}/32"],
                },
            },
        },
    }


def _interface(port: Port) -> dict[str, Any]:
    return {
        "zone": port.zone,
        "addresses": [str(port.v4), str(port.v6)],
        "networks": [str(network) for network in port.networks],
    }


def _host(host: str, role: str, criticality: str) -> dict[str, Any]:
    port = port_of(host)
    return {
        "addresses": [str(port.host_v4.ip), str(port.host_v6.ip)],
        "zone": port.zone,
        "role": role,
        "criticality": criticality,
        "attached_to": {"device": DEVICE, "interface": port.name},
    }


def _service(name: str, port: int, check: dict[str, Any], criticality: str) -> dict[str, Any]:
    clients = [INVENTORY_NAMES["client"]]
    how = {"name": name, "protocol": "tcp", "port": port, "check": dict(check)}
    return {**how, "clients": clients, "criticality": criticality}


def _client(lab: str) -> dict[str, Any]:
    probe = {"via": "netns", "netns": namespace(lab, "client")}
    return {**_host("client", "client", "medium"), "probe": probe}


def _web() -> dict[str, Any]:
    return {**_host("web", "server", "high"), "services": [_service("web", 80, HTTP, "high")]}


def _app() -> dict[str, Any]:
    services = [_service("app", 8080, HTTP, "high"), _service("ssh", 22, BANNER, "medium")]
    return {**_host("app", "server", "high"), "services": services}


def targets(lab: str, index: int, paths: RunPaths, folder: Path) -> dict[Path, str]:
    """The files to write and their text.

    Raises:
        LabError: one of them is there already and was not written by a lab.
    """
    head = HEAD.format(name=lab)
    texts: dict[Path, str] = {}
    for name, content in documents(lab, index, paths).items():
        path = folder / name
        if path.exists() and not path.read_text(encoding="utf-8").startswith(head.split("`")[0]):
            raise LabError(f"{path}: there is an inventory of somebody else's; choose another inventory folder")
        texts[path] = head + yaml.safe_dump(content, sort_keys=False, width=110)
    return texts
