from __future__ import annotations

from secloop_ai.contracts import CATALOGUE, Plane
from secloop_ai.dialects import dialect
from secloop_ai.dialects.ietf import names as n

IETF = dialect("ietf")
NETWORK = {name for name, action in CATALOGUE.items() if action.spec.plane is Plane.NETWORK}
FEATURES = "match-on-ipv4,ipv4,interface-attachment"
HELLO = [
    "urn:ietf:params:netconf:base:1.1",
    f"{n.ACL}?module=ietf-access-control-list&revision=2019-03-04&features={FEATURES}",
    f"{n.IF}?module=ietf-interfaces&revision=2018-02-20",
    f"{n.ROUTING}?module=ietf-routing&revision=2016-11-04",
    f"{n.V4}?module=ietf-ipv4-unicast-routing&revision=2016-11-04",
    f"{n.RATE}?module=secloop-acl-rate-limit&revision=2026-11-22",
]


def test_a_device_with_every_module_takes_every_network_action() -> None:
    assert IETF.not_offered(HELLO) == {}


def test_each_missing_module_takes_its_actions_away_and_is_named() -> None:
    without_rate = IETF.not_offered([c for c in HELLO if n.RATE not in c])
    assert set(without_rate) == {"rate_limit"}
    assert n.RATE in without_rate["rate_limit"]
    without_routes = IETF.not_offered([c for c in HELLO if n.V4 not in c])
    assert set(without_routes) == {"blackhole_route"}
    without_acl = IETF.not_offered([c for c in HELLO if n.ACL not in c])
    assert set(without_acl) == NETWORK - {"blackhole_route", "shutdown_port"}
    assert set(IETF.not_offered([])) == NETWORK


def test_a_missing_feature_is_named() -> None:
    hello = [c.replace(",interface-attachment", "") for c in HELLO]
    assert "interface-attachment" in IETF.not_offered(hello)["block_ip"]


def test_a_yang_library_is_pointed_to() -> None:
    reasons = IETF.not_offered(["urn:ietf:params:netconf:capability:yang-library:1.1?revision=2019-01-04"])
    assert "YANG library" in reasons["block_ip"]
