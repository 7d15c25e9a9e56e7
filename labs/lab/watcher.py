"""Follows a netconfd's running configuration over its own socket, without ever waiting for it.

netconfd does nothing else while it waits for the applier inside a commit, so the applier must not wait for netconfd.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from labs.framing import Decoder

from .ncx import BASE, get_config, opening, read, rpc

NOTIFICATION = "urn:ietf:params:xml:ns:netconf:notification:1.0"
EVENTS = "urn:ietf:params:xml:ns:yang:ietf-netconf-notifications"
SUBSCRIBE = f'<create-subscription xmlns="{NOTIFICATION}"/>'
SEND_TIMEOUT_S = 1.0


class Watcher:
    """One subscribed session. `on_running` gets the running configuration whenever it may have changed unseen.

    After a ``netconf-confirmed-commit`` (a rollback emits no other event) running is read at once, after a
    ``netconf-config-change`` when `refresh` is called: the plug-in has mostly told of both already.
    """

    def __init__(self, path: Path, *, user: str, on_running: Callable[[bytes], None]) -> None:
        self._on_running = on_running
        self._decoder = Decoder()
        self._number = 0
        self._asked: str | None = None
        self._stale = False
        self.due = False
        self.socket = socket.socket(socket.AF_UNIX)
        try:
            self.socket.settimeout(SEND_TIMEOUT_S)
            self.socket.connect(str(path))
            self.socket.sendall(opening(user))
        except OSError:
            self.socket.close()
            raise

    def close(self) -> None:
        """Drop the session."""
        self.socket.close()

    def overtaken(self) -> None:
        """A commit has just been applied: an answer that is on its way is older than that."""
        self._stale = self._asked is not None

    def refresh(self) -> None:
        """Ask for running, if it is due and no answer is on its way."""
        if self.due and self._asked is None and self._decoder.chunked:
            self.due = False
            self._asked = self._send(get_config())

    def readable(self) -> None:
        """Take in what has arrived.

        Raises:
            OSError: the session is gone.
        """
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionResetError("closed by netconfd")
        self._decoder.feed(data)
        while (message := self._decoder.take()) is not None:
            self._handle(message)

    def _send(self, body: str) -> str:
        self._number += 1
        self.socket.sendall(rpc(self._number, body))
        return str(self._number)

    def _handle(self, message: bytes) -> None:
        document = read(message)
        kind = etree.QName(document).localname
        if kind == "hello":
            self._decoder.chunked = True
            self._send(SUBSCRIBE)
            self.due = True
            self.refresh()
        elif kind == "notification":
            self._notified(document)
        elif kind == "rpc-reply" and document.get("message-id") == self._asked:
            self._answered(document)

    def _notified(self, document: etree._Element) -> None:
        if document.find(f"{{{EVENTS}}}netconf-config-change") is not None:
            self.due = True
        if document.find(f"{{{EVENTS}}}netconf-confirmed-commit") is not None:
            self.due = True
            self.refresh()

    def _answered(self, document: etree._Element) -> None:
        self._asked = None
        data = document.find(f"{{{BASE}}}data")
        if self._stale or data is None:
            self._stale = False
            self.due = True
            self.refresh()
            return
        self._on_running(etree.tostring(data))
        self.refresh()
