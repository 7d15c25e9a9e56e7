"""Random configurations of an RFC 8519 device that nobody of ours has touched."""

from __future__ import annotations

from hypothesis import strategies as st

from secloop_ai.dialects.ietf import DIALECT
from secloop_ai.dialects.ietf import names as n

from .editing import KEYS, ORDERED
from .properties import Play
from .strategies import INTERFACES, NETWORKS, PORTS

TYPES = (*n.ACL_TYPES, "eth-acl-type", None)
_FAMILIES_OF = {name: kind.takes for name, kind in n.ACL_TYPES.items()}
_ODD = (
    '<x:shape xmlns:x="urn:example:shapes">x:round</x:shape>',
    "<eth><ethertype>0x0806</ethertype></eth>",
    "<egress-interface>ge1</egress-interface>",
)


@st.composite
def identities(draw: st.DrawFn, name: str, tag: str) -> str:
    """A leaf with an identity, as several servers write it."""
    if draw(st.booleans()):
        return f"<{tag}>{name}</{tag}>"
    return f'<{tag} xmlns:acl="{n.ACL}">acl:{name}</{tag}>'


@st.composite
def port_conditions(draw: st.DrawFn) -> str:
    """A port condition in every form RFC 8519 has."""
    low, high = sorted(draw(st.sampled_from(PORTS)) for _ in range(2))
    operator = draw(st.sampled_from(("eq", "neq", "lte", "gte", "range", "bare")))
    if operator == "range":
        return f"<lower-port>{low}</lower-port><upper-port>{high}</upper-port>"
    return f"<port>{low}</port>" if operator == "bare" else f"<operator>{operator}</operator><port>{low}</port>"


@st.composite
def matches(draw: st.DrawFn, acl_type: str | None) -> str:
    """Conditions, some of which a packet rule cannot say."""
    parts = []
    families = _FAMILIES_OF.get(acl_type or "", ())
    if draw(st.booleans()) and families:
        family = draw(st.sampled_from(families))
        inner = "".join(
            f"<{side}-ipv{family}-network>{draw(st.sampled_from(NETWORKS[family]))}</{side}-ipv{family}-network>"
            for side in draw(st.lists(st.sampled_from(("source", "destination")), unique=True))
        )
        inner += draw(st.sampled_from(("", "<protocol>6</protocol>", "<protocol>17</protocol>", "<dscp>46</dscp>")))
        parts.append(f"<ipv{family}>{inner}</ipv{family}>")
    if draw(st.booleans()):
        l4 = draw(st.sampled_from(("tcp", "udp")))
        inner = "".join(
            f"<{side}-port>{draw(port_conditions())}</{side}-port>"
            for side in draw(st.lists(st.sampled_from(("source", "destination")), unique=True))
        )
        parts.append(f"<{l4}>{inner}{draw(st.sampled_from(('', '<length>20</length>')))}</{l4}>")
    parts += draw(st.lists(st.sampled_from(_ODD), max_size=1))
    return f"<matches>{''.join(parts)}</matches>" if draw(st.booleans()) or parts else ""


@st.composite
def acls(draw: st.DrawFn, name: str) -> str:
    """One foreign ACL."""
    kind = draw(st.sampled_from(TYPES))
    written = draw(identities(kind, "type")) if kind else ""
    aces = []
    for index in range(draw(st.integers(0, 3))):
        action = draw(st.sampled_from(("accept", "drop", "reject")))
        logging = draw(st.sampled_from(("", "<logging>log-syslog</logging>", '<o xmlns="urn:example:odd">1</o>')))
        actions = f"<actions>{draw(identities(action, 'forwarding'))}{logging}</actions>"
        aces.append(f"<ace><name>rule {index}</name>{draw(matches(kind))}{actions}</ace>")
    body = f"<aces>{''.join(aces)}</aces>" if draw(st.booleans()) or aces else ""
    return f"<acl><name>{name}</name>{written}{body}</acl>"


@st.composite
def points(draw: st.DrawFn, interface: str, named: list[str]) -> str:
    """One interface's attachments, perhaps none."""
    sides = []
    for side in draw(st.lists(st.sampled_from(("ingress", "egress")), unique=True)):
        chosen = draw(st.lists(st.sampled_from(named), unique=True, max_size=3)) if named else []
        sets = "".join(f"<acl-set><name>{a}</name></acl-set>" for a in chosen)
        sides.append(f"<{side}><acl-sets>{sets}</acl-sets></{side}>")
    return f"<interface><interface-id>{interface}</interface-id>{''.join(sides)}</interface>"


@st.composite
def routing(draw: st.DrawFn) -> str:
    """Static routes and another protocol of somebody else."""
    hops = ("<next-hop-address>192.0.2.1</next-hop-address>", "<special-next-hop>blackhole</special-next-hop>")
    instances = []
    if draw(st.booleans()):
        route = (
            "<route><destination-prefix>192.0.2.0/24</destination-prefix><description>secloop was here</description>"
            f"<next-hop>{draw(st.sampled_from(hops))}</next-hop></route>"
        )
        container = f'<ipv4 xmlns="{n.V4}">{draw(st.sampled_from(("", route)))}</ipv4>'
        kind = draw(
            st.sampled_from(
                ('<type xmlns:rt="urn:ietf:params:xml:ns:yang:ietf-routing">rt:static</type>', "<type>static</type>")
            )
        )
        body = f"<static-routes>{container}</static-routes>"
        instances.append(f"<control-plane-protocol>{kind}<name>main</name>{body}</control-plane-protocol>")
    if draw(st.booleans()):
        instances.append(
            '<control-plane-protocol><type xmlns:o="urn:example:o">o:ospf</type><name>1</name></control-plane-protocol>'
        )
    inner = f"<control-plane-protocols>{''.join(instances)}</control-plane-protocols>"
    return f'<routing xmlns="{n.ROUTING}">{inner}</routing>' if draw(st.booleans()) or instances else ""


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """The ``<data>`` of a get-config reply."""
    named = [f"EDGE-{i}" for i in range(draw(st.integers(0, 3)))]
    lists = "".join(draw(acls(name)) for name in named)
    held = "".join(draw(points(i, named)) for i in INTERFACES if draw(st.booleans()))
    attached = f"<attachment-points>{held}</attachment-points>" if draw(st.booleans()) or held else ""
    filters = f'<acls xmlns="{n.ACL}">{lists}{attached}</acls>' if draw(st.booleans()) or lists or attached else ""
    states = st.sampled_from(("", "<enabled>true</enabled>", "<enabled>false</enabled>"))
    ports = "".join(f"<interface><name>{i}</name>{draw(states)}</interface>" for i in INTERFACES)
    links = f'<interfaces xmlns="{n.IF}">{ports}</interfaces>'
    parts = draw(st.permutations([filters, links, draw(routing())]))
    space = draw(st.sampled_from(("", "\n  ")))
    return f'<data xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{space}{space.join(parts)}</data>'


PLAY = Play(
    dialect=DIALECT,
    configurations=configurations(),
    keys=KEYS,
    ordered=ORDERED,
    taken=1.0,
)
