"""Random configurations of an SR OS router that nobody of ours has touched."""

from __future__ import annotations

from hypothesis import strategies as st

from secloop_ai.contracts import Family, PacketRule, RuleAction
from secloop_ai.dialects.sros import DIALECT
from secloop_ai.dialects.sros import names as n

from .properties import Play
from .strategies import NETWORKS, PORTS

INTERFACES = ("to-outside", "to-access", "to-dmz")
KEYS = {
    "ip-filter": ("filter-name",),
    "ipv6-filter": ("filter-name",),
    "entry": ("entry-id",),
    "router": ("router-name",),
    "interface": ("interface-name",),
    "route": ("ip-prefix", "route-type"),
}
LISTS: tuple[tuple[str, Family, str], ...] = (("ip-filter", 4, "protocol"), ("ipv6-filter", 6, "next-header"))
ACTIONS = (
    "<action><drop/></action>",
    "<action><accept/></action>",
    "<action><accept/><rate-limit><pir>64</pir></rate-limit></action>",
    "<action><forward><gre-tunnel>x</gre-tunnel></forward></action>",
    "",
)


@st.composite
def matches(draw: st.DrawFn, family: Family, protocol: str) -> str:
    """Conditions, some of which a packet rule cannot say."""
    parts = draw(st.sampled_from(("", "", "<dscp>ef</dscp>", "<fragment>true</fragment>")))
    if draw(st.booleans()):
        parts += f"<{protocol}>{draw(st.sampled_from(('6', 'tcp', '17', 'udp', '1', 'talk')))}</{protocol}>"
    for tag in draw(st.lists(st.sampled_from(("dst-ip", "src-ip")), unique=True)):
        network = draw(st.sampled_from(NETWORKS[family]))
        forms = (f"<address>{network}</address>", "<ip-prefix-list>friends</ip-prefix-list>")
        parts += f"<{tag}>{draw(st.sampled_from(forms))}</{tag}>"
    for tag in draw(st.lists(st.sampled_from(("dst-port", "src-port")), unique=True)):
        low, high = sorted(draw(st.sampled_from(PORTS)) for _ in range(2))
        forms_of_ports = [f"<{o}>{low}</{o}>" for o in ("eq", "lt", "gt")]
        forms_of_ports.append(f"<range><start>{low}</start><end>{high}</end></range>")
        parts += f"<{tag}>{draw(st.sampled_from(forms_of_ports))}</{tag}>"
    return f"<match>{parts}</match>" if parts else ""


@st.composite
def filters(draw: st.DrawFn, name: str, kind: tuple[str, Family, str]) -> str:
    """One foreign filter."""
    tag, family, protocol = kind
    default = draw(
        st.sampled_from(("", "<default-action>accept</default-action>", "<default-action>drop</default-action>"))
    )
    entries = "".join(
        f"<entry><entry-id>{number}</entry-id>{draw(matches(family, protocol))}{draw(st.sampled_from(ACTIONS))}</entry>"
        for number in draw(st.lists(st.sampled_from((4, 40, 100, 2_000_000)), unique=True, max_size=3))
    )
    return f"<{tag}><filter-name>{name}</filter-name>{default}{entries}</{tag}>"


@st.composite
def interfaces(draw: st.DrawFn, name: str, named: list[tuple[str, str]]) -> str:
    """One interface with its state and its filters."""
    state = draw(st.sampled_from(("", "<admin-state>enable</admin-state>", "<admin-state>disable</admin-state>")))
    sides = ""
    for side in draw(st.lists(st.sampled_from(("ingress", "egress")), unique=True)):
        held = ""
        for tag, leaf in (("ip-filter", "ip"), ("ipv6-filter", "ipv6")):
            here: list[str] = [filter_name for filter_name, kind in named if kind == tag]
            filtered = draw(st.booleans())
            if here and filtered:
                held += f"<{leaf}>{draw(st.sampled_from(here))}</{leaf}>"
        sides += f"<{side}><filter>{held}</filter></{side}>"
    return f"<interface><interface-name>{name}</interface-name>{state}{sides}</interface>"


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """The ``<data>`` of a get-config reply."""
    kinds = [(name, kind) for name in ("EDGE", "CORE") for kind in LISTS]
    chosen = draw(st.lists(st.sampled_from(kinds), unique=True, max_size=3))
    lists = "".join(draw(filters(name, kind)) for name, kind in chosen)
    ports = "".join(draw(interfaces(name, [(a, kind[0]) for a, kind in chosen])) for name in INTERFACES)
    hops = (
        "<blackhole><admin-state>enable</admin-state><description>secloop was here</description></blackhole>",
        "<blackhole/>",
        "<next-hop><ip-address>192.0.2.1</ip-address></next-hop>",
    )
    key = "<ip-prefix>192.0.2.0/24</ip-prefix><route-type>unicast</route-type>"
    route = f"<route>{key}{draw(st.sampled_from(hops))}</route>"
    routes = draw(st.sampled_from(("", f"<static-routes>{route}</static-routes>")))
    other = draw(st.sampled_from(("", "<router><router-name>management</router-name></router>")))
    held = f"<filter>{lists}</filter>" if lists else ""
    body = f"{held}<router><router-name>Base</router-name>{ports}{routes}</router>{other}"
    space = draw(st.sampled_from(("", "\n  ")))
    return (
        f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{space}'
        f'<configure xmlns="{n.URI}">{body}</configure></data>'
    )


def takes(rule: PacketRule) -> bool:
    """No reject, and rates in whole kbit/s."""
    return rule.action is not RuleAction.REJECT and (rule.rate_bytes_per_s or 0) % n.BYTES_PER_KBPS == 0


PLAY = Play(
    dialect=DIALECT,
    configurations=configurations(),
    keys=KEYS,
    interfaces=INTERFACES,
    takes=takes,
)
