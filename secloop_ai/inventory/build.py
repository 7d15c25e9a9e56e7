"""One host of the inventory as a Device or a Host."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from secloop_ai.contracts import (
    Attachment,
    Connection,
    Device,
    Host,
    HostAccess,
    Interface,
    IPAddress,
    Name,
    ProbeVantage,
)

from .explain import validated
from .findings import Findings
from .schema import DEVICE, HOST, NETCONF_PORT, ConnectionVars, DeviceVars, HostVars, ProbeVars, ServiceVars
from .source import RawHost

NAME: TypeAdapter[str] = TypeAdapter(Name)


class DraftHost(NamedTuple):
    """A host whose services' clients are not looked up yet."""

    raw: RawHost
    host: Host
    services: tuple[ServiceVars, ...]


def as_ip(text: str) -> IPAddress | None:
    """The text as an address; None for a name."""
    try:
        return ip_address(text)
    except ValueError:
        return None


def local_path(raw: RawHost, text: str | None) -> str | None:
    """A path of the inventory: ``~`` is the user's home, a relative one starts at the inventory's folder."""
    if not text:
        return None
    try:
        return str(Path(raw.folder, Path(text).expanduser()))
    except RuntimeError:  # the home of a user who is not on this machine
        return text


def connection_vars(raw: RawHost, findings: Findings) -> ConnectionVars | None:
    """Ansible's connection variables of a host."""
    values = {n: raw.values[n] for n in ConnectionVars.model_fields if raw.values.get(n) is not None}
    if isinstance(values.get("ansible_host"), str):
        values["ansible_host"] = values["ansible_host"].strip("[]")
    return validated(ConnectionVars, values, raw, (), findings)


def has_plain_name(raw: RawHost, findings: Findings) -> bool:
    """Whether the inventory name, which ends up in plans and on devices, is a name there too."""
    try:
        NAME.validate_python(raw.name)
    except ValidationError:
        findings.add(raw, (), "an inventory name must be letters, digits, '.', '_', '/', ':' and '-', at most 64")
        return False
    return True


def build_device(raw: RawHost, findings: Findings) -> Device | None:
    """The host as a network device; None, with the problems noted, where it is not one."""
    if DEVICE not in raw.values:
        findings.add(raw, (DEVICE,), "is required of every member of the group secloop_devices")
        return None
    connection = connection_vars(raw, findings)
    given = validated(DeviceVars, raw.values[DEVICE], raw, (DEVICE,), findings)
    named = has_plain_name(raw, findings)
    if connection is None or given is None or not named or raw.problems:
        return None
    return Device(
        name=raw.name,
        dialect=given.dialect,
        connection=Connection(
            address=connection.ansible_host or raw.name,
            port=connection.ansible_port or NETCONF_PORT,
            user=connection.ansible_user,
            key_file=local_path(raw, connection.ansible_ssh_private_key_file),
            known_hosts=local_path(raw, given.known_hosts),
            verify_host_key=given.verify_host_key,
            timeout_s=given.timeout_s,
        ),
        interfaces=tuple(Interface(name=name, **dict(port)) for name, port in given.interfaces.items()),
        lock_running=given.lock_running,
        cli_port=given.cli_port,
        confirm_timeout_unit=given.confirm_timeout_unit,
    )


def build_host(raw: RawHost, findings: Findings) -> DraftHost | None:
    """The host as a host of the network; None, with the problems noted, where it is not one."""
    connection = connection_vars(raw, findings)
    given = validated(HostVars, raw.values.get(HOST, {}), raw, (HOST,), findings)
    named = has_plain_name(raw, findings)
    if connection is None or given is None or not named or raw.problems:
        return None
    reached_at = connection.ansible_host or raw.name
    own = as_ip(reached_at)
    addresses = given.addresses or ((own,) if own else ())
    if not addresses:
        findings.add(raw, (HOST, "addresses"), f"is required, as ansible_host ({reached_at!r}) is not an address")
        return None
    host = Host(
        name=raw.name,
        addresses=addresses,
        zone=given.zone,
        role=given.role,
        attached_to=Attachment(**dict(given.attached_to)) if given.attached_to else None,
        criticality=given.criticality,
        probe=_probe(raw, given.probe, reached_at, findings),
        access=HostAccess(**dict(given.access)) if given.access else None,
    )
    return DraftHost(raw, host, given.services)


def _probe(raw: RawHost, given: ProbeVars | None, reached_at: str, findings: Findings) -> ProbeVantage | None:
    if given is None:
        return None
    if given.via == "netns" and not given.netns:
        findings.add(raw, (HOST, "probe", "netns"), "is required where via is netns")
    address = given.address or (reached_at if given.via == "ssh" else None)
    return ProbeVantage(via=given.via, netns=given.netns, address=address)
