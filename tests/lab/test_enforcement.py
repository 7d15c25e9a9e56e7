"""What is committed is in force, and only that."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from labs.lab import Lab
from labs.lab.httpd import PAGE
from labs.lab.kernel import Nftables
from labs.lab.ncx import RpcRefused
from labs.lab.netns import connect_from, socket_in
from secloop_ai.contracts.errors import LabError

from .support import (
    APP,
    ATTACKER,
    ATTACKER_6,
    CLIENT,
    WEB,
    WEB_6,
    ace,
    acl,
    acls,
    attach,
    block,
    change,
    discard,
    enabled,
    eventually,
    needs_lab,
    source,
    unblock,
)
from .traffic import flooded

pytestmark = needs_lab
REQUEST = b"GET / HTTP/1.1\r\nHost: lab\r\n\r\n"


@pytest.fixture(autouse=True)
def unchanged(lab: Lab) -> Iterator[bytes]:
    """Every test leaves the configuration byte-equal to what it found."""
    before = lab.snapshot()
    yield before
    assert lab.snapshot() == before


def reaches(lab: Lab, host: str = "attacker", address: str = WEB, port: int = 80) -> bool:
    return lab.can_serve(host, address, port, timeout_s=0.4)


def test_acl_stops_the_attacker_and_nobody_else(lab: Lab) -> None:
    assert reaches(lab)
    change(lab, block(ATTACKER))
    assert not reaches(lab)
    assert not reaches(lab, port=22, address=APP)
    assert reaches(lab, "client")
    assert reaches(lab, address=WEB_6)  # an IPv4 rule leaves IPv6 alone
    change(lab, unblock())
    assert reaches(lab)


def test_acl_of_ipv6(lab: Lab) -> None:
    change(lab, block(ATTACKER_6))
    assert not reaches(lab, address=WEB_6)
    assert reaches(lab)
    change(lab, unblock())
    assert reaches(lab, address=WEB_6)


def test_established_connections_end_too(lab: Lab) -> None:
    with connect_from(lab.netns("attacker"), WEB, 80, 1.0) as connection:
        connection.sendall(REQUEST)
        answer = connection.recv(4096)
        while not answer.endswith(PAGE):
            answer += connection.recv(4096)
        change(lab, block(ATTACKER))
        connection.settimeout(0.6)
        connection.sendall(REQUEST)
        with pytest.raises(TimeoutError):
            connection.recv(4096)
    change(lab, unblock())


def test_first_match_decides_across_acls(lab: Lab) -> None:
    """A permit before the operator's ACL lets a packet by that the operator's ACL would look at."""
    both = ace(
        "ssh",
        f"{source(ATTACKER)}<tcp><destination-port><operator>eq</operator><port>22</port></destination-port></tcp>",
    )
    first = acl(
        "first",
        ace(
            "http",
            f"{source(ATTACKER)}<tcp><destination-port><operator>eq</operator><port>80</port></destination-port></tcp>",
            "accept",
        )
        + both,
    )
    change(lab, acls(first + acl("second", ace("a", source(ATTACKER))) + attach("ge0", ["first", "second", "edge-in"])))
    assert reaches(lab)
    assert not reaches(lab, address=APP, port=22)
    assert not reaches(lab, address=APP, port=8080)
    gone = "".join(f'<acl nc:operation="delete"><name>{name}</name></acl>' for name in ("first", "second"))
    change(lab, acls(attach("ge0", ["edge-in"]) + gone))


def test_egress_acl(lab: Lab) -> None:
    change(lab, acls(acl("out", ace("a", source(CLIENT))) + attach("ge3", ["out"], "egress")))
    assert not reaches(lab, "client", APP, 8080)
    assert reaches(lab, "client", WEB)
    assert reaches(lab, "attacker", APP, 8080)
    point = '<interface nc:operation="delete"><interface-id>ge3</interface-id></interface>'
    gone = '<acl nc:operation="delete"><name>out</name></acl>'
    change(lab, acls(f"<attachment-points>{point}</attachment-points>{gone}"))


def test_traffic_to_the_gateway_itself_is_filtered(lab: Lab) -> None:
    def refused() -> bool:
        """Nothing listens there: a reset comes back at once, unless the packet is dropped."""
        try:
            connect_from(lab.netns("attacker"), "203.0.113.1", 9, 0.4).close()
        except ConnectionRefusedError:
            return True
        except TimeoutError:
            return False
        raise AssertionError("something listens on the discard port")

    assert refused()
    change(lab, block(ATTACKER))
    assert not refused()
    change(lab, unblock())


def test_reject_tells_the_sender(lab: Lab) -> None:
    change(
        lab, acls(acl("test-block", ace("a", source(ATTACKER), "reject")) + attach("ge0", ["test-block", "edge-in"]))
    )
    with pytest.raises(OSError, match=r"route to host|refused|unreachable"):
        connect_from(lab.netns("attacker"), WEB, 80, 3.0)
    change(lab, unblock())


def test_operators_acl_is_in_force_from_the_start(lab: Lab) -> None:
    """The attacker takes an inside address: the operator's anti-spoofing entry drops what it sends."""
    lab.exec("attacker", ["ip", "addr", "add", "198.51.100.77/32", "dev", "lo"])
    with (
        socket_in(lab.netns("attacker"), socket.AF_INET, socket.SOCK_DGRAM) as honest,
        socket_in(lab.netns("attacker"), socket.AF_INET, socket.SOCK_DGRAM) as spoofer,
        socket_in(lab.netns("web"), socket.AF_INET, socket.SOCK_DGRAM) as victim,
    ):
        victim.bind((WEB, 5555))
        victim.settimeout(0.5)
        honest.sendto(b"own", (WEB, 5555))
        assert victim.recv(16) == b"own"
        spoofer.bind(("198.51.100.77", 0))
        spoofer.sendto(b"spoofed", (WEB, 5555))
        with pytest.raises(TimeoutError):
            victim.recv(16)
    lab.exec("attacker", ["ip", "addr", "del", "198.51.100.77/32", "dev", "lo"])


def test_port_down_and_up_again(lab: Lab) -> None:
    change(lab, enabled("ge1", up=False))
    assert not reaches(lab, "client")
    assert not reaches(lab, "client", WEB_6)
    assert reaches(lab, "attacker")
    change(lab, enabled("ge1", up=True))
    assert eventually(lambda: reaches(lab, "client"))
    assert eventually(lambda: reaches(lab, "client", WEB_6))


@pytest.mark.parametrize(("prefix", "target"), [(f"{ATTACKER}/32", WEB), (f"{ATTACKER_6}/128", WEB_6)])
def test_discard_route(lab: Lab, prefix: str, target: str) -> None:
    change(lab, discard(prefix))
    assert not reaches(lab, address=target)
    assert reaches(lab, "client", target)
    change(lab, discard(prefix, delete=True))
    assert reaches(lab, address=target)
    leave_no_protocol(lab)


def leave_no_protocol(lab: Lab) -> None:
    """The static protocol entry itself was made by the test's first edit."""
    routing = "urn:ietf:params:xml:ns:yang:ietf-routing"
    if routing.encode() in lab.snapshot():
        nc = 'xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete"'
        change(lab, f'<routing xmlns="{routing}" {nc}/>')


def test_connected_network_wins_over_a_discard_route_to_it(lab: Lab) -> None:
    change(lab, discard("203.0.113.0/24"))
    assert reaches(lab)
    change(lab, discard("203.0.113.0/24", delete=True))
    leave_no_protocol(lab)


def test_rate_limit(lab: Lab) -> None:
    rate = 20_000
    free = flooded(lab, "web", WEB, 6001)
    limit = f'<rate-limit xmlns="urn:secloop:yang:acl-rate-limit">{rate}</rate-limit>'
    limited = acl("test-block", ace("slow", source(ATTACKER), "accept", limit))
    change(lab, acls(limited + attach("ge0", ["test-block", "edge-in"])))
    slow = flooded(lab, "web", WEB, 6002)
    assert free.size_bytes > 3 * slow.size_bytes > 0
    assert slow.size_bytes <= rate * (slow.seconds + 1.5)  # a second's worth may pass at once
    assert reaches(lab, "client")
    change(lab, unblock())


def refuse(lab: Lab, config: str) -> RpcRefused:
    """The commit of the configuration is refused; returns how."""
    with lab.session() as session:
        session.edit(config)
        with pytest.raises(RpcRefused) as refused:
            session.commit()
        session.call("<discard-changes/>")
    return refused.value


def test_management_port_is_never_filtered(lab: Lab) -> None:
    refused = refuse(lab, acls(acl("m", ace("a")) + attach("mgmt0", ["m"])))
    assert refused.tag == "operation-failed"
    assert "the management port is never filtered" in refused.message


def test_a_match_the_device_cannot_enforce_is_refused(lab: Lab) -> None:
    config = acls(acl("f", ace("a", "<ipv4><dscp>46</dscp></ipv4>")) + attach("ge1", ["f"]))
    assert "cannot enforce" in refuse(lab, config).message
    assert reaches(lab, "client")


def test_rate_limit_beside_drop_is_refused(lab: Lab) -> None:
    limit = '<rate-limit xmlns="urn:secloop:yang:acl-rate-limit">9</rate-limit>'
    config = acls(acl("f", ace("a", source(ATTACKER), "drop", limit)) + attach("ge0", ["f", "edge-in"]))
    assert "cannot enforce" in refuse(lab, config).message


def test_what_nftables_refuses_is_an_error() -> None:
    with pytest.raises(LabError, match=r"nft: .*syntax error"):
        Nftables().run("table inet x { chain y { bogus; } }", check_only=True)


def applier(lab: Lab) -> int:
    return next(p.pid for p in lab.status().processes if p.name == "applier")


def test_a_silent_applier_means_no_commit(lab: Lab) -> None:
    pid = applier(lab)
    os.kill(pid, signal.SIGSTOP)
    try:
        refused = refuse(lab, block(ATTACKER))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert "the applier did not answer" in refused.message
    assert reaches(lab)
    change(lab, block(ATTACKER))  # and it works again
    assert not reaches(lab)
    change(lab, unblock())


def test_port_names_in_odd_acls_do_no_harm(lab: Lab) -> None:
    name = "a b { drop; } # $x \\"
    change(lab, block(ATTACKER, name))
    assert not reaches(lab)
    change(lab, unblock(name))
