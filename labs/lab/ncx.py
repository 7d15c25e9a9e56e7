"""A NETCONF session with a netconfd of this machine, over its own socket instead of SSH.

Whoever can write the socket is any user, so it lies in a private run directory. The opening line is the one that
netconfd's SSH subsystem sends; its magic word is read from netconfd's header file.
"""

from __future__ import annotations

import re
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from lxml import etree

from labs.framing import Decoder, frame
from secloop_ai.contracts.errors import LabError

HEADER = Path("/usr/include/yuma/agt/agt.h")
BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
BASE_11 = "urn:ietf:params:netconf:base:1.1"
_HELLO = (
    f'<hello xmlns="{BASE}"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability>'
    f"<capability>{BASE_11}</capability></capabilities></hello>"
)
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True, remove_blank_text=True)


def opening(user: str) -> bytes:
    """What a client sends before the server's hello: who it is, then its own hello.

    Raises:
        LabError: netconfd's header file is missing or holds no magic word.
    """
    try:
        found = re.search(r'NCX_SERVER_MAGIC[\s\\]*"([^"]+)"', HEADER.read_text(encoding="utf-8"))
    except OSError as error:
        raise LabError(f"{HEADER}: {error.strerror} (package libyuma-dev)") from error
    if found is None:
        raise LabError(f"{HEADER}: no NCX_SERVER_MAGIC in it")
    connect = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<ncx-connect xmlns="http://netconfcentral.org/ns/yuma-ncx" version="1" user="{user}" '
        f'address="127.0.0.1" magic="{found[1]}" transport="ssh" port="830" />\n'
    )
    return frame(connect.encode(), chunked=False) + frame(_HELLO.encode(), chunked=False)


def rpc(number: int, body: str) -> bytes:
    """An RPC as it goes over the wire, once both hellos are known."""
    return frame(f'<rpc xmlns="{BASE}" message-id="{number}">{body}</rpc>'.encode(), chunked=True)


def read(message: bytes) -> etree._Element:
    """The document, without entities or network."""
    return etree.fromstring(message.strip(), _PARSER)


def get_config(source: str = "running") -> str:
    """The body of a get-config."""
    return f"<get-config><source><{source}/></source></get-config>"


def edit_config(config: str) -> str:
    """The body of an edit-config of the candidate that is done wholly or not at all."""
    return (
        "<edit-config><target><candidate/></target><error-option>rollback-on-error</error-option>"
        f"<config>{config}</config></edit-config>"
    )


class RpcRefused(LabError):  # noqa: N818 - the server refused the RPC
    """The server answered with an rpc-error; the text is its message, `tag` its error-tag."""

    def __init__(self, message: str, tag: str) -> None:
        super().__init__(f"{message} [{tag}]")
        self.message = message
        self.tag = tag


class LocalSession:
    """One NETCONF session; blocking, each step bounded by `timeout_s` seconds."""

    def __init__(self, path: Path, *, user: str, timeout_s: float = 10.0) -> None:
        self._path = path
        self._number = 0
        self._decoder = Decoder()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        try:
            self._socket.connect(str(path))
            self._socket.sendall(opening(user))
            self.hello = read(self._receive())
        except OSError as error:
            self._socket.close()
            raise LabError(f"{path}: no NETCONF session: {error}") from error
        self._decoder.chunked = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection; netconfd ends the session and rolls back what it left unconfirmed."""
        self._socket.close()

    def capabilities(self) -> tuple[str, ...]:
        """What the server's hello offers."""
        return tuple(text for node in self.hello.iter(f"{{{BASE}}}capability") if (text := node.text))

    def call(self, body: str) -> etree._Element:
        """Send one RPC, wait for its reply and return it.

        Raises:
            RpcRefused: the server answered with an rpc-error.
            LabError: the session broke or the server stayed silent.
        """
        self._number += 1
        try:
            self._socket.sendall(rpc(self._number, body))
            reply = read(self._receive())
        except OSError as error:
            raise LabError(f"{self._path}: the NETCONF session broke: {error}") from error
        if (fault := reply.find(f"{{{BASE}}}rpc-error")) is not None:
            text = fault.findtext(f"{{{BASE}}}error-message") or "no message"
            raise RpcRefused(text, fault.findtext(f"{{{BASE}}}error-tag") or "")
        return reply

    def edit(self, config: str) -> None:
        """Edit the candidate.

        Raises:
            RpcRefused: the server refused it.
        """
        self.call(edit_config(config))

    def commit(self, confirm_timeout_s: int | None = None, persist: str | None = None) -> None:
        """Commit the candidate; with `confirm_timeout_s`, undone after that unless confirmed.

        Raises:
            RpcRefused: the server refused it.
        """
        timeout = f"<confirmed/><confirm-timeout>{confirm_timeout_s}</confirm-timeout>" if confirm_timeout_s else ""
        token = f"<persist>{persist}</persist>" if persist else ""
        self.call(f"<commit>{timeout}{token}</commit>")

    def running(self) -> bytes:
        """The running configuration in canonical XML (C14N)."""
        data = self.call(get_config()).find(f"{{{BASE}}}data")
        if data is None:
            raise LabError(f"{self._path}: a get-config reply without data")
        return etree.tostring(data, method="c14n")

    def _receive(self) -> bytes:
        while (message := self._decoder.take()) is None:
            if not (data := self._socket.recv(65536)):
                raise ConnectionResetError("closed by the server")
            self._decoder.feed(data)
        return message
