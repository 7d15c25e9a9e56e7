"""SSH beneath a session: which host key is trusted, and how the user is authenticated."""

from __future__ import annotations

import base64
import getpass
import hashlib
import threading
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import paramiko
from pydantic import SecretStr

from secloop_ai.contracts import Connection

SSH_PORT = 22
USER_KNOWN_HOSTS = "~/.ssh/known_hosts"
RSA_ALGORITHMS = ("rsa-sha2-512", "rsa-sha2-256")
Attempt = tuple[str, Callable[[], object]]
_READING = threading.Lock()


class HostKeyError(paramiko.SSHException):  # type: ignore[misc]  # paramiko has no types
    """The device's host key is unknown, or not the one that is known."""


class KeyFileError(paramiko.AuthenticationException):  # type: ignore[misc]  # paramiko has no types
    """The private key cannot be used."""


def known_hosts(where: Connection) -> paramiko.HostKeys:
    """The host keys to trust: of the connection's own file, or the user's.

    Raises:
        HostKeyError: the file that the inventory names cannot be read.
    """
    path = Path(where.known_hosts or USER_KNOWN_HOSTS).expanduser()
    if not (where.known_hosts or path.exists()):
        return paramiko.HostKeys()
    try:
        stamp = path.stat()
        with _READING:  # a fleet connects from many threads at once
            return _keys_in(str(path), stamp.st_mtime_ns, stamp.st_size)
    except (OSError, UnicodeDecodeError, paramiko.hostkeys.InvalidHostKey) as error:
        raise HostKeyError(f"known_hosts file {path} cannot be read: {error}") from error


@lru_cache(maxsize=8)
def _keys_in(path: str, modified_ns: int, size: int) -> paramiko.HostKeys:
    """The keys of a file as it was then: it has a line per device, and is the same for all of a fleet."""
    del modified_ns, size
    keys = paramiko.HostKeys()
    keys.load(path)
    return keys


def host_name(where: Connection) -> str:
    """The device's name in a known_hosts file."""
    return where.address if where.port == SSH_PORT else f"[{where.address}]:{where.port}"


def known_keys(keys: paramiko.HostKeys, where: Connection) -> dict[str, paramiko.PKey]:
    """Key type → key, for the device's name with and without its port."""
    found: dict[str, paramiko.PKey] = {}
    for name in (where.address, host_name(where)):
        found.update(keys.lookup(name) or {})
    return found


def algorithms(known: dict[str, paramiko.PKey], offered: tuple[str, ...]) -> tuple[str, ...]:
    """Host key algorithms in order of preference: those whose key we know first, so that it is the one we are shown."""
    wanted = [a for name in known for a in (RSA_ALGORITHMS if name == "ssh-rsa" else (name,)) if a in offered]
    return (*wanted, *(a for a in offered if a not in wanted))


def check_host_key(shown: paramiko.PKey, known: dict[str, paramiko.PKey], where: Connection) -> None:
    """Refuse a host key that is not the known one.

    Raises:
        HostKeyError: says whether it is unknown or changed, and its fingerprint as OpenSSH writes it.
    """
    expected = known.get(shown.get_name())
    if expected is not None and expected.asbytes() == shown.asbytes():
        return
    digest = base64.b64encode(hashlib.sha256(shown.asbytes()).digest()).decode().rstrip("=")
    label = f"host key {shown.get_name()} SHA256:{digest} of {host_name(where)}"
    source = where.known_hosts or USER_KNOWN_HOSTS
    if expected is None:
        raise HostKeyError(f"{label} is not in {source}")
    raise HostKeyError(f"{label} is not the one in {source}: it has changed, or somebody sits in between")


def authenticate(transport: paramiko.Transport, where: Connection, password: SecretStr | None) -> None:
    """Log in with the key file, else the agent; then with the password, if there is one.

    Raises:
        paramiko.AuthenticationException: every way was refused; names the ways, never a secret.
        paramiko.SSHException: the connection broke.
    """
    user = where.user or getpass.getuser()
    tried = []
    for label, attempt in _attempts(transport, user, where, password):
        try:
            attempt()
        except KeyFileError as error:
            tried.append(str(error))
        except paramiko.AuthenticationException:
            tried.append(label)
        else:
            if transport.is_authenticated():
                return
            tried.append(f"{label} (the device asks for a second factor)")
    ways = ", ".join(tried) or "no key file, no agent key and no password to try"
    raise paramiko.AuthenticationException(f"user {user} refused: {ways}")


def _attempts(
    transport: paramiko.Transport, user: str, where: Connection, password: SecretStr | None
) -> Iterator[Attempt]:
    """The ways to log in, each loaded only when its turn comes."""
    if where.key_file:
        path = where.key_file
        yield f"key {path}", lambda: transport.auth_publickey(user, load_key(path, password))
    else:
        agent = paramiko.Agent()
        try:
            for key in agent.get_keys():
                yield f"agent key {key.get_name()}", lambda key=key: transport.auth_publickey(user, key)  # type: ignore[misc]
        finally:
            agent.close()
    if password is not None:
        yield "password", lambda: transport.auth_password(user, password.get_secret_value())


def load_key(path: str, password: SecretStr | None) -> paramiko.PKey:
    """The private key of a file; the password serves as its passphrase if it has one.

    Raises:
        KeyFileError: not there, not a key, or encrypted and the password does not open it.
    """
    secret = password.get_secret_value().encode() if password else None
    try:
        return _read_key(path, secret)
    except OSError as error:
        raise KeyFileError(f"key {path} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, paramiko.SSHException) as error:
        raise KeyFileError(f"key {path} is no private key, or its passphrase is not the password") from error


def _read_key(path: str, secret: bytes | None) -> paramiko.PKey:
    """The key without a passphrase, else with it: a passphrase for a plain key is an error to the library."""
    try:
        return paramiko.PKey.from_path(path)
    except (ValueError, TypeError, paramiko.SSHException):
        if secret is None:
            raise
        return paramiko.PKey.from_path(path, secret)
