"""Names and tables of Nokia SR OS's model-driven configuration, as of release 25.10; all in one namespace."""

from __future__ import annotations

from secloop_ai.contracts import Direction, Family
from secloop_ai.dialects.capabilities import Need
from secloop_ai.dialects.tree import Node

URI = "urn:nokia.com:sros:ns:yang:sr:conf"


def _named(text: str) -> list[str]:
    return [f"{{{URI}}}{name}" for name in text.split()]


CONFIGURE, FILTER, NAME, DEFAULT_ACTION = _named("configure filter filter-name default-action")
LISTS: dict[Family, str] = dict(zip((4, 6), _named("ip-filter ipv6-filter"), strict=True))
ENTRY, NUMBER, DESCRIPTION, MATCH, ACTION = _named("entry entry-id description match action")
PROTOCOL: dict[Family, str] = dict(zip((4, 6), _named("protocol next-header"), strict=True))
SOURCE, DESTINATION, ADDRESS, MASK = _named("src-ip dst-ip address mask")
SOURCE_PORT, DESTINATION_PORT, EQ, LT, GT, RANGE, START, END = _named("src-port dst-port eq lt gt range start end")
ACCEPT, DROP, RATE_LIMIT, PIR = _named("accept drop rate-limit pir")
ROUTER, ROUTER_NAME, INTERFACE, INTERFACE_NAME, STATE = _named(
    "router router-name interface interface-name admin-state"
)
SIDES = dict(zip((Direction.INGRESS, Direction.EGRESS), _named("ingress egress"), strict=True))
ATTACHED: dict[Family, str] = dict(zip((4, 6), _named("ip ipv6"), strict=True))
STATIC_ROUTES, ROUTE, PREFIX, ROUTE_TYPE, BLACKHOLE = _named("static-routes route ip-prefix route-type blackhole")
BASE, UNICAST = "Base", "unicast"
DESCRIPTION_LENGTH = 80
BYTES_PER_KBPS = 125
PROTOCOLS = {"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "sctp": 132}
"""The device may show these instead of numbers."""

_ENTRY = Node(ENTRY, keys=(NUMBER,), whole=True)
_INTERFACE = Node(
    INTERFACE,
    keys=(INTERFACE_NAME,),
    children=(
        Node(STATE),
        *(
            Node(side, children=(Node(FILTER, children=tuple(Node(tag) for tag in ATTACHED.values())),))
            for side in SIDES.values()
        ),
    ),
    shared=True,
)
_ROUTE = Node(ROUTE, keys=(PREFIX, ROUTE_TYPE), whole=True)
_ROUTER = Node(
    ROUTER,
    keys=(ROUTER_NAME,),
    children=(_INTERFACE, Node(STATIC_ROUTES, children=(_ROUTE,))),
    shared=True,
    points=True,
)
_FILTERS = tuple(Node(tag, keys=(NAME,), children=(_ENTRY,)) for tag in LISTS.values())
# Everything stands below one element, so one table describes the whole of it.
TABLE = Node(CONFIGURE, children=(Node(FILTER, children=_FILTERS), _ROUTER), partial=True)

_SIDE = "<filter><ip/><ipv6/></filter>"
READ_FILTER = (
    f'<configure xmlns="{URI}"><filter><ip-filter/><ipv6-filter/></filter><router><router-name/>'
    f"<interface><interface-name/><admin-state/><ingress>{_SIDE}</ingress><egress>{_SIDE}</egress></interface>"
    "<static-routes/></router></configure>"
)
_CONFIGURE = (Need(URI, "nokia-conf"),)
NEEDS = dict.fromkeys(
    ("block_ip", "block_flow", "rate_limit", "isolate_host", "restrict_service", "blackhole_route", "shutdown_port"),
    _CONFIGURE,
)
