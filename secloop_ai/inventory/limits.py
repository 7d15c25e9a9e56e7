"""What the whole network shares: the protected set and the limits. Any host's variables may add to them."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from secloop_ai.contracts import Environment, IPAddress, IPNetwork

from .build import as_ip
from .explain import validated
from .findings import Findings, did_you_mean
from .schema import DEVICES, HOSTS, LIMITS, PROTECTED, LimitVars, parse_prefix
from .source import RawHost, RawInventory

Addresses = Mapping[str, tuple[IPAddress, ...]]


def protected_of(raw: RawInventory, environment: Environment, findings: Findings) -> tuple[IPNetwork, ...]:
    """The union of every host's ``secloop_protected``, and every device's own addresses."""
    found = {ip_network(a) for device in environment.devices for a in device.own_addresses()}
    found |= {ip_network(a) for d in environment.devices if (a := as_ip(d.connection.address))}
    addresses = {h.name: h.addresses for h in environment.hosts}
    for host in raw.hosts:
        entries = host.values.get(PROTECTED, [])
        if not isinstance(entries, list):
            findings.add(host, (PROTECTED,), "must be a list of addresses, prefixes and inventory host names")
            continue
        for n, entry in enumerate(entries):
            try:
                found.update(_prefixes(entry, raw, addresses))
            except ValueError as error:
                findings.add(host, (PROTECTED, n), str(error))
    return tuple(sorted(found, key=lambda net: (net.version, net)))


def _prefixes(entry: Any, raw: RawInventory, addresses: Addresses) -> list[IPNetwork]:
    host = raw.by_name.get(entry) if isinstance(entry, str) else None
    if host:
        return [ip_network(a) for a in _addresses(host, addresses)]
    try:
        return [parse_prefix(entry)]
    except ValueError as error:
        if not isinstance(entry, str) or entry[:1].isdigit() or ":" in entry:
            raise
        hint = did_you_mean(entry, raw.by_name)
        raise ValueError(f"{entry!r} is neither an address, a prefix nor a host of the inventory{hint}") from error


def _addresses(host: RawHost, addresses: Addresses) -> tuple[IPAddress, ...]:
    """A host's addresses. One that could not be built has problems of its own, told elsewhere."""
    if host.name in addresses:
        return addresses[host.name]
    if {DEVICES, HOSTS} & set(host.groups):
        return ()  # a device's addresses are protected anyway
    reached_at = str(host.values.get("ansible_host") or host.name)
    address = as_ip(reached_at)
    if address is None:
        raise ValueError(f"the host {host.name!r} has no address: ansible_host is {reached_at!r}")
    return (address,)


def limits_of(raw: RawInventory, findings: Findings) -> dict[str, int]:
    """The limits that are set; the hosts that set one must agree."""
    found: dict[str, int] = {}
    for host in raw.hosts:
        if LIMITS not in host.values:
            continue
        given = validated(LimitVars, host.values[LIMITS], host, (LIMITS,), findings)
        for name, value in (given.model_dump(exclude_none=True) if given else {}).items():
            if found.setdefault(name, value) != value:
                message = f"is {value} here and {found[name]} for another host; set it once, in group_vars/all"
                findings.add(host, (LIMITS, name), message)
    return found
