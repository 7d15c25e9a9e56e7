"""An MQTT 3.1.1 broker that passes nothing on: who subscribes to a topic of the table gets that topic's one message.

Run as a file of its own; the one argument is its configuration: ``address``, ``port``, ``topics`` (beginning of a topic
→ the message for who subscribes to it).
"""

from __future__ import annotations

import json
import socketserver
import struct
import sys
from pathlib import Path
from typing import Any, ClassVar

CONNECT, PUBLISH, SUBSCRIBE, PING, DISCONNECT = 1, 3, 8, 12, 14
IDLE_S = 20.0
MOST_PACKETS = 200
MOST_BYTES = 16 * 1024


class Session(socketserver.StreamRequestHandler):
    """One client."""

    table: ClassVar[dict[str, Any]]
    timeout = IDLE_S

    def handle(self) -> None:
        """Answer its packets, at most `MOST_PACKETS`."""
        try:
            for _ in range(MOST_PACKETS):
                head = self.rfile.read(1)
                if not head or (size := self._length()) > MOST_BYTES:
                    return
                body = self.rfile.read(size)
                if head[0] >> 4 == DISCONNECT:
                    return
                self._answer(head[0] >> 4, body)
        except OSError:
            return  # the peer's affair

    def _length(self) -> int:
        total = 0
        for shift in (0, 7, 14, 21):
            part = (self.rfile.read(1) or b"\0")[0]
            total |= (part & 127) << shift
            if part < 128:  # noqa: PLR2004 - the last byte
                break
        return total

    def _answer(self, kind: int, body: bytes) -> None:
        if kind == CONNECT:
            self.wfile.write(bytes([0x20, 2, 0, 0]))
        elif kind == PING:
            self.wfile.write(bytes([0xD0, 0]))
        elif kind == SUBSCRIBE and len(body) > 4:  # noqa: PLR2004 - packet id and a length
            self.wfile.write(bytes([0x90, 3]) + body[:2] + b"\0")
            size = struct.unpack("!H", body[2:4])[0]
            self._publish(body[4 : 4 + size].decode("latin-1"))

    def _publish(self, topic: str) -> None:
        for beginning, text in self.table["topics"].items():
            if topic.startswith(beginning):
                name = beginning.encode("latin-1") + b"now"
                packet = struct.pack("!H", len(name)) + name + text.encode("latin-1")[:100]
                self.wfile.write(bytes([PUBLISH << 4, len(packet)]) + packet)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each client."""

    allow_reuse_address = True
    daemon_threads = True


def main() -> None:
    """Serve."""
    Session.table = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with Server((Session.table["address"], Session.table["port"]), Session) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
