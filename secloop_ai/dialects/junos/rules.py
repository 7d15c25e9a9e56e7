"""Packet rules written as terms, and their rates as policers."""

from __future__ import annotations

from collections.abc import Collection
from math import ceil

from secloop_ai.contracts import Family, PacketRule
from secloop_ai.contracts.errors import DialectError
from secloop_ai.dialects.xml import Element, add, leaf, local

from . import names as n
from . import values
from .activity import active

_LEAST_BITS = 8000
"""Per second: Junos polices nothing slower."""
_BURST_S, _LEAST_BURST = 0.005, 15_000
"""A policer lets pass at once what comes in 5 ms, and ten full Ethernet frames (bytes) at least."""
_POLICER = "secloop-{}bps"


def write_term(holder: Element, fw: n.FirewallNames, name: str, rule: PacketRule, family: Family) -> Element:
    """Append a term for the rule, counted under its own name.

    Raises:
        DialectError: Junos has no form for it.
    """
    if any(net and net.version != family for net in (rule.source, rule.destination)):
        other = 10 - family
        raise DialectError(f"rule {rule.name}: an IPv{other} address in a term of family {n.FAMILY[family]}")
    term = add(holder, fw.term)
    add(term, fw.name, name)
    _write_from(term, fw, rule, family)
    then = add(term, fw.then)
    if rule.rate_bytes_per_s is not None:
        add(then, fw.policer, _POLICER.format(_bits(rule)))
    add(then, fw.count, name)
    add(then, {"accept": fw.accept, "discard": fw.discard, "reject": fw.reject}[n.DECISIONS[rule.action]])
    return term


def write_permit(holder: Element, fw: n.FirewallNames, name: str) -> None:
    """Append a term that lets everything pass."""
    term = add(holder, fw.term)
    add(term, fw.name, name)
    add(add(term, fw.then), fw.accept)


def _write_from(term: Element, fw: n.FirewallNames, rule: PacketRule, family: Family) -> None:
    networks = ((fw.source_address, rule.source), (fw.destination_address, rule.destination))
    ports = ((fw.source_port, rule.source_port), (fw.destination_port, rule.destination_port))
    if rule.protocol is None and not any(network for _, network in networks):
        return
    conditions = add(term, fw.from_)
    for tag, network in networks:
        if network is not None:
            add(add(conditions, tag), fw.name, str(network))
    if rule.protocol is not None:
        spelled = values.SPELLED.get(rule.protocol, str(rule.protocol))
        add(conditions, fw.protocol if family == 4 else fw.next_header, spelled)  # noqa: PLR2004 - IPv4
    for tag, span in ports:
        if span is not None:
            add(conditions, tag, str(span))


def _bits(rule: PacketRule) -> int:
    """The rate in whole bits per second.

    Raises:
        DialectError: a fraction of a bit, or less than Junos polices.
    """
    bits = (rule.rate_bytes_per_s or 0.0) * 8
    if bits != int(bits) or bits < _LEAST_BITS:
        raise DialectError(
            f"rule {rule.name}: {rule.rate_bytes_per_s} bytes per second are {bits:g} bits per second; "
            f"a Junos policer takes whole ones, from {_LEAST_BITS}"
        )
    return int(bits)


def is_own_policer(name: str | None) -> bool:
    """Whether a policer of that name was made by us."""
    start, end = _POLICER.split("{}")
    return bool(name) and str(name).startswith(start) and str(name).endswith(end)


def ensure_policer(firewall: Element, fw: n.FirewallNames, rule: PacketRule) -> None:
    """Make the rule's policer as it must be; it may serve several terms of ours."""
    if rule.rate_bytes_per_s is None:
        return
    bits = _bits(rule)
    name, burst = _POLICER.format(bits), max(_LEAST_BURST, ceil(bits / 8 * _BURST_S))
    there = next((p for p in firewall.iterfind(fw.policer) if leaf(p, fw.name) == name), None)
    if there is not None and _limits(there) == (bits, burst):
        return
    policer = add(firewall, fw.policer)
    add(policer, fw.name, name)
    limits = add(policer, fw.if_exceeding)
    add(limits, fw.bandwidth_limit, str(bits))
    add(limits, fw.burst_size_limit, str(burst))
    add(add(policer, fw.then), fw.discard)
    if there is not None:
        firewall.replace(there, policer)


def _limits(policer: Element) -> tuple[int, int] | None:
    """Rate in bits per second and burst in bytes of a policer that does nothing but discard beyond them."""
    found = {local(e): (e.text or "").strip() for e in policer.iter() if len(e) == 0 and active(e)}
    if found.keys() != {"name", "bandwidth-limit", "burst-size-limit", "discard"}:
        return None
    try:
        rate, burst = (values.bits_per_second(found[kind]) for kind in ("bandwidth-limit", "burst-size-limit"))
    except ValueError:
        return None
    return rate, burst


def drop_unused_policers(firewall: Element, fw: n.FirewallNames, names: Collection[str]) -> None:
    """Take those of the named policers away that are ours and that no term of anybody's names any more."""
    used = {(p.text or "").strip() for p in firewall.iter(fw.policer) if len(p) == 0}
    for policer in firewall.findall(fw.policer):
        name = leaf(policer, fw.name) or ""
        if name in names and name not in used and is_own_policer(name):
            firewall.remove(policer)
