"""Random configurations of an IOS-XE device that nobody of ours has touched."""

from __future__ import annotations

from ipaddress import IPv4Network

from hypothesis import strategies as st

from secloop_ai.contracts import Family, PacketRule, RuleAction
from secloop_ai.dialects.ios_xe import DIALECT
from secloop_ai.dialects.ios_xe import names as n

from .properties import Play
from .strategies import NETWORKS, PORTS

INTERFACES = ("GigabitEthernet0/0/1", "TenGigabitEthernet0/1/0.100", "Port-channel7.12")
PLACES = (
    ("GigabitEthernet", "0/0/1"),
    ("TenGigabitEthernet", "0/1/0.100"),
    ("Port-channel-subinterface/Port-channel", "7.12"),
)
KEYS = {
    **dict.fromkeys(n.TYPES, ("name",)),
    "extended": ("name",),
    "standard": ("name",),
    "named-acl": ("name",),
    "access-list-seq-rule": ("sequence",),
    "traffic-filter": ("direction",),
    "class-map": ("name",),
    "policy-map": ("name",),
    "class": ("name",),
    "action-list": ("action-type",),
    "ip-route-interface-forwarding-list": ("prefix", "mask"),
    "fwd-list": ("fwd",),
    "ipv6-route-list": ("prefix",),
    "ipv6-fwd-list": ("fwd",),
}
NUMBERS = (3, 10, 20, 21, 30, 40, 1000)
ODD = (
    "<established/>",
    "<syn/>",
    "<dscp>af11</dscp>",
    "<fragments/>",
    "<time-range>night</time-range>",
    '<x:shape xmlns:x="urn:example:shapes">round</x:shape>',
)


def host(side: str, family: Family, address: str) -> str:
    """One address, in the words of a side and family."""
    if family == 4:
        tag = "host-address" if side == "source" else "dst-host-address"
        return f"<{tag}>{address}</{tag}>"
    return f"<{side}-host>{address}</{side}-host>"


def wild(side: str, family: Family, text: str) -> str:
    """A network, in the words of a side and family."""
    if family == 6:
        return f"<{side}-prefix>{text}</{side}-prefix>"
    network = IPv4Network(text)
    address, mask = ("ipv4-address", "mask") if side == "source" else ("dest-ipv4-address", "dest-mask")
    return f"<{address}>{network.network_address}</{address}><{mask}>{network.hostmask}</{mask}>"


@st.composite
def addresses(draw: st.DrawFn, side: str, family: Family) -> str:
    """An address condition in every form there is."""
    network = draw(st.sampled_from(NETWORKS[family]))
    anywhere = "any" if side == "source" else ("dst-any" if family == 4 else "destination-any")
    group = {"source": "object-group" if family == 4 else "source-object-group"}.get(side, "dst-object-group")
    if family == 6 and side == "destination":
        group = "destination-object-group"
    forms = [f"<{anywhere}/>", wild(side, family, network), host(side, family, network.partition("/")[0])]
    forms.append(f"<{group}>friends</{group}>")
    if family == 4 and side == "source":
        forms += [
            "<ipv4-address>10.0.2.10</ipv4-address><mask>0.0.255.0</mask>",
            "<host>web.example.net</host>",
            "<host>10.0.2.10</host>",
        ]
    if family == 6:
        first = f"<{side}-address>2001:db8:2::</{side}-address>"
        forms.append(f"{first}<{side}-wildcard-bits>::ffff</{side}-wildcard-bits>")
    return draw(st.sampled_from(forms))


@st.composite
def ports(draw: st.DrawFn, side: str) -> str:
    """A port condition in every form there is."""
    low, high = sorted(draw(st.sampled_from(PORTS)) for _ in range(2))
    forms = [f"<{side}-{o}>{low}</{side}-{o}>" for o in ("eq", "neq", "gt", "lt")]
    forms += [
        f"<{side}-range1>{low}</{side}-range1><{side}-range2>{high}</{side}-range2>",
        f"<{side}-eq>www</{side}-eq><{side}-eq-port2>443</{side}-eq-port2>",
        f"<{side}-neq>22</{side}-neq><{side}-neq-port2>domain</{side}-neq-port2>",
        f"<{side}-eq>no-such-word</{side}-eq>",
    ]
    return draw(st.sampled_from(forms))


@st.composite
def aces(draw: st.DrawFn, family: Family) -> str:
    """An ``ace-rule`` with conditions some of which a packet rule cannot say."""
    words: tuple[str, ...] = ("ip", "tcp", "udp", "icmp", "gre", "6", "0", "object-group")
    if family == 6:
        words = ("ipv6", "tcp", "udp", "icmp", "hbh", "17")
    protocol = draw(st.sampled_from(words))
    ported = protocol in ("tcp", "udp", "6", "17")
    action = draw(st.sampled_from(("permit", "deny", "deny", "permit")))
    source, destination = draw(addresses("source", family)), draw(addresses("destination", family))
    left, right = (draw(st.sampled_from(("", draw(ports(side))))) if ported else "" for side in ("src", "dst"))
    more = draw(st.sampled_from(("", "", "<log/>", *ODD)))
    body = f"<action>{action}</action><protocol>{protocol}</protocol>{source}{left}{destination}{right}{more}"
    return f"<ace-rule>{body}</ace-rule>"


@st.composite
def lists(draw: st.DrawFn, name: str, kind: str) -> str:
    """One foreign access list."""
    entries = ""
    for number in draw(st.lists(st.sampled_from(NUMBERS), unique=True, max_size=4)):
        remark = draw(st.sampled_from(("", "<remark>sl-not-ours</remark>")))
        if kind == "standard":
            inner = draw(
                st.sampled_from(("<any/>", "<host-address>203.0.113.66</host-address>", "<host>x.example</host>"))
            )
            body = f"<permit><std-ace>{inner}</std-ace></permit>{remark}"
        elif kind == "named-acl" and remark:
            body = remark
        else:
            body = draw(aces(6 if kind == "named-acl" else 4)) + (remark if kind == "extended" else "")
        entries += f"<access-list-seq-rule><sequence>{number}</sequence>{body}</access-list-seq-rule>"
    return f'<{kind} xmlns="{n.ACL}"><name>{name}</name>{entries}</{kind}>'


@st.composite
def attached(draw: st.DrawFn, named: list[tuple[str, str]]) -> tuple[str, str]:
    """What an interface says of IPv4 lists and of IPv6 lists."""
    found = {4: "", 6: ""}
    for word in draw(st.lists(st.sampled_from(("in", "out")), unique=True)):
        name, kind = draw(st.sampled_from([*named, ("GONE", "extended")]))
        if kind == "named-acl":
            found[6] += (
                f"<traffic-filter><direction>{word}</direction><access-list>{name}</access-list></traffic-filter>"
            )
        else:
            form = f"<acl><acl-name>{name}</acl-name><{word}/></acl>"
            if draw(st.integers(0, 7)) == 0:
                form = f"<common-acl><common>{name}</common><acl-name>{name}</acl-name><{word}/></common-acl>"
            found[4] += f"<{word}>{form}</{word}>"
    return (f"<ip><access-group>{found[4]}</access-group></ip>" if found[4] else ""), (
        f"<ipv6>{found[6]}</ipv6>" if found[6] else ""
    )


@st.composite
def interfaces(draw: st.DrawFn, path: str, number: str, named: list[tuple[str, str]]) -> str:
    """One interface, perhaps with lists, a policy of its operator, or shut."""
    shut = draw(st.sampled_from(("", "", "<shutdown/>")))
    v4, v6 = draw(attached(named)) if draw(st.booleans()) else ("", "")
    service = f'<service-policy xmlns="{n.POLICY}"><output>SHAPE</output></service-policy>'
    policy = service if draw(st.integers(0, 5)) == 0 else ""
    outer, _, kind = path.rpartition("/")
    held = f"<{kind}><name>{number}</name>{shut}{v4}{v6}{policy}</{kind}>"
    return f"<{outer}>{held}</{outer}>" if outer else held


@st.composite
def routes(draw: st.DrawFn) -> tuple[str, str]:
    """Static routes of somebody else's, IPv4 and IPv6."""
    hop = draw(st.sampled_from(("192.0.2.1", "Null0")))
    v4 = (
        "<route><ip-route-interface-forwarding-list><prefix>192.0.2.0</prefix><mask>255.255.255.0</mask>"
        f"<fwd-list><fwd>{hop}</fwd><name>secloop_was_here</name></fwd-list>"
        "</ip-route-interface-forwarding-list></route>"
    )
    v6 = (
        "<route><ipv6-route-list><prefix>2001:db8:9::/48</prefix>"
        "<ipv6-fwd-list><fwd>Null0</fwd></ipv6-fwd-list></ipv6-route-list></route>"
    )
    return draw(st.sampled_from(("", v4))), draw(st.sampled_from(("", v6)))


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """The ``<data>`` of a get-config reply."""
    every = [("EDGE", "extended"), ("CORE", "extended"), ("101", "extended"), ("EDGE6", "named-acl")]
    every += [("CORE6", "named-acl"), ("OLD", "standard")]
    named = draw(st.lists(st.sampled_from(every), unique=True, max_size=4))
    made = dict.fromkeys(("standard", "extended", "named-acl"), "")
    for name, kind in named:
        made[kind] += draw(lists(name, kind))
    route4, route6 = draw(routes())
    lists4 = made["standard"] + made["extended"]
    ip = (f"<access-list>{lists4}</access-list>" if lists4 else "") + route4
    ipv6 = (f"<access-list>{made['named-acl']}</access-list>" if made["named-acl"] else "") + route6
    shape = f'<policy-map xmlns="{n.POLICY}"><name>SHAPE</name><description>slow</description></policy-map>'
    policy = draw(st.sampled_from(("", shape)))
    held = "".join(draw(interfaces(*place, named)) for place in PLACES)
    parts = [f"<interface>{held}</interface>"]
    parts += [f"<{tag}>{body}</{tag}>" for tag, body in (("ip", ip), ("ipv6", ipv6), ("policy", policy)) if body]
    space = draw(st.sampled_from(("", "\n  ")))
    body = space.join(draw(st.permutations(parts)))
    native = f'<native xmlns="{n.IOS}">{space}{body}</native>'
    return f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{native}</data>'


def takes(rule: PacketRule) -> bool:
    """No reject; rates in whole bits per second, of a kilobyte or more."""
    bits = (rule.rate_bytes_per_s or n.LEAST_BITS_PER_S) * 8
    return rule.action is not RuleAction.REJECT and bits == int(bits) and bits >= n.LEAST_BITS_PER_S


PLAY = Play(
    dialect=DIALECT,
    configurations=configurations(),
    keys=KEYS,
    interfaces=INTERFACES,
    ordered=("class",),
    takes=takes,
)
