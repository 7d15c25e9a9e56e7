"""The members of an EVE event that decide anything, typed; every other member is skipped by the decoder.

One shape serves Suricata 5 to 8. What came when: `flow` counters and `app_proto` in 5 (in alerts), `direction` and
the flow's own addresses in 7, `tx_guessed` and `ip_v` in 7 and 8 (neither is needed).
"""

from __future__ import annotations

from typing import Annotated

import msgspec

Counter = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
PortNumber = Annotated[int, msgspec.Meta(ge=0, le=65535)]
SignatureId = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]


class FlowWire(msgspec.Struct, gc=False):
    """``flow``: counters so far; from Suricata 7 on also the initiator (`src_ip`) and the responder (`dest_ip`)."""

    pkts_toserver: Counter = 0
    pkts_toclient: Counter = 0
    bytes_toserver: Counter = 0
    bytes_toclient: Counter = 0
    src_ip: str | None = None
    dest_ip: str | None = None
    src_port: PortNumber | None = None


class AlertWire(msgspec.Struct, gc=False):
    """``alert``: the rule that fired. `metadata` and `references` stay raw until someone asks for techniques."""

    signature_id: SignatureId
    signature: str = ""
    category: str = ""
    severity: int = 3
    metadata: msgspec.Raw = msgspec.Raw()
    references: msgspec.Raw = msgspec.Raw()


class EventWire(msgspec.Struct, gc=False):
    """One EVE line. Only `event_type` is demanded here; what an alert needs beyond is checked with better words.

    `dns`, `tls` and `http` stay raw: names are read out of them (domains.py); whatever else they are spoils nothing.
    """

    event_type: str
    timestamp: str | None = None
    flow_id: int | None = None
    src_ip: str | None = None
    src_port: PortNumber | None = None
    dest_ip: str | None = None
    dest_port: PortNumber | None = None
    proto: str | int | None = None
    app_proto: str | None = None
    direction: str | None = None
    tx_id: int | None = None
    stream: int | None = None
    alert: AlertWire | None = None
    flow: FlowWire | None = None
    dns: msgspec.Raw = msgspec.Raw()
    tls: msgspec.Raw = msgspec.Raw()
    http: msgspec.Raw = msgspec.Raw()


class TypeWire(msgspec.Struct):
    """The event's type alone, for a line whose other members are not as expected."""

    event_type: str


EVENT: msgspec.json.Decoder[EventWire] = msgspec.json.Decoder(EventWire)
TYPE: msgspec.json.Decoder[TypeWire] = msgspec.json.Decoder(TypeWire)
