"""Sockets inside a network namespace, without starting a process there."""

from __future__ import annotations

import ctypes
import os
import socket
import threading
from collections.abc import Callable
from ipaddress import ip_address

from secloop_ai.contracts.errors import LabError

from .processes import NETNS_DIR

CLONE_NEWNET = 0x40000000


def socket_in(namespace: str, family: socket.AddressFamily, kind: socket.SocketKind) -> socket.socket:
    """A socket of that namespace; it stays there wherever it is used. Needs root.

    Raises:
        LabError: there is no such namespace, or it may not be entered.
    """
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def make() -> None:
        # setns moves this thread alone, and the thread ends here
        try:
            enter(namespace)
            made.append(socket.socket(family, kind))
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if failed:
        raise LabError(f"namespace {namespace}: {failed[0].strerror}") from failed[0]
    return made[0]


def enter(namespace: str) -> None:
    """Move the calling thread, and no other, into the network namespace for good.

    Raises:
        OSError: there is none of that name, or it may not be entered.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with (NETNS_DIR / namespace).open("rb") as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def connect_from(namespace: str, address: str, port: int, timeout_s: float) -> socket.socket:
    """A TCP connection that starts in the namespace.

    Raises:
        LabError: there is no such namespace.
        OSError: nobody answers there within `timeout_s`, or the connection is refused.
    """
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6  # noqa: PLR2004 - the IP version
    connection = socket_in(namespace, family, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect((address, port))
    except OSError:
        connection.close()
        raise
    return connection


def can_connect(namespace: str, address: str, port: int, timeout_s: float) -> bool:
    """Whether a TCP connection from the namespace comes about within `timeout_s` seconds."""
    try:
        connect_from(namespace, address, port, timeout_s).close()
    except OSError:
        return False
    return True


def run_in(namespace: str, action: Callable[[], None]) -> None:
    """Do something inside the namespace, in a thread that goes there and ends.

    Raises:
        LabError: there is no such namespace, or what the action raised (an OSError as a LabError).
    """
    failed: list[OSError | LabError] = []

    def go() -> None:
        try:
            enter(namespace)
            action()
        except (OSError, LabError) as error:
            failed.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    for error in failed:
        if isinstance(error, LabError):
            raise error
        raise LabError(f"namespace {namespace}: {error.filename or ''} {error.strerror}") from error
