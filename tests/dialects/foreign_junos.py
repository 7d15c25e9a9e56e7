"""Random configurations of a Junos device that nobody of ours has touched, in every namespace it may answer in."""

from __future__ import annotations

from hypothesis import strategies as st

from secloop_ai.contracts import Family, PacketRule
from secloop_ai.dialects.junos import DIALECT
from secloop_ai.dialects.junos.names import XNM, YANG

from .properties import Play
from .strategies import NETWORKS, OUR_PREFIXES

UNITS = ("ge-0/0/0.0", "ge-0/0/1.0", "xe-1/0/3.100")
NAMESPACES = (
    XNM,
    "",
    "urn:ietf:params:xml:ns:netconf:base:1.0",
    "http://xml.juniper.net/junos/24.4R1/junos-config",
    YANG,
)
KEYS = {
    **dict.fromkeys(("filter", "term", "interface", "unit", "route", "rib", "policer", "apply-macro"), ("name",)),
    **dict.fromkeys(("source-address", "destination-address", "address"), ("name",)),
    **dict.fromkeys(
        ("input-list", "output-list", "protocol", "next-header", "source-port", "destination-port"), (".",)
    ),
}
_INET: dict[Family, str] = {4: "inet", 6: "inet6"}
_ODD = (
    "<tcp-established/>",
    "<source-prefix-list><name>OFFICES</name></source-prefix-list>",
    "<port>http</port>",
    "<destination-port-except>22</destination-port-except>",
    "<icmp-type>echo-request</icmp-type>",
)
_ACTIONS = (
    "<accept/>",
    "<discard/>",
    "<reject/>",
    "<reject><tcp-reset/></reject>",
    "<count>seen</count>",
    "<policer>TEN</policer><accept/>",
    "<policer>SOFT</policer>",
    "<next>term</next>",
    "<routing-instance><routing-instance-name>SCRUB</routing-instance-name></routing-instance>",
    "",
)
_TEN = "<bandwidth-limit>10m</bandwidth-limit><burst-size-limit>625k</burst-size-limit>"
_POLICERS = (
    f"<policer><name>TEN</name><if-exceeding>{_TEN}</if-exceeding><then><discard/></then></policer>",
    "<policer><name>SOFT</name><then><loss-priority>high</loss-priority></then></policer>",
)
marks = st.sampled_from(("", "", "", "", ' inactive="inactive"', ' junos:changed="changed"'))


@st.composite
def conditions(draw: st.DrawFn, family: Family) -> str:
    """What a term matches, some of it beyond a packet rule."""
    parts = []
    for side in draw(st.lists(st.sampled_from(("source-address", "destination-address", "address")), unique=True)):
        for network in draw(st.lists(st.sampled_from(NETWORKS[family]), min_size=1, max_size=2, unique=True)):
            but = draw(st.sampled_from(("", "", "", "<except/>")))
            parts.append(f"<{side}><name>{network}</name>{but}</{side}>")
    kind = "protocol" if family == 4 else draw(st.sampled_from(("next-header", "payload-protocol")))
    protocols = st.sampled_from(("tcp", "udp", "17", "icmp6", "gre"))
    parts += [f"<{kind}>{p}</{kind}>" for p in draw(st.lists(protocols, max_size=2, unique=True))]
    for side in draw(st.lists(st.sampled_from(("source-port", "destination-port")), unique=True)):
        for text in draw(
            st.lists(st.sampled_from(("80", "ssh", "79-81", "0-65535", "ftp-data")), max_size=2, unique=True)
        ):
            parts.append(f"<{side}>{text}</{side}>")
    parts += draw(st.lists(st.sampled_from(_ODD), max_size=1))
    return f"<from{draw(marks)}>{''.join(parts)}</from>" if parts else ""


@st.composite
def filters(draw: st.DrawFn, name: str, family: Family) -> str:
    """One foreign filter."""
    terms = []
    for index in range(draw(st.integers(0, 3))):
        then = draw(st.sampled_from(_ACTIONS))
        body = draw(conditions(family)) + (f"<then>{then}</then>" if then else "")
        terms.append(f"<term{draw(marks)}><name>rule {index}</name>{body}</term>")
    specific = draw(st.sampled_from(("", "<interface-specific/>")))
    return f"<filter{draw(marks)}><name>{name}</name>{specific}{''.join(terms)}</filter>"


@st.composite
def attached(draw: st.DrawFn, named: list[str]) -> str:
    """What hangs on one family of a unit."""
    sides = []
    for side in ("input", "output"):
        chosen = draw(st.lists(st.sampled_from(named), unique=True, max_size=2)) if named else []
        form = draw(st.sampled_from(("single", "list", "none")))
        if form == "list":
            sides += [f"<{side}-list>{name}</{side}-list>" for name in chosen]
        elif form == "single" and chosen:
            more = draw(st.sampled_from(("", "", "", "<precedence>5</precedence>")))
            sides.append(f"<{side}{draw(marks)}><filter-name>{chosen[0]}</filter-name>{more}</{side}>")
    sides += draw(st.sampled_from(([], [], ["<group>7</group>"])))
    return f"<filter>{''.join(draw(st.permutations(sides)))}</filter>" if sides else ""


@st.composite
def interfaces(draw: st.DrawFn, named: dict[Family, list[str]]) -> str:
    """All three ports, each with its unit."""
    ports = []
    for port in UNITS:
        name, _, unit = port.partition(".")
        families = ""
        for family, tag in _INET.items():
            if draw(st.integers(0, 9)):
                address = {4: "192.0.2.1/30", 6: "2001:db8:1::1/64"}[family]
                held = draw(attached(named[family])) + f"<address><name>{address}</name></address>"
                families += f"<{tag}>{draw(st.sampled_from(('', held)))}</{tag}>"
        down = st.sampled_from(("", "", "<disable/>"))
        text = draw(st.sampled_from(("", "<description>towards a.b</description>")))
        inner = f"<unit><name>{unit}</name>{draw(down)}<family>{families}</family></unit>"
        ports.append(f"<interface><name>{name}</name>{text}{draw(down)}{inner}</interface>")
    return f"<interfaces>{''.join(ports)}</interfaces>"


@st.composite
def routing(draw: st.DrawFn) -> str:
    """Static routes and other options of somebody else."""
    parts = []
    if draw(st.booleans()):
        rib = draw(st.sampled_from(("", "<static><route><name>2001:db8:7::/64</name><reject/></route></static>")))
        parts.append(f"<rib><name>{draw(st.sampled_from(('inet6.0', 'red.inet.0')))}</name>{rib}</rib>")
    if draw(st.booleans()):
        prefix = draw(st.sampled_from((*OUR_PREFIXES[-1:], "192.0.2.0/24", "0.0.0.0/0")))
        hop = draw(st.sampled_from(("<next-hop>192.0.2.1</next-hop>", "<discard/>")))
        text = "<description>secloop was here</description>"
        parts.append(f"<static><route{draw(marks)}><name>{prefix}</name>{hop}{text}</route></static>")
    parts += draw(st.sampled_from(([], ["<autonomous-system><as-number>64500</as-number></autonomous-system>"])))
    return f"<routing-options>{''.join(parts)}</routing-options>" if parts else ""


@st.composite
def firewalls(draw: st.DrawFn, named: dict[Family, list[str]]) -> str:
    """Filters, policers, and perhaps a filter outside of any family."""
    families = ""
    for family, tag in _INET.items():
        held = "".join(draw(filters(name, family)) for name in named[family])
        families += f"<{tag}>{held}</{tag}>" if held else ""
    body = (f"<family>{families}</family>" if families else "") + "".join(_POLICERS)
    if draw(st.booleans()):
        named[4].append("OLD")
        body += draw(filters("OLD", 4))
    return f"<firewall>{body}</firewall>"


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """The ``<data>`` of a get-config reply."""
    named: dict[Family, list[str]] = {f: [f"EDGE-{i}" for i in range(draw(st.integers(0, 3)))] for f in _INET}
    wall = draw(firewalls(named)) if draw(st.booleans()) or any(named.values()) else ""
    parts = draw(st.permutations([draw(interfaces(named)), draw(routing()), wall]))
    uri = draw(st.sampled_from(NAMESPACES))
    if uri == YANG:
        for part in ("interfaces", "routing-options", "firewall"):
            parts = [p.replace(f"<{part}>", f'<{part} xmlns="{YANG}{part}">', 1) for p in parts]
        uri = f"{YANG}root"
    space = draw(st.sampled_from(("", "\n  ")))
    outer = ' xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"' if uri else ""
    release = 'xmlns:junos="http://xml.juniper.net/junos/24.4R1/junos" junos:changed-seconds="1"'
    own = f' xmlns="{uri}"' if uri else ""
    return f"<data{outer}><configuration{own} {release}>{space}{space.join(parts)}</configuration></data>"


def takes(rule: PacketRule) -> bool:
    """A policer takes whole bits per second, from 8,000."""
    bits = (rule.rate_bytes_per_s or 12_500) * 8
    return bits == int(bits) and bits >= 8000


PLAY = Play(
    dialect=DIALECT,
    configurations=configurations(),
    keys=KEYS,
    interfaces=UNITS,
    ordered=("term", "input-list", "output-list"),
    takes=takes,
    taken=0.6,
)
