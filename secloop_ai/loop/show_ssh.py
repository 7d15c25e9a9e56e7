"""A device's command line over SSH: one command a channel, its output as text. Nothing is configured by it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import paramiko
from pydantic import SecretStr

from secloop_ai.contracts import ConnectError, Connection, Device
from secloop_ai.netconf.ssh import algorithms, authenticate, check_host_key, known_hosts, known_keys

OPERATION = "show"
READ_BYTES = 65536
LIMIT_BYTES = 8 << 20
"""More than this no ACL says."""


def run_commands(device: Device, password: SecretStr | None, commands: Iterable[str]) -> tuple[str, ...]:
    """What the device prints for each command, in order.

    Each has a connection of its own: several systems take one command each.

    Raises:
        ConnectError: not reachable, the host key is not the known one, the login refused, or no end within the
            connection's time limit.
    """
    where = device.connection.model_copy(update={"port": device.cli_port})
    return tuple(_run(device.name, where, password, command) for command in commands)


def _run(name: str, where: Connection, password: SecretStr | None, command: str) -> str:
    try:
        with _channel(where, password) as channel:
            channel.exec_command(command)
            channel.shutdown_write()
            return _read(channel, time.monotonic() + where.timeout_s)
    except (OSError, paramiko.SSHException) as error:
        reason = str(error) or type(error).__name__
        raise ConnectError(f"'{command}' on port {where.port}: {reason}", device=name, operation=OPERATION) from error


@contextmanager
def _channel(where: Connection, password: SecretStr | None) -> Iterator[paramiko.Channel]:
    """A session channel on a connection to a device whose host key is the known one."""
    known = known_keys(known_hosts(where), where) if where.verify_host_key else {}
    link = socket.create_connection((where.address, where.port), timeout=where.timeout_s)
    try:
        transport = paramiko.Transport(link)
    except BaseException:
        link.close()
        raise
    try:
        options = transport.get_security_options()
        options.key_types = algorithms(known, tuple(options.key_types))
        transport.start_client(timeout=where.timeout_s)
        if where.verify_host_key:
            check_host_key(transport.get_remote_server_key(), known, where)
        authenticate(transport, where, password)
        channel = transport.open_session(timeout=where.timeout_s)
        channel.settimeout(where.timeout_s)
        yield channel
    finally:
        transport.close()
        link.close()


def _read(channel: paramiko.Channel, until: float) -> str:
    """Everything up to the end.

    Raises:
        TimeoutError: no end in time, or more than any ACL could say.
    """
    parts: list[bytes] = []
    size = 0
    while part := channel.recv(READ_BYTES):
        parts.append(part)
        size += len(part)
        if size > LIMIT_BYTES or time.monotonic() > until:
            raise TimeoutError(f"no end after {size} bytes")
    return b"".join(parts).decode(errors="replace").replace("\r", "")
