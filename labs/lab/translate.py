"""From a device's configuration to what the kernel has to do: pure, nothing is touched here."""

from __future__ import annotations

import re
from collections.abc import Iterator

from secloop_ai.contracts.acl import AclModel, IPNetwork, PacketRule, PortRange, RuleAction
from secloop_ai.contracts.base import Frozen
from secloop_ai.contracts.device import DeviceModel, Direction

from .topology import MANAGEMENT_PORT, PORT_NAMES

TABLE = "secloop"
_INTERFACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,14}")
_NOT_IN_COMMENT = re.compile(r"[^A-Za-z0-9._:@/ -]")
_COMMENT_LENGTH = 100


class Unenforceable(Exception):  # noqa: N818 - says what the configuration is
    """The device cannot do what the configuration asks; its text becomes the rpc-error's message."""


class Enforcement(Frozen):
    """What the gateway's kernel has to hold.

    Attributes:
        nft: a script for ``nft -f`` that replaces the whole filter in one step.
        links: whether each port is up.
        blackholes: destinations whose packets are thrown away.
    """

    nft: str
    links: tuple[tuple[str, bool], ...] = ()
    blackholes: tuple[IPNetwork, ...] = ()


def translate(model: DeviceModel, ports: tuple[str, ...] = PORT_NAMES) -> Enforcement:
    """What the kernel has to hold for the model.

    Raises:
        Unenforceable: the model asks for something this device cannot do, so the commit has to be refused.
    """
    if model.notes:
        raise Unenforceable(f"this device cannot enforce: {'; '.join(model.notes)}")
    return Enforcement(
        nft=_script(model),
        links=tuple((port, model.is_up(port)) for port in ports),
        blackholes=tuple(sorted({d.prefix for d in model.discards}, key=lambda p: (p.version, p))),
    )


def _script(model: DeviceModel) -> str:
    """The filter: a chain for each filtered side of a port, the base chains after them.

    No base chain lets established connections pass before the ACLs: a block also ends what is under way.
    """
    chains: list[str] = []
    entered: dict[str, str] = {}
    left: dict[str, str] = {}
    for attachment in model.attachments:
        acls = model.attached(attachment.interface, attachment.direction)
        if not acls:
            continue
        _check_port(attachment.interface)
        ingress = attachment.direction is Direction.INGRESS
        chain = f"{'in' if ingress else 'out'}_{len(chains)}"
        (entered if ingress else left)[attachment.interface] = chain
        chains.append(_chain(chain, f"{attachment.interface} {attachment.direction.value}", acls))
    forward = [*_dispatch("iifname", entered), *_dispatch("oifname", left)]
    return (
        f"table inet {TABLE}\ndelete table inet {TABLE}\ntable inet {TABLE} {{\n"
        + "".join(chains)
        + _base("forward", forward)
        # what is meant for the gateway itself goes through the ingress ACLs too
        + _base("input", _dispatch("iifname", entered))
        + "}\n"
    )


def _check_port(interface: str) -> None:
    if not _INTERFACE.fullmatch(interface):
        raise Unenforceable(f"interface {interface!r} cannot be filtered: no name of a port")
    if interface == MANAGEMENT_PORT:
        raise Unenforceable(f"an ACL on {interface}: the management port is never filtered")


def _base(hook: str, lines: list[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"  chain {hook} {{\n    type filter hook {hook} priority filter; policy accept;\n{body}  }}\n"


def _dispatch(key: str, chains: dict[str, str]) -> list[str]:
    if not chains:
        return []
    return [f"{key} vmap {{ " + ", ".join(f'"{port}" : jump {chain}' for port, chain in chains.items()) + " }"]


def _chain(name: str, comment: str, acls: tuple[AclModel, ...]) -> str:
    """The ACLs of one side of a port, one after another: the first rule that matches decides."""
    lines = [f"    {line}\n" for acl in acls for line in _acl(acl)]
    return f'  chain {name} {{\n    comment "{_comment(comment)}"\n{"".join(lines)}  }}\n'


def _acl(acl: AclModel) -> Iterator[str]:
    for rule in acl.rules:
        family = acl.family or _family(rule)
        if acl.family and _family(rule) not in {None, acl.family}:
            continue  # an IPv4 ACL sees no IPv6 packet, so the rule can never match
        match = " ".join(_match(rule, family))
        note = f'comment "{_comment(f"{acl.name} {rule.name}")}"'
        if rule.rate_bytes_per_s is not None:
            yield f"{match} {_excess(rule.rate_bytes_per_s)} drop {note}".lstrip()
        yield f"{match} {_verdict(rule.action)} {note}".lstrip()


def _family(rule: PacketRule) -> int | None:
    network = rule.source or rule.destination
    return network.version if network else None


def _match(rule: PacketRule, family: int | None) -> Iterator[str]:
    if family is not None:
        yield f"meta nfproto ipv{family}"
    header = "ip" if family == 4 else "ip6"  # noqa: PLR2004 - the IP version
    for side, network in (("saddr", rule.source), ("daddr", rule.destination)):
        if network is not None and network.prefixlen:
            yield f"{header} {side} {network}"
    if rule.protocol is not None:
        yield f"meta l4proto {rule.protocol}"
    for side, ports in (("sport", rule.source_port), ("dport", rule.destination_port)):
        if ports is not None:
            yield f"th {side} {_ports(ports)}"


def _ports(ports: PortRange) -> str:
    return str(ports.low) if ports.low == ports.high else f"{ports.low}-{ports.high}"


def _excess(bytes_per_s: float) -> str:
    """Matches what goes beyond the rate; the kernel counts whole bytes and allows a second's worth at once."""
    return f"limit rate over {max(1, int(bytes_per_s))} bytes/second"


def _verdict(action: RuleAction) -> str:
    """A permit returns to the base chain, where the egress ACLs still have their say."""
    if action is RuleAction.PERMIT:
        return "return"
    return "drop" if action is RuleAction.DROP else "reject with icmpx admin-prohibited"


def _comment(text: str) -> str:
    return _NOT_IN_COMMENT.sub("_", text)[:_COMMENT_LENGTH]
