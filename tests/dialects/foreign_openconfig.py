"""Random configurations of an OpenConfig device that nobody of ours has touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from secloop_ai.contracts import PacketRule
from secloop_ai.dialects.openconfig import DIALECT
from secloop_ai.dialects.openconfig import names as n

from .properties import Play
from .strategies import NETWORKS, PORTS

KEYS = {
    "acl-set": ("name", "type"),
    "acl-entry": ("sequence-id",),
    "interface": ("name", "id"),
    "ingress-acl-set": ("set-name", "type"),
    "egress-acl-set": ("set-name", "type"),
    "subinterface": ("index",),
    "network-instance": ("name",),
    "protocol": ("identifier", "name"),
    "static": ("prefix",),
    "next-hop": ("index",),
}
INTERFACES = ("Ethernet1", "Ethernet2.10", "Management0")
TYPES = ("ACL_IPV4", "ACL_IPV6", "ACL_L2", "ACL_MIXED")
PROTOCOLS = ("6", "17", "1", "47", "oc-pkt-match-types:IP_TCP", "oc-pkt-match-types:IP_UDP")
ODD = {
    "conditions": ("<dscp>46</dscp>", "<hop-limit>1</hop-limit>"),
    "ports": ("<explicit-tcp-flags>TCP_SYN</explicit-tcp-flags>",),
    "parts": (
        "<input-interface><interface-ref><config><interface>Ethernet1</interface></config></interface-ref></input-interface>",
        '<vendor xmlns="urn:example:odd"><deep>1</deep></vendor>',
    ),
}


@dataclass(frozen=True)
class Flavour:
    """What a vendor's OpenConfig has.

    Attributes:
        interfaces: names; one with a dot is a subinterface.
        actions: forwarding actions.
        types: of ACLs.
        masks: whether IPv4 networks may be written with a mask.
        parts: parts of an entry that a packet rule cannot say.
    """

    interfaces: tuple[str, str, str] = INTERFACES
    actions: tuple[str, ...] = ("ACCEPT", "DROP", "REJECT")
    types: tuple[str, ...] = TYPES
    masks: bool = False
    parts: tuple[str, ...] = field(default=ODD["parts"])


def identity(name: str) -> str:
    return f'<type xmlns:oc-acl="{n.ACL}">oc-acl:{name}</type>'


@st.composite
def conditions(draw: st.DrawFn, kind: str, flavour: Flavour) -> str:
    """The header parts of an entry of an ACL of that type."""
    family = n.FAMILY_OF.get(kind)
    if family is None:
        return "<l2><config><source-mac>02:00:00:00:00:01</source-mac></config></l2>"
    inner = ""
    for side in draw(st.lists(st.sampled_from(("source", "destination")), unique=True)):
        network = draw(st.sampled_from(NETWORKS[family]))
        if flavour.masks and family == 4 and network == "10.0.0.0/8":
            network = draw(st.sampled_from((network, "10.0.0.0/255.0.0.0", "10.0.0.1/255.0.0.255")))
        inner += f"<{side}-address>{network}</{side}-address>"
    protocol = draw(st.none() | st.sampled_from(PROTOCOLS))
    if protocol:
        inner += f'<protocol xmlns:oc-pkt-match-types="{n.MATCH_TYPES}">{protocol}</protocol>'
    inner += draw(st.sampled_from(("", "", *ODD["conditions"])))
    tag = f"ipv{family}"
    text = f"<{tag}><config>{inner}</config></{tag}>" if inner else ""
    if protocol and protocol[-3:] in ("6", "17", "TCP", "UDP"):
        ports = ""
        for side in draw(st.lists(st.sampled_from(("source", "destination")), unique=True)):
            low, high = sorted(draw(st.sampled_from(PORTS)) for _ in range(2))
            ports += f"<{side}-port>{draw(st.sampled_from((str(low), f'{low}..{high}', 'ANY')))}</{side}-port>"
        ports += draw(st.sampled_from(("", "", "", *ODD["ports"])))
        text += f"<transport><config>{ports}</config></transport>" if ports else ""
    return text + draw(st.sampled_from(("", "", "", *flavour.parts)))


@st.composite
def acl_sets(draw: st.DrawFn, name: str, kind: str, flavour: Flavour) -> str:
    """One foreign ACL; now and then crowded at its front, or empty."""
    numbers = sorted(draw(st.sets(st.sampled_from((1, 2, 5, 10, 20, 100, 4_000_000_000)), max_size=3)))
    entries = ""
    for number in numbers:
        text = draw(st.sampled_from(("", "<description>sl- of somebody else</description>")))
        action = draw(st.sampled_from(flavour.actions))
        log = draw(st.sampled_from(("", "<log-action>LOG_SYSLOG</log-action>")))
        entries += (
            f"<acl-entry><sequence-id>{number}</sequence-id><config><sequence-id>{number}</sequence-id>{text}</config>"
            f"{draw(conditions(kind, flavour))}"
            f"<actions><config><forwarding-action>{action}</forwarding-action>{log}</config></actions></acl-entry>"
        )
    held = f"<acl-entries>{entries}</acl-entries>" if entries or draw(st.booleans()) else ""
    keys = f"<name>{name}</name>{identity(kind)}"
    return f"<acl-set>{keys}<config>{keys}</config>{held}</acl-set>"


@st.composite
def points(draw: st.DrawFn, interface: str, named: Sequence[tuple[str, str]]) -> str:
    """One interface's attachments, perhaps none: at most one ACL of a type on each side."""
    sides = ""
    for side in draw(st.lists(st.sampled_from(("ingress", "egress")), unique=True)):
        chosen = draw(st.lists(st.sampled_from(named), unique_by=lambda pair: pair[1], max_size=3)) if named else []
        held = ""
        for name, kind in chosen:
            keys = f"<set-name>{name}</set-name>{identity(kind)}"
            held += f"<{side}-acl-set>{keys}<config>{keys}</config></{side}-acl-set>"
        sides += f"<{side}-acl-sets>{held}</{side}-acl-sets>"
    base, _, sub = interface.partition(".")
    index = f"<subinterface>{sub or '0'}</subinterface>" if sub or draw(st.booleans()) else ""
    ref = f"<interface-ref><config><interface>{base}</interface>{index}</config></interface-ref>"
    name = draw(st.sampled_from((interface, f"port-{interface}")))
    return f"<interface><id>{name}</id><config><id>{name}</id></config>{ref}{sides}</interface>"


@st.composite
def instances(draw: st.DrawFn) -> str:
    """The default network instance, with static routes of somebody else's or without, and another one."""
    hops = (
        "<next-hop>192.0.2.1</next-hop>",
        f'<next-hop xmlns:oc-loc-rt="{n.ROUTING}">oc-loc-rt:DROP</next-hop>',
    )
    kind = f'<identifier xmlns:oc-pol-types="{n.POLICY_TYPES}">oc-pol-types:STATIC</identifier><name>STATIC</name>'
    hop = f"<index>AUTO_1</index><config><index>AUTO_1</index>{draw(st.sampled_from(hops))}</config>"
    route = (
        "<static><prefix>192.0.2.0/24</prefix><config><prefix>192.0.2.0/24</prefix>"
        "<description>secloop was here</description></config>"
        f"<next-hops><next-hop>{hop}</next-hop></next-hops></static>"
    )
    routes = draw(st.sampled_from(("", "<static-routes/>", f"<static-routes>{route}</static-routes>")))
    static = f"<protocol>{kind}<config>{kind}</config>{routes}</protocol>" if draw(st.booleans()) else ""
    bgp = kind.replace("STATIC", "BGP")
    other = f"<protocol>{bgp}<config>{bgp}</config></protocol>" if draw(st.booleans()) else ""
    held = f"<protocols>{other}{static}</protocols>" if other or static or draw(st.booleans()) else ""
    kind_of = '<type xmlns:t="http://openconfig.net/yang/network-instance-types">t:{}</type>'
    name = draw(st.sampled_from(("default", "DEFAULT")))
    default = f"<name>{name}</name><config><name>{name}</name>{kind_of.format('DEFAULT_INSTANCE')}</config>{held}"
    vrf = f"<name>blue</name><config><name>blue</name>{kind_of.format('L3VRF')}</config>"
    both = [f"<network-instance>{i}</network-instance>" for i in (vrf, default)]
    return f'<network-instances xmlns="{n.NI}">{"".join(both[draw(st.integers(0, 1)) :])}</network-instances>'


@st.composite
def ports(draw: st.DrawFn, flavour: Flavour) -> str:
    """Interfaces; a subinterface stands below its base."""
    found = ""
    for name in flavour.interfaces:
        base, _, sub = name.partition(".")
        state = draw(st.sampled_from(("", "<enabled>true</enabled>", "<enabled>false</enabled>")))
        config = f"<config><name>{base}</name>{state}</config>" if state or draw(st.booleans()) else ""
        inner = f"<config><index>{sub}</index>{state}</config>" if sub and draw(st.booleans()) else ""
        below = f"<subinterfaces><subinterface><index>{sub or 0}</index>{inner}</subinterface></subinterfaces>"
        found += f"<interface><name>{base}</name>{config}{below}</interface>"
    return f'<interfaces xmlns="{n.IF}">{found}</interfaces>'


@st.composite
def configurations(draw: st.DrawFn, flavour: Flavour) -> str:
    """The ``<data>`` of a get-config reply. Two ACLs of different types may share a name."""
    named = [(f"EDGE-{i % 3}", draw(st.sampled_from(flavour.types))) for i in range(draw(st.integers(0, 5)))]
    named = list(dict.fromkeys(named))
    lists = "".join(draw(acl_sets(name, kind, flavour)) for name, kind in named)
    held = "".join(draw(points(i, named)) for i in flavour.interfaces if draw(st.booleans()))
    sets = f"<acl-sets>{lists}</acl-sets>" if lists or draw(st.booleans()) else ""
    attached = f"<interfaces>{held}</interfaces>" if held or draw(st.booleans()) else ""
    filters = f'<acl xmlns="{n.ACL}">{sets}{attached}</acl>' if sets or attached or draw(st.booleans()) else ""
    parts = draw(st.permutations([filters, draw(ports(flavour)), draw(instances())]))
    space = draw(st.sampled_from(("", "\n  ")))
    return f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{space}{space.join(parts)}</data>'


def takes(rule: PacketRule) -> bool:
    return rule.rate_bytes_per_s is None


PLAY = Play(dialect=DIALECT, configurations=configurations(Flavour()), keys=KEYS, interfaces=INTERFACES, takes=takes)
