"""Sets of packets, as far as one filter rule can describe them."""

from __future__ import annotations

from secloop_ai.contracts import Family, IPNetwork, PacketRule, PortRange


def verdict(rule: PacketRule) -> str:
    """A rule's action as text."""
    limit = f" up to {rule.rate_bytes_per_s:g} B/s" if rule.rate_bytes_per_s else ""
    return f"{rule.action}{limit}"


def described(region: PacketRule, family: Family) -> str:
    """A region as text: the rule's fields without its action."""
    text = str(region.model_copy(update={"rate_bytes_per_s": None})).partition(" ")[2]
    return text if region.source or region.destination else f"{text} (IPv{family})"


def covers(rule: PacketRule, region: PacketRule) -> bool:
    """Whether the rule matches every packet of the region."""
    return (
        rule.protocol in (None, region.protocol)
        and _within(region.source, rule.source)
        and _within(region.destination, rule.destination)
        and _inside(region.source_port, rule.source_port)
        and _inside(region.destination_port, rule.destination_port)
    )


def intersection(one: PacketRule, other: PacketRule) -> PacketRule:
    """The packets that both match; the two must overlap. Name and action are the first's."""
    return one.model_copy(
        update={
            "protocol": other.protocol if one.protocol is None else one.protocol,
            "source": _narrower(one.source, other.source),
            "destination": _narrower(one.destination, other.destination),
            "source_port": _common(one.source_port, other.source_port),
            "destination_port": _common(one.destination_port, other.destination_port),
        }
    )


def _within(inner: IPNetwork | None, outer: IPNetwork | None) -> bool:
    if outer is None or outer == inner:
        return True
    if inner is None:
        return False
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type] # same version


def _inside(inner: PortRange | None, outer: PortRange | None) -> bool:
    return outer is None or (inner is not None and outer.low <= inner.low and inner.high <= outer.high)


def _narrower(one: IPNetwork | None, other: IPNetwork | None) -> IPNetwork | None:
    if one is None or other is None:
        return one or other
    return one if one.prefixlen >= other.prefixlen else other


def _common(one: PortRange | None, other: PortRange | None) -> PortRange | None:
    if one is None or other is None:
        return one or other
    return PortRange(low=max(one.low, other.low), high=min(one.high, other.high))
