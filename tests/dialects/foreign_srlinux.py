"""Random configurations of an SR Linux box that nobody of ours has touched."""

from __future__ import annotations

from hypothesis import strategies as st

from secloop_ai.contracts import Family, PacketRule, RuleAction
from secloop_ai.dialects.srlinux import DIALECT
from secloop_ai.dialects.srlinux import names as n

from .properties import Play
from .strategies import NETWORKS, PORTS

INTERFACES = ("ethernet-1/1.0", "ethernet-1/2.10", "lag1")
KEYS = {
    "acl-filter": ("name", "type"),
    "entry": ("sequence-id",),
    "interface": ("name", "interface-id"),
    "subinterface": ("index",),
    "policer": ("name",),
    "system-cpu-policer": ("name",),
    "network-instance": ("name",),
    "group": ("name",),
    "route": ("prefix",),
}
PROTOCOLS = ("6", "tcp", "17", "udp", "1", "gre", "talk")
ACTIONS = (
    "<drop/>",
    "<accept/>",
    "<accept/>",
    "<accept><rate-limit><policer>slow</policer></rate-limit></accept>",
    "<accept><rate-limit><system-cpu-policer>cpu</system-cpu-policer></rate-limit></accept>",
    "<accept><forwarding-class>af1</forwarding-class></accept>",
    "<drop/><log>true</log>",
    "",
)


@st.composite
def ports(draw: st.DrawFn, tag: str) -> str:
    """A port condition in every form there is."""
    low, high = sorted(draw(st.sampled_from(PORTS)) for _ in range(2))
    forms = [f"<operator>{o}</operator><value>{low}</value>" for o in ("eq", "le", "ge")]
    forms += [f"<range><start>{low}</start><end>{high}</end></range>", f"<value>{low}</value>", "<value>ssh</value>"]
    return f"<{tag}>{draw(st.sampled_from(forms))}</{tag}>"


@st.composite
def matches(draw: st.DrawFn, kind: str) -> str:
    """Conditions, some of which a packet rule cannot say."""
    if kind == "mac" or draw(st.booleans()):
        return ""
    family: Family = 4 if kind == "ipv4" else 6
    protocol = "protocol" if kind == "ipv4" else "next-header"
    parts = ""
    for tag in draw(st.lists(st.sampled_from(("destination-ip", "source-ip")), unique=True)):
        network = draw(st.sampled_from(NETWORKS[family]))
        forms = (f"<prefix>{network}</prefix>", "<prefix-list><name>friends</name></prefix-list>")
        parts += f"<{tag}>{draw(st.sampled_from(forms))}</{tag}>"
    parts += draw(st.sampled_from(("", "", "<dscp-set>46</dscp-set>")))
    if draw(st.booleans()):
        parts += f"<{protocol}>{draw(st.sampled_from(PROTOCOLS))}</{protocol}>"
    l4 = "".join(
        draw(ports(tag)) for tag in draw(st.lists(st.sampled_from(("destination-port", "source-port")), unique=True))
    )
    transport = f"<transport>{l4}{draw(st.sampled_from(('', '<tcp-flags>syn</tcp-flags>')))}</transport>"
    return f"<match><{kind}>{parts}</{kind}>{transport if l4 else ''}</match>"


@st.composite
def acls(draw: st.DrawFn, name: str, kind: str) -> str:
    """One foreign filter."""
    numbers = draw(st.lists(st.sampled_from((3, 40, 100, 110, 65535)), unique=True, max_size=3))
    entries = ""
    for number in numbers:
        text = draw(st.sampled_from(("", "<description>sl-not-ours</description>")))
        body = f"{draw(matches(kind))}<action>{draw(st.sampled_from(ACTIONS))}</action>"
        entries += f"<entry><sequence-id>{number}</sequence-id>{text}{body}</entry>"
    return f"<acl-filter><name>{name}</name><type>{kind}</type>{entries}</acl-filter>"


@st.composite
def points(draw: st.DrawFn, interface: str, named: list[tuple[str, str]]) -> str:
    """One interface's attachments, perhaps none; its id need not be its name."""
    port, _, index = interface.partition(".")
    inner = f"<interface>{port}</interface>" + (f"<subinterface>{index}</subinterface>" if index else "")
    id_, reference = draw(
        st.sampled_from(((interface, f"<interface-ref>{inner}</interface-ref>"), (interface, ""), (f"at {port}", None)))
    )
    if reference is None:
        reference = f"<interface-ref>{inner}</interface-ref>"
    sides = ""
    for side in draw(st.lists(st.sampled_from(("input", "output")), unique=True)):
        chosen = draw(st.lists(st.sampled_from(named), unique_by=lambda pair: pair[1], max_size=3)) if named else []
        held = "".join(f"<acl-filter><name>{a}</name><type>{t}</type></acl-filter>" for a, t in chosen)
        sides += f"<{side}>{held}</{side}>"
    return f"<interface><interface-id>{id_}</interface-id>{reference}{sides}</interface>"


@st.composite
def routing(draw: st.DrawFn) -> str:
    """The network instance ``default``, with routes of somebody else's, and perhaps another one."""
    group = draw(st.sampled_from(("<blackhole/>", "<nexthop><index>1</index></nexthop>")))
    routes = (
        f'<next-hop-groups xmlns="{n.NHG}"><group><name>secloop was here</name>{group}</group></next-hop-groups>'
        f'<static-routes xmlns="{n.STATIC}"><route><prefix>192.0.2.0/24</prefix>'
        "<next-hop-group>secloop was here</next-hop-group></route></static-routes>"
    )
    held = draw(st.sampled_from(("", routes)))
    other = draw(st.sampled_from(("", f'<network-instance xmlns="{n.NI}"><name>red</name></network-instance>')))
    return f'<network-instance xmlns="{n.NI}"><name>default</name>{held}</network-instance>{other}'


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """The ``<data>`` of a get-config reply."""
    kinds = ("ipv4", "ipv6", "mac")
    keys = [(name, kind) for name in ("EDGE", "CORE") for kind in kinds]
    named = draw(st.lists(st.sampled_from(keys), unique=True, max_size=3))
    lists = "".join(draw(acls(name, kind)) for name, kind in named)
    held = "".join(draw(points(i, named)) for i in INTERFACES if draw(st.booleans()))
    policers = draw(
        st.sampled_from(
            ("", "<policers><policer><name>slow</name><peak-rate-kbps>64</peak-rate-kbps></policer></policers>")
        )
    )
    inner = lists + held + policers
    filters = f'<acl xmlns="{n.ACL}">{inner}</acl>' if draw(st.booleans()) or inner else ""
    states = st.sampled_from(("", "<admin-state>enable</admin-state>", "<admin-state>disable</admin-state>"))
    links = ""
    for interface in INTERFACES:
        port, _, index = interface.partition(".")
        inside = f"<subinterface><index>{index}</index>{draw(states)}</subinterface>" if index else ""
        links += f'<interface xmlns="{n.IF}"><name>{port}</name>{draw(states)}{inside}</interface>'
    space = draw(st.sampled_from(("", "\n  ")))
    body = space.join(draw(st.permutations([filters, links, draw(routing())])))
    return f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{space}{body}</data>'


def takes(rule: PacketRule) -> bool:
    """No reject, and rates in whole kbit/s."""
    return rule.action is not RuleAction.REJECT and (rule.rate_bytes_per_s or 0) % n.BYTES_PER_KBPS == 0


PLAY = Play(
    dialect=DIALECT,
    configurations=configurations(),
    keys=KEYS,
    interfaces=INTERFACES,
    ordered=("acl-filter",),
    takes=takes,
)
