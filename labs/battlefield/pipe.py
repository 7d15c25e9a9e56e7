"""Joins standard input and output to a TCP port inside a network namespace: an SSH client's ProxyCommand.

Run as ``python -I -S pipe.py NETNS ADDRESS PORT``; standard library alone.
"""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import threading

CLONE_NEWNET = 0x40000000
CONNECT_S = 10.0
PIECE = 65536


def outwards(connection: socket.socket) -> None:
    """From standard input to the port."""
    while piece := os.read(0, PIECE):
        connection.sendall(piece)
    connection.shutdown(socket.SHUT_WR)


def main() -> None:
    """Join until either side ends."""
    netns, address, port = sys.argv[1:4]
    handle = os.open(f"/run/netns/{netns}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
        sys.exit(f"{netns}: {os.strerror(ctypes.get_errno())}")
    with socket.create_connection((address, int(port)), timeout=CONNECT_S) as connection:
        connection.settimeout(None)
        threading.Thread(target=outwards, args=(connection,), daemon=True).start()
        while piece := connection.recv(PIECE):
            os.write(1, piece)


if __name__ == "__main__":
    main()
