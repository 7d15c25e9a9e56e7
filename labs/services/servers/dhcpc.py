"""A host that wants an address: it listens for offers and, where it trusts any server, asks the offering one for it.

It configures nothing. Run as a file of its own; the one argument is its configuration: ``address``, ``port``,
``trusts`` (the host name it sends with its request; empty: it answers nobody).
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

REPLY, FIXED, COOKIE = 2, 236, b"\x63\x82\x53\x63"
REQUEST, HOST_NAME, MESSAGE, END = 3, 12, 53, 255
OFFER_OPTION = bytes([MESSAGE, 1, 2])


def request(offer: bytes, name: str) -> bytes:
    """The request that accepts an offer; nothing when it is none."""
    if len(offer) < FIXED + 8 or offer[0] != REPLY or offer[FIXED : FIXED + 4] != COOKIE or OFFER_OPTION not in offer:
        return b""
    text = name.encode("latin-1")[:63]
    options = bytes([MESSAGE, 1, REQUEST, HOST_NAME, len(text)]) + text + bytes([END])
    return bytes([1]) + offer[1:FIXED] + COOKIE + options


def main() -> None:
    """Listen, one datagram after the other."""
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind((config["address"], config["port"]))
        while True:
            offer, server = own.recvfrom(2048)
            answer = request(offer, config["trusts"]) if config["trusts"] else b""
            if answer:
                own.sendto(answer, server)


if __name__ == "__main__":
    main()
