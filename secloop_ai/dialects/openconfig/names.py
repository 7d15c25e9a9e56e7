"""Namespaces, names and tables of the OpenConfig models: acl, interfaces, network-instance with local-routing."""

from __future__ import annotations

from dataclasses import dataclass

from secloop_ai.contracts import Direction, Family, RuleAction
from secloop_ai.dialects.capabilities import Need
from secloop_ai.dialects.tree import Node

ACL = "http://openconfig.net/yang/acl"
IF = "http://openconfig.net/yang/interfaces"
NI = "http://openconfig.net/yang/network-instance"
NI_TYPES = "http://openconfig.net/yang/network-instance-types"
POLICY_TYPES = "http://openconfig.net/yang/policy-types"
ROUTING = "http://openconfig.net/yang/local-routing"
MATCH_TYPES = "http://openconfig.net/yang/packet-match-types"

ACLS, SETS, SET, NAME, TYPE, CONFIG = (
    f"{{{ACL}}}{n}" for n in ("acl", "acl-sets", "acl-set", "name", "type", "config")
)
ENTRIES, ENTRY, NUMBER, TEXT = (f"{{{ACL}}}{n}" for n in ("acl-entries", "acl-entry", "sequence-id", "description"))
TRANSPORT, SOURCE_PORT, DESTINATION_PORT = (f"{{{ACL}}}{n}" for n in ("transport", "source-port", "destination-port"))
SOURCE, DESTINATION, PROTOCOL = (f"{{{ACL}}}{n}" for n in ("source-address", "destination-address", "protocol"))
ACTIONS, FORWARDING, LOGGING = (f"{{{ACL}}}{n}" for n in ("actions", "forwarding-action", "log-action"))
L3: dict[Family, str] = {4: f"{{{ACL}}}ipv4", 6: f"{{{ACL}}}ipv6"}
POINTS, POINT, ID = (f"{{{ACL}}}{n}" for n in ("interfaces", "interface", "id"))
REF, REF_SUB, SET_NAME = (f"{{{ACL}}}{n}" for n in ("interface-ref", "subinterface", "set-name"))

TYPE_OF: dict[Family, str] = {4: "ACL_IPV4", 6: "ACL_IPV6"}
FAMILY_OF = {name: family for family, name in TYPE_OF.items()}
FORWARDS = {"ACCEPT": RuleAction.PERMIT, "DROP": RuleAction.DROP, "REJECT": RuleAction.REJECT}
PROTOCOLS = {
    "IP_TCP": 6,
    "IP_UDP": 17,
    "IP_ICMP": 1,
    "IP_IGMP": 2,
    "IP_PIM": 103,
    "IP_RSVP": 46,
    "IP_GRE": 47,
    "IP_AUTH": 51,
    "IP_L2TP": 115,
    "IP_IN_IP": 4,
}
ANY_PORT = "ANY"
PORTS_BETWEEN = ".."
TOP_PROTOCOL = 254


@dataclass(frozen=True, slots=True)
class Side:
    """The names of one direction's attachments."""

    sets: str
    set: str


SIDES = {d: Side(f"{{{ACL}}}{d}-acl-sets", f"{{{ACL}}}{d}-acl-set") for d in Direction}

INTERFACES, INTERFACE, IF_NAME, IF_CONFIG, IF_ENABLED = (
    f"{{{IF}}}{n}" for n in ("interfaces", "interface", "name", "config", "enabled")
)
IF_SUBS, IF_SUB, IF_INDEX = (f"{{{IF}}}{n}" for n in ("subinterfaces", "subinterface", "index"))

INSTANCES, INSTANCE, NI_NAME, NI_CONFIG, NI_TYPE = (
    f"{{{NI}}}{n}" for n in ("network-instances", "network-instance", "name", "config", "type")
)
LISTED, LIST, IDENTIFIER = (f"{{{NI}}}{n}" for n in ("protocols", "protocol", "identifier"))
STATICS, STATIC, PREFIX, NI_TEXT = (f"{{{NI}}}{n}" for n in ("static-routes", "static", "prefix", "description"))
HOPS, HOP, INDEX, TO = (f"{{{NI}}}{n}" for n in ("next-hops", "next-hop", "index", "next-hop"))
DEFAULT_TYPE, DEFAULT_NAMES = "DEFAULT_INSTANCE", ("default", "DEFAULT")
STATIC_PROTOCOL, DISCARD = "STATIC", "DROP"
HOP_INDEX = "0"
MADE_BY_US = " with its protocol instance"
"""Ends a route's description where the instance of the static protocol is there because of us alone."""

_SET_CONFIG = Node(CONFIG, children=(Node(NAME), Node(TYPE)), lasting=True)


def _leaves(*tags: str) -> tuple[Node, ...]:
    return tuple(Node(tag) for tag in tags)


def _in_config(tag: str, *tags: str) -> Node:
    return Node(tag, children=(Node(CONFIG, children=_leaves(*tags)),))


_ENTRY = Node(
    ENTRY,
    keys=(NUMBER,),
    whole=True,
    children=(
        Node(NUMBER),
        Node(CONFIG, children=_leaves(NUMBER, TEXT)),
        *(_in_config(tag, SOURCE, DESTINATION, PROTOCOL) for tag in L3.values()),
        _in_config(TRANSPORT, SOURCE_PORT, DESTINATION_PORT),
        _in_config(ACTIONS, FORWARDING, LOGGING),
    ),
)
_ENTRIES = Node(ENTRIES, children=(_ENTRY,))
_SET = Node(SET, keys=(NAME, TYPE), children=(_SET_CONFIG, _ENTRIES))
_REF = Node(REF, children=(Node(CONFIG, children=(Node(POINT), Node(REF_SUB))),), lasting=True)
_SIDES = tuple(
    Node(side.sets, children=(Node(side.set, keys=(SET_NAME, TYPE), children=(Node(TYPE),), whole=True),))
    for side in SIDES.values()
)
_POINT = Node(
    POINT,
    keys=(ID,),
    children=(Node(CONFIG, children=(Node(ID),), lasting=True), _REF, *_SIDES),
    shared=True,
)
FILTER_TABLE = Node(
    ACLS,
    children=(Node(SETS, children=(_SET,)), Node(POINTS, children=(_POINT,), points=True)),
)
_IF_CONFIG = Node(IF_CONFIG, children=(Node(IF_ENABLED),), partial=True)
_SUBS = Node(IF_SUBS, children=(Node(IF_SUB, keys=(IF_INDEX,), children=(_IF_CONFIG,)),), partial=True)
_IF = Node(INTERFACE, keys=(IF_NAME,), children=(_IF_CONFIG, _SUBS))
LINK_TABLE = Node(INTERFACES, children=(_IF,), partial=True)
_HOP = Node(HOP, keys=(INDEX,), children=(Node(INDEX), Node(NI_CONFIG, children=_leaves(INDEX, TO))))
_STATIC = Node(
    STATIC,
    keys=(PREFIX,),
    whole=True,
    children=(Node(PREFIX), Node(NI_CONFIG, children=_leaves(PREFIX, NI_TEXT)), Node(HOPS, children=(_HOP,))),
)
_STATICS = Node(STATICS, children=(_STATIC,))
_INSTANCE_CONFIG = Node(NI_CONFIG, children=(Node(IDENTIFIER), Node(NI_NAME)), lasting=True)
_PROTOCOL = Node(LIST, keys=(IDENTIFIER, NI_NAME), children=(_INSTANCE_CONFIG, _STATICS), shared=True)
_NI = Node(INSTANCE, keys=(NI_NAME,), children=(Node(LISTED, children=(_PROTOCOL,), partial=True),), shared=True)
ROUTE_TABLE = Node(INSTANCES, children=(_NI,), partial=True)

READ_FILTER = (
    f'<acl xmlns="{ACL}"/>'
    f'<interfaces xmlns="{IF}"><interface><name/><config><name/><type/><enabled/></config>'
    "<subinterfaces><subinterface><index/><config><index/><enabled/></config></subinterface></subinterfaces></interface></interfaces>"
    f'<network-instances xmlns="{NI}"><network-instance><name/><config><name/><type/></config>'
    "<protocols><protocol><identifier/><name/><config/><static-routes/></protocol></protocols>"
    "</network-instance></network-instances>"
)

_FILTER = (Need(IF, "OpenConfig interfaces"), Need(ACL, "OpenConfig access control lists"))
NEEDS = {
    "block_ip": _FILTER,
    "block_flow": _FILTER,
    "isolate_host": _FILTER,
    "restrict_service": _FILTER,
    "blackhole_route": (
        Need(NI, "OpenConfig network instances"),
        Need(ROUTING, "OpenConfig static routes, with the next hop DROP"),
    ),
    "shutdown_port": (Need(IF, "OpenConfig interfaces"),),
}
ABSENT = {
    "rate_limit": (
        "openconfig-acl has no rate: an entry accepts, drops or rejects; openconfig-qos polices the queues of an "
        "interface by forwarding class, not the packets of one rule"
    ),
}
