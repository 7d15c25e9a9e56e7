"""Small configuration documents for the tests."""

from __future__ import annotations

NC = "urn:ietf:params:xml:ns:netconf:base:1.0"
ACL = "urn:ietf:params:xml:ns:yang:ietf-access-control-list"
IF = "urn:ietf:params:xml:ns:yang:ietf-interfaces"
RT = "urn:ietf:params:xml:ns:yang:ietf-routing"
V4UR = "urn:ietf:params:xml:ns:yang:ietf-ipv4-unicast-routing"


def config(*inside: str) -> str:
    """A `<config>`, with the prefixes nc and yang bound."""
    return f'<config xmlns="{NC}" xmlns:nc="{NC}" xmlns:yang="urn:ietf:params:xml:ns:yang:1">{"".join(inside)}</config>'


def acls(*inside: str) -> str:
    return f'<acls xmlns="{ACL}">{"".join(inside)}</acls>'


def ace(name: str, source: str = "203.0.113.66/32", action: str = "drop", attributes: str = "") -> str:
    return (
        f"<ace {attributes}><name>{name}</name><matches><ipv4><source-ipv4-network>{source}</source-ipv4-network>"
        f"</ipv4></matches><actions><forwarding>{action}</forwarding></actions></ace>"
    )


def acl(name: str, *aces: str, attributes: str = "") -> str:
    inside = f"<aces>{''.join(aces)}</aces>" if aces else ""
    return f"<acl {attributes}><name>{name}</name><type>ipv4-acl-type</type>{inside}</acl>"


def attach(interface: str, *names: str, direction: str = "ingress") -> str:
    sets = "".join(f"<acl-set><name>{name}</name></acl-set>" for name in names)
    return (
        f"<attachment-points><interface><interface-id>{interface}</interface-id><{direction}><acl-sets>{sets}"
        f"</acl-sets></{direction}></interface></attachment-points>"
    )


def block(name: str = "secloop-in", interface: str = "ge1") -> str:
    """An ACL of one drop, attached."""
    return config(acls(acl(name, ace("inc-1"), ace("rest", "0.0.0.0/0", "accept")), attach(interface, name)))


def interface(name: str, *, enabled: bool, attributes: str = "") -> str:
    state = "true" if enabled else "false"
    inside = f"<interface><name>{name}</name><enabled {attributes}>{state}</enabled></interface>"
    return f'<interfaces xmlns="{IF}">{inside}</interfaces>'


def discard_route(prefix: str, inside: str = "<special-next-hop>blackhole</special-next-hop>") -> str:
    return (
        f'<routing xmlns="{RT}"><control-plane-protocols><control-plane-protocol><type>static</type>'
        f"<name>secloop</name><static-routes><ipv4 xmlns='{V4UR}'><route><destination-prefix>{prefix}"
        f"</destination-prefix><next-hop>{inside}</next-hop></route></ipv4></static-routes>"
        "</control-plane-protocol></control-plane-protocols></routing>"
    )
