"""The Ansible inventory of the embedded network, with emulated devices as its gateways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import yaml

from secloop_ai.contracts.errors import LabError

from .client import Device
from .profile import load_profile
from .schema import DATA

HEADER = "# Written by labs/emulator: a network whose gateways are emulated NETCONF devices.\n---\n"
ROLES = {"ge0": "outside", "ge1": "access", "ge2": "dmz-web", "ge3": "dmz-app", "mgmt0": "management"}
"""What each port of the embedded network is for; every dialect's profile has its own name for it (or no such port)."""
_OUTSIDE, _INSIDE = IPv4Address("100.64.0.0"), IPv4Address("10.0.0.0")


def write_inventory(device: Device, directory: Path) -> Path:
    """Write hosts.yml, group_vars/ and host_vars/ for the embedded network; existing files are overwritten.

    Args:
        device: the emulated gateway, known as gw1 in the inventory whatever its own name.
        directory: made where it is absent.

    Returns:
        The path of hosts.yml, to be given to `ansible-playbook -i`.

    Raises:
        LabError: nobody knows the interfaces of the device's dialect.
    """
    network = _network()
    devices = {name: _reachable(variables, device) for name, variables in network["devices"].items()}
    gateway = next(iter(devices))
    hosts = {name: _attached(gateway, variables, device.dialect) for name, variables in network["hosts"].items()}
    groups = {"secloop_devices": devices, "secloop_hosts": hosts}
    for name, variables in {**devices, **hosts}.items():
        _write(directory / "host_vars" / f"{name}.yml", variables)
    for name, variables in network["group_vars"].items():
        _write(directory / "group_vars" / f"{name}.yml", variables)
    tree: dict[str, Any] = {group: {"hosts": {host: {} for host in members}} for group, members in groups.items()}
    return _write(directory / "hosts.yml", {"all": {"children": tree}})


def write_fleet_inventory(devices: Sequence[Device], directory: Path) -> tuple[Path, ...]:
    """Write hosts.yml and group_vars/ for a network of many sites, one gateway each; existing files are overwritten.

    The first site is the embedded network with its hosts. The others have networks of their own behind the same
    five ports; what comes from outside can come in through every gateway.

    Args:
        devices: the gateways, by their own names.
        directory: made where it is absent.

    Returns:
        The files written, hosts.yml first.

    Raises:
        LabError: nobody knows the interfaces of a device's dialect.
    """
    network = _network()
    ports = next(iter(network["devices"].values()))
    gateways = {d.name: _reachable(_site(ports, n), d) for n, d in enumerate(devices, 1)}
    hosts = {n: _attached(devices[0].name, v, devices[0].dialect) for n, v in network["hosts"].items()}
    tree = {"secloop_devices": {"hosts": gateways}, "secloop_hosts": {"hosts": hosts}}
    written = [_write(directory / "hosts.yml", {"all": {"children": tree}})]
    for name, variables in network["group_vars"].items():
        written.append(_write(directory / "group_vars" / f"{name}.yml", variables))
    return tuple(written)


def _network() -> dict[str, Any]:
    return dict(yaml.safe_load((DATA / "embedded-network.yaml").read_text(encoding="utf-8")))


def port_names(dialect: str) -> Mapping[str, str]:
    """Role of a port to its name on the device.

    Raises:
        LabError: the dialect's profile does not say.
    """
    if not (names := load_profile(dialect).ports):
        raise LabError(f"the profile of {dialect} names no ports: labs/emulator/profiles/{dialect}.yaml")
    return names


def _attached(gateway: str, variables: Mapping[str, Any], dialect: str) -> dict[str, Any]:
    """A host of the embedded network, attached to the port as this gateway spells it."""
    host = dict(variables["secloop_host"])
    port = port_names(dialect)[ROLES[host["attached_to"]["interface"]]]
    return {"secloop_host": {**host, "attached_to": {"device": gateway, "interface": port}}}


def _site(variables: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    """The gateway's variables with the networks of the `number`th site; the first keeps those it has."""
    if number == 1:
        return variables
    ports = dict(variables["secloop_device"]["interfaces"])
    outside = _OUTSIDE + 4 * number
    ports["ge0"] = {**ports["ge0"], "addresses": [f"{outside + 1}/30"]}
    for order, name in enumerate(("ge1", "ge2", "ge3"), 1):
        v4 = IPv4Network((int(_INSIDE) + 256 * number + 64 * (order - 1), 26))
        v6 = f"2001:db8:{number:x}:{order}::"
        addresses = [f"{v4[1]}/26", f"{v6}1/64"]
        ports[name] = {**ports[name], "addresses": addresses, "networks": [str(v4), f"{v6}/64"]}
    return {"secloop_device": {**variables["secloop_device"], "interfaces": ports}}


def _reachable(variables: Mapping[str, Any], device: Device) -> dict[str, Any]:
    names = port_names(device.dialect)
    described = variables["secloop_device"]
    return {
        "ansible_host": device.host,
        "ansible_port": device.port,
        "ansible_user": device.user,
        "ansible_ssh_private_key_file": str(device.private_key),
        "secloop_device": {
            "dialect": device.dialect,
            "known_hosts": str(device.known_hosts),
            "interfaces": {names[ROLES[p]]: i for p, i in described["interfaces"].items() if ROLES[p] in names},
        },
    }


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = yaml.dump(dict(content), Dumper=_Plain, sort_keys=False, default_flow_style=False)
    path.write_text(HEADER + text, encoding="utf-8")
    return path


class _Plain(yaml.SafeDumper):
    """YAML without anchors, as a person would write it."""

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat what occurs twice."""
        del data
        return True
