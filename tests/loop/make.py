"""Small networks and alerts to test with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_interface, ip_network

from secloop_ai.contracts import (
    AlertSummary,
    Attachment,
    Connection,
    Device,
    Environment,
    Flow,
    Host,
    HttpCheck,
    Interface,
    ProbeVantage,
    Protocol,
    Service,
    Untrusted,
)

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def interface(name: str, zone: str, own: str, *networks: str) -> Interface:
    return Interface(
        name=name, zone=zone, addresses=(ip_interface(own),), networks=tuple(ip_network(n) for n in networks)
    )


def gateway(name: str = "gw1", *, dialect: str = "ietf", port: int = 830) -> Device:
    return Device(
        name=name,
        dialect=dialect,
        connection=Connection(address="127.0.0.1", port=port),
        interfaces=(
            interface("ge0", "outside", "203.0.113.1/24", "0.0.0.0/0", "::/0"),
            interface("ge1", "access", "198.51.100.1/24"),
            interface("ge2", "dmz", "192.0.2.1/25"),
            interface("ge3", "dmz", "192.0.2.129/25"),
        ),
    )


def host(name: str, address: str, port: str, *services: Service, device: str = "gw1") -> Host:
    return Host(
        name=name,
        addresses=(ip_address(address),),
        attached_to=Attachment(device=device, interface=port),
        services=services,
        probe=ProbeVantage(via="controller") if name == "client1" else None,
    )


def network(*, web_address: str = "192.0.2.10", web_port: int = 80) -> Environment:
    web = Service(name="web", port=web_port, clients=("client1",), check=HttpCheck())
    ssh = Service(name="ssh", port=22, clients=("client1", ip_network("198.51.100.128/25")))
    return Environment(
        devices=(gateway(),),
        hosts=(
            host("client1", "198.51.100.10", "ge1"),
            host("web1", web_address, "ge2", web),
            host("app1", "192.0.2.138", "ge3", ssh),
        ),
        protected=(ip_network("192.0.2.1/32"), ip_network("198.51.100.1/32")),
    )


def summary(source: str = "203.0.113.66", destination: str = "192.0.2.138", *, port: int = 22) -> AlertSummary:
    return AlertSummary(
        signature_id=9000001,
        signature=Untrusted.of("SECLOOP SSH brute force"),
        source=ip_address(source),
        destination=ip_address(destination),
        destination_port=port,
        protocol=Protocol.TCP,
        app_protocol="ssh",
        classification="attempted-admin",
        techniques=("T1110.001",),
        severity=1,
        count=6,
        first_seen=NOON,
        last_seen=NOON + timedelta(seconds=4),
        source_ports=6,
        to_server=True,
        handshake=True,
        flow=Flow(packets_to_server=60, packets_to_client=50, bytes_to_server=6000, bytes_to_client=5000),
    )
