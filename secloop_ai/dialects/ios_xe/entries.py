"""Access list entries read as packet rules.

Words that name ports or protocols are numbers here. What a packet rule cannot say (a TCP flag, an object group, a
wildcard that is no prefix) is left unread, and :class:`~secloop_ai.dialects.numbered.Found` takes the careful side.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from itertools import pairwise

from secloop_ai.contracts import Family, IPNetwork, PortRange, RuleAction
from secloop_ai.dialects.numbered import Found, Meaning
from secloop_ai.dialects.numbered.found import port_ranges
from secloop_ai.dialects.xml import Element, leaf, local

from . import names as n
from .words import ANY_PROTOCOL, PORT_NUMBERS, PORTS, PROTOCOL_NUMBERS

_ACTIONS = {"permit": RuleAction.PERMIT, "deny": RuleAction.DROP}
_ALL_ONES: dict[Family, int] = {4: 2**32 - 1, 6: 2**128 - 1}
_STANDARD = n.SideNames("any", "host-address", "host", "ipv4-address-prefix", "mask", "", "-")
_MORE = "port"
"""``src-eq-port2`` and so on: more ports of the same condition."""


def read_rule(rule: Element, family: Family, name: str) -> Meaning:
    """What an ``ace-rule`` means."""
    found = Found()
    parts = {local(part): (part.text or "").strip() for part in rule if str(part.tag).startswith(f"{{{n.ACL}}}")}
    found.unread += [local(part) for part in rule if not str(part.tag).startswith(f"{{{n.ACL}}}")]
    found.unread += [local(part) for part in rule if len(part)]
    _read_action(parts.pop("action", None), found)
    _read_protocol(parts.pop("protocol", None), family, found)
    for side, names in ((0, n.SOURCE[family]), (1, n.DESTINATION[family])):
        networks = _read_address(parts, names, family, found)
        ports = _read_ports(parts, names.ports, found)
        if side == 0:
            found.sources, found.source_ports = networks, ports
        else:
            found.destinations, found.destination_ports = networks, ports
    found.unread += [word for word in parts if word not in n.LOGGING and word not in found.unread]
    return found.meaning(name)


def read_standard(entry: Element, name: str) -> Meaning:
    """What an entry of a standard access list means: it looks at source addresses only."""
    for tag, action in ((n.PERMIT, RuleAction.PERMIT), (n.DENY, RuleAction.DROP)):
        rule = entry.find(f"{tag}/{n.STANDARD_RULE}")
        if rule is not None:
            found = Found(action=action)
            parts = {local(part): (part.text or "").strip() for part in rule}
            parts.setdefault("ipv4-address-prefix", parts.pop("ipv4-prefix", ""))
            if not parts["ipv4-address-prefix"]:
                del parts["ipv4-address-prefix"]
            found.sources = _read_address(parts, _STANDARD, 4, found)
            found.unread += [word for word in parts if word not in n.LOGGING]
            return found.meaning(name)
    return Meaning()


def _read_action(word: str | None, found: Found) -> None:
    if word in _ACTIONS:
        found.action = _ACTIONS[word]
    else:
        found.notes.append(f"action {word or 'absent'} is taken as deny")


def _read_protocol(word: str | None, family: Family, found: Found) -> None:
    if word is None or word == ANY_PROTOCOL[family]:
        return
    number = PROTOCOL_NUMBERS[family].get(word) or (int(word) if word.isdecimal() else 0)
    if 0 < number <= 255:  # noqa: PLR2004 - the protocol field of a packet
        found.protocol = number
    else:  # 0 is what the device itself takes for any protocol
        found.unread.append(f"protocol {word}")


def _read_address(parts: dict[str, str], names: n.SideNames, family: Family, found: Found) -> tuple[IPNetwork, ...]:
    """The networks a side names, its words taken out of `parts`; none: any address, or none that could be read."""
    given = {word: parts.pop(word) for word in _words(names) if word in parts}
    if not given:
        found.unread.append(f"absent {names.anywhere}")
        return ()
    try:
        return tuple(_network(given, names, family))
    except ValueError:
        found.unread.append(" ".join(f"{word} {text}".strip() for word, text in given.items()))
        return ()


def _words(names: n.SideNames) -> tuple[str, ...]:
    every = (names.anywhere, names.host, names.host_too, names.network, names.wildcard, names.prefix)
    return tuple(word for word in every if word)


def _network(given: dict[str, str], names: n.SideNames, family: Family) -> list[IPNetwork]:
    """One network, or none for every address.

    Raises:
        ValueError: not an address of the family, or a wildcard that is no prefix.
    """
    if names.anywhere in given:
        return []
    host = given.get(names.host) or given.get(names.host_too)
    if names.prefix and names.prefix in given:
        found = ip_network(given[names.prefix], strict=False)
    elif host:
        found = ip_network(host)
    else:
        found = _wild(ip_address(given[names.network]), given.get(names.wildcard, ""))
    if found.version != family:
        raise ValueError(f"{found} is not IPv{family}")
    return [found] if found.prefixlen else []


def _wild(address: IPv4Address | IPv6Address, wildcard: str) -> IPNetwork:
    bits = int(ip_address(wildcard)) if wildcard else 0
    if bits & (bits + 1):
        raise ValueError(f"wildcard {wildcard} has holes")
    start = int(address) & (_ALL_ONES[address.version] ^ bits)
    return ip_network((type(address)(start), address.max_prefixlen - bits.bit_length()))


def _read_ports(parts: dict[str, str], side: str, found: Found) -> tuple[PortRange, ...]:
    """The ranges of a side's port condition, its words taken out of `parts`."""
    given = {word: parts.pop(word) for word in list(parts) if word.startswith(f"{side}-") and _is_port(word, side)}
    if not given:
        return ()
    if found.protocol not in PORTS:
        found.unread += given
        return ()
    try:
        ranges = _ranges(given, side)
    except (ValueError, KeyError):
        found.unread.append(" ".join(f"{word} {text}" for word, text in given.items()))
        return ()
    found.never |= not ranges
    return ranges


def _is_port(word: str, side: str) -> bool:
    operator = word.removeprefix(f"{side}-").partition(f"-{_MORE}")[0]
    return operator in {"eq", "neq", "gt", "lt", "range1", "range2"}


def _ranges(given: dict[str, str], side: str) -> tuple[PortRange, ...]:
    """The ranges that hold a port; several ports may be named by ``eq`` and ``neq``.

    Raises:
        ValueError, KeyError: a port that is neither a number nor a known word, or half a range.
    """
    if f"{side}-range1" in given:
        low, high = sorted(_port(given[f"{side}-range{i}"]) for i in (1, 2))
        return port_ranges("range", low, high)
    operator = next(iter(given)).removeprefix(f"{side}-").partition("-")[0]
    ports = sorted({_port(text) for text in given.values()})
    if operator == "neq":
        edges = [-1, *ports, 65536]
        spans = [(a + 1, b - 1) for a, b in pairwise(edges)]
        return tuple(PortRange(low=a, high=b) for a, b in spans if a <= b)
    return tuple(r for port in ports for r in port_ranges(operator, port))


def _port(text: str) -> int:
    return int(text) if text.isdecimal() else PORT_NUMBERS[text]


def words_of(entry: Element) -> str | None:
    """An entry's remark."""
    return leaf(entry, n.REMARK)
