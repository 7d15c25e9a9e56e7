"""A labelled flow, whichever data set it comes from, and how a row's cells are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

from secloop_ai.contracts import IPAddress, Protocol

Row = Mapping[str, str]
Reader = Callable[[Row], "LabelledFlow"]
MOST_PORT = 65535
PORTED = (Protocol.TCP, Protocol.UDP)
APPLICATIONS = {21: "ftp", 22: "ssh", 25: "smtp", 53: "dns", 80: "http", 443: "tls", 445: "smb", 8080: "http"}
"""By well-known port; the CIC files do not name the application."""


class BadRow(ValueError):  # noqa: N818 - it is the row that is bad
    """A row that lacks what a flow must have; the text names the column and repeats nothing of its content."""


class LabelledFlow(NamedTuple):
    """One flow.

    Attributes:
        start: when it began, with a time zone.
        label: the file's own word; empty for an ordinary flow.
        packets, octets: to the server and back, headers included.
    """

    start: datetime
    source: IPAddress
    source_port: int
    destination: IPAddress
    destination_port: int
    protocol: Protocol
    application: str | None
    packets: tuple[int, int]
    octets: tuple[int, int]
    label: str


class Layout(NamedTuple):
    """The columns of one kind of file.

    Attributes:
        needed: columns without which no alert can be made.
        columns: their order, where the files have no header line.
        label: column of the label.
    """

    name: str
    needed: tuple[str, ...]
    read: Reader
    label: str = "Label"
    columns: tuple[str, ...] = ()


def address(row: Row, column: str) -> IPv4Address | IPv6Address:
    """An address.

    Raises:
        BadRow: it is none.
    """
    try:
        return ip_address(row[column].strip())
    except ValueError:
        raise BadRow(f"{column} is not an address") from None


def whole(row: Row, column: str, *, most: int | None = None) -> int:
    """A whole number of at least 0, written as decimal, as ``12.0`` or in hexadecimal; nothing and ``-`` are 0.

    Raises:
        BadRow: it is none, or more than `most`.
    """
    text = row[column].strip()
    try:
        value = 0 if text in {"", "-"} else int(text, 16) if text[:2].lower() == "0x" else int(float(text))
    except (ValueError, OverflowError):
        raise BadRow(f"{column} is not a number") from None
    if value < 0 or (most is not None and value > most):
        raise BadRow(f"{column} is out of range")
    return value


def application(port: int, payload: tuple[int, int]) -> str | None:
    """The application that a port suggests, where both sides said something."""
    return APPLICATIONS.get(port) if all(payload) else None
