"""Short ways to write operations and RFC 8519 configurations in tests."""

from __future__ import annotations

from secloop_ai.contracts import FilterOp, Operation, PacketRule, TaggedOp
from secloop_ai.dialects.ietf import names as n

ONE, TWO, THREE = "3fa2b1c4d5-0", "9c01d2e3f4-1", "aaaaaaaaaa-2"
ATTACKER, SERVER = "203.0.113.66/32", "10.0.2.10/32"


def rule(action: str, **fields: object) -> PacketRule:
    """A rule; its name does not matter."""
    return PacketRule.model_validate({"name": "r", "action": action, **fields})


def filtered(interface: str, direction: str, family: int, *rules: PacketRule, rank: int = 0) -> FilterOp:
    """A filter operation."""
    fields = {"interface": interface, "direction": direction, "family": family, "rank": rank, "rules": rules}
    return FilterOp.model_validate(fields)


def tagged(tag: str, *ops: Operation) -> list[TaggedOp]:
    """Operations of one mitigation."""
    return [TaggedOp(tag=tag, op=op) for op in ops]


BLOCK = filtered("ge0", "ingress", 4, rule("drop", source=ATTACKER))


def ace(name: str, action: str, matches: str = "") -> str:
    """An entry."""
    return (
        f"<ace><name>{name}</name><matches>{matches}</matches>"
        f"<actions><forwarding>{action}</forwarding></actions></ace>"
    )


def acl(name: str, kind: str, *aces: str) -> str:
    """An ACL."""
    return f"<acl><name>{name}</name><type>{kind}</type><aces>{''.join(aces)}</aces></acl>"


def point(interface: str, *names: str, side: str = "ingress") -> str:
    """An interface's attachments on one side; none: an entry without any."""
    sets = "".join(f"<acl-set><name>{name}</name></acl-set>" for name in names)
    inner = f"<{side}><acl-sets>{sets}</acl-sets></{side}>" if sets else ""
    return f"<interface><interface-id>{interface}</interface-id>{inner}</interface>"


def config(acls: str = "", points: str = "", *others: str) -> str:
    """The ``<data>`` element."""
    held = f"<attachment-points>{points}</attachment-points>" if points else ""
    filters = f'<acls xmlns="{n.ACL}">{acls}{held}</acls>' if acls or held else ""
    body, root = filters + "".join(others), 'data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"'
    return f"<{root}>{body}</data>" if body else f"<{root}/>"


def links(**states: str | None) -> str:
    """Interfaces with their ``enabled`` leaf, None for none."""
    found = (
        f"<interface><name>{name}</name>{f'<enabled>{state}</enabled>' if state else ''}</interface>"
        for name, state in states.items()
    )
    return f'<interfaces xmlns="{n.IF}">{"".join(found)}</interfaces>'
