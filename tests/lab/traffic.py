"""Real traffic between the lab's hosts, from this process."""

from __future__ import annotations

import socket
import time
from ipaddress import ip_address
from typing import NamedTuple

from labs.lab import Lab
from labs.lab.netns import socket_in

BLOCKED_AFTER_S = 0.4
PIECE = bytes(1000)


class Received(NamedTuple):
    """What came through, and the seconds in which it was sent."""

    size_bytes: int
    seconds: float


def reaches(lab: Lab, host: str, address: str, port: int) -> bool:
    """Whether a TCP connection from the host comes about."""
    return lab.can_serve(host, address, port, timeout_s=BLOCKED_AFTER_S)


def udp(lab: Lab, host: str, address: str) -> socket.socket:
    """An unbound UDP socket of a host, for the IP version of the address."""
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6
    return socket_in(lab.netns(host), family, socket.SOCK_DGRAM)


def flooded(lab: Lab, server: str, address: str, port: int, *, seconds: float = 1.5) -> Received:
    """The attacker sends to a UDP port of the server for that long; what arrives."""
    with udp(lab, server, address) as sink, udp(lab, "attacker", address) as sender:
        sink.bind((address, port))
        sink.setblocking(False)
        begun, total = time.monotonic(), 0
        while time.monotonic() - begun < seconds:
            sender.sendto(PIECE, (address, port))
            try:
                total += len(sink.recv(2000))
            except BlockingIOError:
                time.sleep(0.0005)
        return Received(total, time.monotonic() - begun)


class Exchange(NamedTuple):
    """What became of a request and of its answer."""

    arrived: bool
    answered: bool


def exchange(lab: Lab, server: str, address: str, port: int) -> Exchange:
    """The attacker sends one UDP packet to the server, which answers it."""
    with udp(lab, server, address) as serving, udp(lab, "attacker", address) as asking:
        serving.bind((address, port))
        for one in (serving, asking):
            one.settimeout(BLOCKED_AFTER_S)
        asking.sendto(b"request", (address, port))
        try:
            _, back = serving.recvfrom(100)
        except TimeoutError:
            return Exchange(arrived=False, answered=False)
        serving.sendto(b"answer", back)
        try:
            return Exchange(arrived=True, answered=asking.recv(100) == b"answer")
        except TimeoutError:
            return Exchange(arrived=True, answered=False)
