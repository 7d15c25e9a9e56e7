"""Does an alert prove that its addresses are real?

A three-way handshake proves the client's address: the SYN/ACK went there, and only who read it can acknowledge it.
An EVE alert has no field that says so, hence this rule. It was checked with Suricata 7.0.10 on packets made for it
(`tests/alerts/test_sensor.py`). An alert is proven when ALL of these hold:

1. TCP. UDP and ICMP have no handshake.
2. An application protocol. Suricata looks for one only in data of an established stream. A blind spoofer's SYN, ACK
   (with a wrong acknowledgement number) and data never get one, however many packets the server answers.
   ``failed`` (data was seen, no protocol known) is taken with the server's payload on top, see
   :func:`_server_sent_payload`. ``ftp-data`` is not taken: Suricata expects it from the control channel's words, before
   any handshake.
3. Flow counters both ways: two packets to the server, one back.
4. The event's addresses are the flow's, where the flow names them. They differ when an ``X-Forwarded-For`` header,
   which the client writes, has overwritten the source.

What is NOT evidence: flow counters alone. An ICMP error from any address that quotes the flow is counted as its
traffic: twelve forged ones made 7 kB "to client" on a flow that had seen one SYN.

What remains: a forged packet that guesses the ports of a live connection gets that connection's app_proto and counters
when a rule looks at single packets. With `require_stream` an alert counts as proven only when it came from the
reassembled stream or a parsed transaction, which takes the right sequence number too. Rules on app-layer keywords
(``ssh.software``, ``http.uri``) give that; a banner match on the packet does not. And the sensor must run with the
defaults of Suricata, ``stream.midstream`` and ``stream.async-oneside`` off, and ingress filtering must keep packets
that pretend to come from the guarded servers away from it.
"""

from __future__ import annotations

from secloop_ai.contracts import Protocol

from .addresses import same_ends
from .wire import EventWire, FlowWire

HEADERS_ONLY_BYTES = 122
"""The largest frame without payload: Ethernet 14, two VLAN tags 8, IPv6 40, TCP with all options 60 bytes."""

_LEAST_TO_SERVER = 2  # SYN and ACK
_LEAST_TO_CLIENT = 1  # SYN/ACK
_NOT_PROVING = frozenset({"", "failed", "unknown", "ftp-data"})


def completed(event: EventWire, protocol: Protocol, *, require_stream: bool = False) -> bool:
    """Whether the event proves a completed handshake between its two addresses.

    Args:
        event: the alert event.
        protocol: its transport protocol.
        require_stream: also demand that the alert did not come from a single packet.
    """
    flow = event.flow
    if protocol is not Protocol.TCP or flow is None or event.app_proto is None:
        return False
    if flow.pkts_toserver < _LEAST_TO_SERVER or flow.pkts_toclient < _LEAST_TO_CLIENT or not same_ends(event):
        return False
    if event.app_proto in _NOT_PROVING and not (event.app_proto == "failed" and _server_sent_payload(event, flow)):
        return False
    return not require_stream or _in_stream(event)


def _in_stream(event: EventWire) -> bool:
    """The alert came from the reassembled stream or a transaction (`stream` is there when payloads are logged)."""
    return event.tx_id is not None or event.stream == 1


def _server_sent_payload(event: EventWire, flow: FlowWire) -> bool:
    """More came back than SYN/ACKs, ACKs and RSTs can make up, or the sensor matched in the stream."""
    return event.stream == 1 or flow.bytes_toclient > HEADERS_ONLY_BYTES * flow.pkts_toclient
