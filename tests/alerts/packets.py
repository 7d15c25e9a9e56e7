"""Packets and conversations as pcap files, made byte by byte."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from pathlib import Path

SYN, SYN_ACK, ACK, PUSH, RST = 0x02, 0x12, 0x10, 0x18, 0x04
_ETHERNET = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02\x08\0"


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source: str, destination: str, protocol: int, payload: bytes) -> bytes:
    """An IPv4 packet."""
    ends = IPv4Address(source).packed + IPv4Address(destination).packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 7, 0, 64, protocol, 0)
    return head[:10] + struct.pack("!H", checksum(head + ends)) + ends + payload


def icmp_unreachable(source: str, destination: str, quoted: bytes) -> bytes:
    """Host unreachable, quoting a packet."""
    body = struct.pack("!BBHI", 3, 1, 0, 0) + quoted
    return ipv4(source, destination, 1, body[:2] + struct.pack("!H", checksum(body)) + body[4:])


class Talk:
    """One TCP connection as seen on the wire."""

    def __init__(self, client: str, client_port: int, server: str, server_port: int) -> None:
        self.client, self.server = (client, client_port), (server, server_port)
        self.packets: list[bytes] = []
        self.sent, self.back = 1001, 9001

    def tcp(self, *, up: bool, flags: int, seq: int, ack: int, data: bytes = b"") -> bytes:
        """A segment in either direction."""
        (source, source_port), (target, port) = (self.client, self.server) if up else (self.server, self.client)
        head = struct.pack("!HHIIBBHHH", source_port, port, seq, ack, 0x50, flags, 65000, 0, 0)
        pseudo = IPv4Address(source).packed + IPv4Address(target).packed
        pseudo += struct.pack("!BBH", 0, 6, len(head) + len(data))
        total = checksum(pseudo + head + data)
        return ipv4(source, target, 6, head[:16] + struct.pack("!H", total) + head[18:] + data)

    def put(self, *, up: bool, flags: int, seq: int, ack: int, data: bytes = b"") -> None:
        """Send a segment."""
        self.packets.append(self.tcp(up=up, flags=flags, seq=seq, ack=ack, data=data))

    def open(self) -> None:
        """SYN, SYN/ACK, ACK."""
        self.put(up=True, flags=SYN, seq=1000, ack=0)
        self.put(up=False, flags=SYN_ACK, seq=9000, ack=1001)
        self.put(up=True, flags=ACK, seq=1001, ack=9001)

    def say(self, data: bytes) -> None:
        """Data to the server, acknowledged."""
        self.put(up=True, flags=PUSH, seq=self.sent, ack=self.back, data=data)
        self.sent += len(data)
        self.put(up=False, flags=ACK, seq=self.back, ack=self.sent)

    def hear(self, data: bytes) -> None:
        """Data to the client, acknowledged."""
        self.put(up=False, flags=PUSH, seq=self.back, ack=self.sent, data=data)
        self.back += len(data)
        self.put(up=True, flags=ACK, seq=self.sent, ack=self.back)


def save(path: Path, packets: list[bytes]) -> Path:
    """A pcap file, ten milliseconds from packet to packet."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)]
    for number, packet in enumerate(packets):
        frame = _ETHERNET + packet
        out.append(struct.pack("<IIII", 1_700_000_000 + number // 100, number % 100 * 10_000, len(frame), len(frame)))
        out.append(frame)
    path.write_bytes(b"".join(out))
    return path
