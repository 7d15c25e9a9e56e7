"""An SNMP agent (v1 and v2c) with a dozen objects; a wrong community gets no answer, as the protocol has it.

Run as a file of its own; the one argument is its configuration: ``address``, ``port``, ``readers`` (community → what it
finds as system contact) and ``writers`` (community → what comes back as the value of a set, which changes nothing).
"""

from __future__ import annotations

import json
import socketserver
import sys
from pathlib import Path
from typing import Any, ClassVar

INTEGER, TEXT, NULL, OID, SEQUENCE = 0x02, 0x04, 0x05, 0x06, 0x30
GET, GET_NEXT, RESPONSE, SET = 0xA0, 0xA1, 0xA2, 0xA3
END_OF_VIEW, NO_SUCH_OBJECT = bytes([0x82, 0]), bytes([0x80, 0])
SYSTEM = bytes([0x2B, 6, 1, 2, 1, 1])
CONTACT = SYSTEM + bytes([4, 0])
MOST_NAMES = 16


class Malformed(Exception):  # noqa: N818 - what the datagram is
    """No SNMP."""


def tlv(tag: int, body: bytes) -> bytes:
    """One BER element."""
    size = len(body)
    if size < 0x80:  # noqa: PLR2004 - BER's short form
        return bytes([tag, size]) + body
    return bytes([tag, 0x82, size >> 8, size & 255]) + body


def take(data: bytes, want: int | None = None) -> tuple[int, bytes, bytes]:
    """The first element: tag, body, and what follows it.

    Raises:
        Malformed: it is cut off, too long, or has another tag.
    """
    if len(data) < 2 or (want is not None and data[0] != want):  # noqa: PLR2004 - tag and length
        raise Malformed
    size, at = data[1], 2
    if size & 0x80:
        count = size & 0x7F
        if not 0 < count <= 2:  # noqa: PLR2004 - a datagram needs no more
            raise Malformed
        size, at = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    if at + size > len(data):
        raise Malformed
    return data[0], data[at : at + size], data[at + size :]


class Agent:
    """What it knows."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.readers: dict[str, str] = config["readers"]
        self.writers: dict[str, str] = config["writers"]
        words = {1: "A gateway of the house", 3: "", 4: "", 5: "gateway", 6: "cellar"}
        self.objects = {SYSTEM + bytes([n, 0]): w for n, w in words.items()}
        self.objects |= {bytes([0x2B, 6, 1, 2, 1, 2, 2, 1, 2, n]): f"port {n}" for n in range(1, 25)}

    def reply(self, datagram: bytes) -> bytes:
        """The answer; nothing to a stranger.

        Raises:
            Malformed: it is no SNMP message.
        """
        _, message, _ = take(datagram, SEQUENCE)
        _, version, rest = take(message, INTEGER)
        _, community, rest = take(rest, TEXT)
        kind, request, _ = take(rest)
        name = community.decode("latin-1")
        if (kind == SET and name not in self.writers) or (kind in (GET, GET_NEXT) and name not in self.readers):
            return b""
        if kind not in (GET, GET_NEXT, SET):
            return b""
        body = self._response(kind, name, request)
        return tlv(SEQUENCE, tlv(INTEGER, version) + tlv(TEXT, community) + tlv(RESPONSE, body))

    def _response(self, kind: int, community: str, request: bytes) -> bytes:
        _, ident, rest = take(request, INTEGER)
        for _ in range(2):
            _, _, rest = take(rest, INTEGER)
        _, names, _ = take(rest, SEQUENCE)
        found = b""
        for _ in range(MOST_NAMES):
            if not names:
                break
            _, pair, names = take(names, SEQUENCE)
            _, oid, _ = take(pair, OID)
            found += tlv(SEQUENCE, self._binding(kind, community, oid))
        return tlv(INTEGER, ident) + tlv(INTEGER, b"\0") * 2 + tlv(SEQUENCE, found)

    def _binding(self, kind: int, community: str, oid: bytes) -> bytes:
        if kind == SET:
            return tlv(OID, oid) + tlv(TEXT, self.writers[community].encode())
        if kind == GET_NEXT:
            later = min((o for o in self.objects if o > oid), default=None)
            return tlv(OID, oid) + END_OF_VIEW if later is None else self._value(community, later)
        return self._value(community, oid) if oid in self.objects else tlv(OID, oid) + NO_SUCH_OBJECT

    def _value(self, community: str, oid: bytes) -> bytes:
        text = self.readers[community] if oid == CONTACT else self.objects[oid]
        return tlv(OID, oid) + tlv(TEXT, text.encode())


class Datagram(socketserver.BaseRequestHandler):
    """One request."""

    agent: ClassVar[Agent]

    def handle(self) -> None:
        """Answer it, if there is an answer."""
        data, channel = self.request
        try:
            answer = self.agent.reply(data)
        except Malformed:
            return
        if answer:
            channel.sendto(answer, self.client_address)


def main() -> None:
    """Serve."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Datagram.agent = Agent(config)
    socketserver.UDPServer((config["address"], config["port"]), Datagram).serve_forever()


if __name__ == "__main__":
    main()
