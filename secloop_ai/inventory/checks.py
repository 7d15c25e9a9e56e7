"""What no single host's variables can show to be wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from secloop_ai.contracts import CATALOGUE, Device, Interface, IPAddress, IPNetwork

from .build import DraftHost, as_ip
from .findings import Findings, did_you_mean
from .schema import DEVICE, DEVICES, HOST, HOSTS
from .source import KeyPath, RawHost, RawInventory

Devices = Sequence[tuple[RawHost, Device]]


def cross_check(
    devices: Devices,
    hosts: Sequence[DraftHost],
    raw: RawInventory,
    known_dialects: Collection[str] | None,
    findings: Findings,
) -> None:
    """Note every contradiction between the hosts, and within one."""
    for source, device in devices:
        if known_dialects is not None and device.dialect not in known_dialects:
            known = (
                f"known: {', '.join(sorted(known_dialects)) or 'none'}{did_you_mean(device.dialect, known_dialects)}"
            )
            findings.add(source, (DEVICE, "dialect"), f"unknown dialect {device.dialect!r} ({known})")
        _check_prefixes(source, device, findings)
        _check_management(source, device, findings)
    for host in hosts:
        _check_attachment(host, devices, raw, findings)
        _check_services(host, findings)
        _check_access(host, findings)
    _check_addresses(devices, hosts, findings)


def check_membership(host: RawHost, findings: Findings) -> None:
    """A host is a device or a host, and says only what goes with that."""
    groups = set(host.groups)
    if {DEVICES, HOSTS} <= groups:
        findings.add(host, (), f"is in both groups, {DEVICES} and {HOSTS}")
        return
    for variable, group in ((DEVICE, DEVICES), (HOST, HOSTS)):
        if variable in host.values and group not in groups:
            findings.add(host, (variable,), f"is set, but the host is not in the group {group}", at_key=True)


def _entries(interface: Interface) -> Iterator[tuple[KeyPath, IPNetwork]]:
    """Every prefix behind a port, with the key that says so."""
    base = (DEVICE, "interfaces", interface.name)
    for n, address in enumerate(interface.addresses):
        if not address.is_link_local:
            yield (*base, "addresses", n), address.network
    for n, network in enumerate(interface.networks):
        yield (*base, "networks", n), network


def _check_prefixes(source: RawHost, device: Device, findings: Findings) -> None:
    owner: dict[IPNetwork, str] = {}
    for interface in device.interfaces:
        for path, network in () if interface.management else _entries(interface):
            other = owner.setdefault(network, interface.name)
            if other != interface.name:
                findings.add(source, path, f"{network} is already behind port {other!r} of this device")


def _check_management(source: RawHost, device: Device, findings: Findings) -> None:
    """A port that carries our session must be known as such. A loopback address is a tunnel: nothing to compare."""
    address = as_ip(device.connection.address)
    if address is None or address.is_loopback:
        return
    for interface in device.interfaces:
        path = (DEVICE, "interfaces", interface.name)
        own = {a.ip for a in interface.addresses}
        if address in own and not interface.management:
            message = f"SecLoop connects to this port's {address}: it needs management: true"
            findings.add(source, path, message)
        if interface.management and own and address not in own:
            message = f"the management port does not have the address SecLoop connects to (ansible_host {address})"
            findings.add(source, (*path, "addresses"), message)


def _check_attachment(host: DraftHost, devices: Devices, raw: RawInventory, findings: Findings) -> None:
    attached = host.host.attached_to
    if attached is None:
        return
    device = next((d for _, d in devices if d.name == attached.device), None)
    known = raw.by_name.get(attached.device)
    path = (HOST, "attached_to")
    if known is None or DEVICES not in known.groups:
        names = [h.name for h in raw.hosts if DEVICES in h.groups]
        message = f"no device {attached.device!r} in the inventory{did_you_mean(attached.device, names)}"
        findings.add(host.raw, (*path, "device"), message)
    elif device and device.interface(attached.interface) is None:
        ports = [i.name for i in device.interfaces]
        message = f"{device.name} has no interface {attached.interface!r}{did_you_mean(attached.interface, ports)}"
        findings.add(host.raw, (*path, "interface"), message)


def _check_services(host: DraftHost, findings: Findings) -> None:
    count: Counter[str] = Counter()
    for n, service in enumerate(host.services):
        count[service.name] += 1
        path = (HOST, "services", n)
        if count[service.name] > 1:
            findings.add(host.raw, (*path, "name"), f"this host has another service {service.name!r}")
        if service.check and service.protocol == "udp":
            findings.add(host.raw, (*path, "check"), f"a {service.check.type} check needs protocol tcp")


NEEDED = {"acct": "accounts", "proc": "processes", "pkg": "packages"}
"""Role of an action's slot → the list of access that says what it may name."""


def _check_access(host: DraftHost, findings: Findings) -> None:
    """An action that is allowed but has nothing it may be done to could never be taken."""
    access = host.host.access
    for n, action in enumerate(access.actions if access else ()):
        slots = {slot for slots in CATALOGUE[action].spec.params.values() for slot in slots}
        needed = [NEEDED[s] for s in slots & set(NEEDED)] + (["resolver"] if "name" in slots else [])
        for key in (k for k in needed if not getattr(access, k)):
            findings.add(host.raw, (HOST, "access", "actions", n), f"{action} needs {key} beside it: none is given")


def _check_addresses(devices: Devices, hosts: Sequence[DraftHost], findings: Findings) -> None:
    owner: dict[IPAddress, str] = {a: d.name for _, d in devices for a in d.own_addresses()}
    for host in hosts:
        for n, address in enumerate(host.host.addresses):
            other = owner.setdefault(address, host.host.name)
            twice = host.host.addresses.index(address) != n
            if twice or (other != host.host.name and not address.is_link_local):
                where = "this host again" if twice else other
                given = "addresses" in host.raw.values.get(HOST, {})
                path = (HOST, "addresses", n) if given else ("ansible_host",)
                findings.add(host.raw, path, f"{address} belongs to {where}")
