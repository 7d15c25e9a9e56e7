"""A DNS server with one zone, over UDP and TCP; also the far end of a tunnel: it counts what comes as names.

Run as a file of its own; the one argument is its configuration: ``address``, ``port``, ``zone``, ``answer`` (the
address given for every name of the zone) and ``loot``: by weakness, the canary of ``dns-axfr`` (zone transfer),
``reflection`` (an ANY answer many times the question), ``dns-tunnel`` and ``exfil-dns`` (TXT answers to long labels),
``dns-hijack`` (a stranger's dynamic update moves the one name ``intranet``), ``dos-flood`` (each question takes long
and few may wait). ``etc`` holds the host's settings: like dnsmasq it answers names of ``address=/NAME/ADDRESS`` in
``dnsmasq.d/*.conf`` with those addresses, but reads them anew when the folder has changed.
"""

from __future__ import annotations

import json
import socket
import socketserver
import struct
import sys
import threading
import time
from collections import Counter
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar

A, SOA, TXT, AAAA, AXFR, ANY = 1, 6, 16, 28, 252, 255
NO_ERROR, FORMAT_ERROR, REFUSED = 0, 1, 5
UPDATE = 5
MOVABLE = "intranet."
HEADER = 12
IPV4 = 4
LONG_LABEL = 40
MOST_PEERS = 1000
PADDING = 12
IDLE_S = 10.0
ROOM, LITTLE_ROOM = 1 << 20, 8192
SLOW_S = 0.006
SETTLED_NS = 50_000_000


class Sinks:
    """Names that the host's settings lead elsewhere, with all below them."""

    def __init__(self, etc: str) -> None:
        self.folder = Path(etc, "dnsmasq.d") if etc else None
        self.read_ns = 0
        self.names: dict[str, list[tuple[int, bytes]]] = {}

    def addresses(self, name: str) -> list[tuple[int, bytes]]:
        """Type and data of the records that stand for the name; empty where it is nobody's."""
        self._refresh()
        labels = name.split(".")
        parents = (".".join(labels[n:]) for n in range(len(labels)))
        return next((self.names[parent] for parent in parents if parent in self.names), []) if self.names else []

    def _refresh(self) -> None:
        try:
            changed_ns = self.folder.stat().st_mtime_ns if self.folder else 0
        except OSError:
            changed_ns = 0
        if changed_ns != self.read_ns:
            self.names = self._read()
            # a folder that changed just now may change once more within the same tick of its clock
            self.read_ns = changed_ns if time.time_ns() - changed_ns > SETTLED_NS else -1

    def _read(self) -> dict[str, list[tuple[int, bytes]]]:
        found: dict[str, list[tuple[int, bytes]]] = {}
        for path in sorted(self.folder.glob("*.conf")) if self.folder else ():
            for line in path.read_text(encoding="utf-8").splitlines():
                head, _, rest = line.strip().partition("=/")
                name, _, address = rest.partition("/")
                if head == "address" and name:
                    data = ip_address(address).packed
                    found.setdefault(name.lower(), []).append((A if len(data) == IPV4 else AAAA, data))
        return found


class Zone:
    """What the server knows and has counted."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.name = config["zone"]
        self.address = ip_address(config["answer"]).packed
        self.loot: dict[str, str] = config["loot"]
        self.needs = int(config["needs_names"])
        self.seen: Counter[str] = Counter()
        self.moved: bytes | None = None
        self.sinks = Sinks(config["etc"])

    def reply(self, query: bytes, peer: str, *, stream: bool) -> bytes:
        """The answer to one query; nothing when it is no query."""
        if len(query) < HEADER:
            return b""
        ident, flags, questions = struct.unpack("!HHH", query[:6])
        if flags >> 11 & 15 == UPDATE:
            return struct.pack("!6H", ident, 0x8000 | UPDATE << 11 | self._update(query), 0, 0, 0, 0)
        name, end = _name(query)
        if flags & 0x8000 or questions != 1 or end + 4 > len(query):
            return struct.pack("!6H", ident, 0x8000 | FORMAT_ERROR, 0, 0, 0, 0)
        kind = struct.unpack("!H", query[end : end + 2])[0]
        code, answers = self._answers(name, kind, peer, stream=stream)
        head = struct.pack("!6H", ident, 0x8400 | (flags & 0x0100) | code, 1, len(answers), 0, 0)
        return head + query[HEADER : end + 4] + b"".join(answers)

    def _answers(self, name: str, kind: int, peer: str, *, stream: bool) -> tuple[int, list[bytes]]:
        if sunk := self.sinks.addresses(name):
            return NO_ERROR, [_record(kind, data) for number, data in sunk if number == kind]
        if kind == AXFR:
            return self._transfer(stream=stream)
        if kind == ANY:
            return self._everything()
        if self.moved and name.startswith(MOVABLE):
            return NO_ERROR, [_record(A, self.moved) if kind == A else _record(TXT, _text(self.loot["dns-hijack"]))]
        if kind == TXT:
            return NO_ERROR, [_record(TXT, _text(self._tunnelled(name, peer)))]
        self._tunnelled(name, peer)
        return NO_ERROR, [_record(A, self.address)]

    def _update(self, query: bytes) -> int:
        # an update of one A record ends in its data: a length of four, and the address
        if "dns-hijack" not in self.loot or query[-6:-4] != b"\x00\x04":
            return REFUSED
        self.moved = query[-4:]
        return NO_ERROR

    def _transfer(self, *, stream: bool) -> tuple[int, list[bytes]]:
        canary = self.loot.get("dns-axfr")
        if canary is None or not stream:
            return REFUSED, []
        soa = _record(SOA, b"\x00\x00" + struct.pack("!5I", 1, 3600, 600, 86400, 60))
        return NO_ERROR, [soa, _record(A, self.address), _record(TXT, _text(canary)), soa]

    def _everything(self) -> tuple[int, list[bytes]]:
        canary = self.loot.get("reflection")
        if canary is None:
            return REFUSED, []
        return NO_ERROR, [_record(TXT, _text(canary))] + [_record(TXT, _text("x" * 90))] * PADDING

    def _tunnelled(self, name: str, peer: str) -> str:
        if len(name.partition(".")[0]) < LONG_LABEL:
            return "v=spf1 -all"
        if len(self.seen) < MOST_PEERS:
            self.seen[peer] += 1
        means = next((m for m in ("dns-tunnel", "exfil-dns") if m in self.loot), None)
        return self.loot[means] if means and self.seen[peer] >= self.needs else "more"


def _name(query: bytes) -> tuple[str, int]:
    labels, at = [], HEADER
    while at < len(query) and 0 < query[at] < 64:  # noqa: PLR2004 - longer is a pointer
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1").lower())
        at += 1 + query[at]
    return ".".join(labels), at + 1


def _record(kind: int, data: bytes) -> bytes:
    """A record of the name that was asked for."""
    return struct.pack("!HHHIH", 0xC00C, kind, 1, 60, len(data)) + data


def _text(text: str) -> bytes:
    raw = text.encode("latin-1")[:255]
    return bytes([len(raw)]) + raw


class Datagram(socketserver.BaseRequestHandler):
    """One query over UDP."""

    zone: ClassVar[Zone]

    def handle(self) -> None:
        """Answer it."""
        query, channel = self.request
        if "dos-flood" in self.zone.loot:
            time.sleep(SLOW_S)
        channel.sendto(self.zone.reply(query, self.client_address[0], stream=False), self.client_address)


class Stream(socketserver.StreamRequestHandler):
    """Queries over TCP."""

    timeout = IDLE_S

    def handle(self) -> None:
        """Answer each, at most ten."""
        try:
            for _ in range(10):
                size = self.rfile.read(2)
                if len(size) < 2:  # noqa: PLR2004 - two bytes of length
                    return
                query = self.rfile.read(struct.unpack("!H", size)[0])
                answer = Datagram.zone.reply(query, self.client_address[0], stream=True)
                self.wfile.write(struct.pack("!H", len(answer)) + answer)
        except OSError:
            return  # the peer's affair


class StreamServer(socketserver.ThreadingTCPServer):
    """TCP side."""

    allow_reuse_address = True
    daemon_threads = True


class DatagramServer(socketserver.UDPServer):
    """UDP side."""

    def server_bind(self) -> None:
        """With room for a burst, unless weak."""
        room = LITTLE_ROOM if "dos-flood" in Datagram.zone.loot else ROOM
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        super().server_bind()


def main() -> None:
    """Serve."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    Datagram.zone = Zone(config)
    place = (config["address"], config["port"])
    stream = StreamServer(place, Stream)
    threading.Thread(target=stream.serve_forever, daemon=True).start()
    DatagramServer(place, Datagram).serve_forever()


if __name__ == "__main__":
    main()
