"""Offers an address to a host as a DHCP server would, and prints what it asks for.

Arguments: own address, host, times.
"""

from __future__ import annotations

import socket
import struct
import sys

WAIT_S = 0.5
COOKIE = b"\x63\x82\x53\x63"


def offer(own: bytes, number: int) -> bytes:
    """A DHCPOFFER of the documentation network, with this machine as gateway and name server."""
    head = struct.pack("!BBBBIHH", 2, 1, 6, 0, 0x5EC10000 + number, 0, 0)
    fields = bytes(4) + bytes([198, 51, 100, 77]) + own + bytes(4) + bytes(16) + bytes(192)
    options = bytes([53, 1, 2, 54, 4]) + own + bytes([3, 4]) + own + bytes([6, 4]) + own + bytes([255])
    return head + fields + COOKIE + options


def main() -> None:
    """Offer, and listen after each."""
    own, host, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((own, 67))
        server.settimeout(WAIT_S)
        for number in range(min(times, 20)):
            try:
                server.sendto(offer(socket.inet_aton(own), number), (host, 68))
                asked, _ = server.recvfrom(2048)
            except OSError:
                continue
            print("".join(chr(c) if 32 <= c < 127 else "." for c in asked[240:]))  # noqa: T201, PLR2004 - printable


if __name__ == "__main__":
    main()
