"""The daemon that puts a netconfd's running configuration into force in the network namespace it runs in.

netconfd's plug-in asks it at validate time whether a configuration can be enforced (``CHECK``) and tells it to enforce
running when a commit is complete or rolled back (``APPLY``), before the client gets its reply. A subscription of its
own covers what may be missed: a daemon that was stopped or restarted meanwhile, a netconfd started anew. Run as
``python -m labs.lab.applier RUN_DIR``.
"""

from __future__ import annotations

import logging
import selectors
import socket
import sys
import time
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from secloop_ai.contracts.errors import LabError, SecLoopError
from secloop_ai.dialects import dialect

from .kernel import Kernel
from .paths import RunPaths
from .topology import NETCONF_USER, PORT_NAMES
from .translate import Enforcement, Unenforceable, translate
from .watcher import Watcher

SOCKET = "applier.sock"
READ_TIMEOUT_S = 2.0
REFRESH_S = 0.25
RECONNECT_S = 0.05
_LOG = logging.getLogger("applier")


@lru_cache(maxsize=32)
def wanted(document: bytes, ports: tuple[str, ...] = PORT_NAMES) -> Enforcement:
    """What the kernel has to hold for a configuration document; a commit asks for the same one up to three times.

    Raises:
        Unenforceable: this device cannot do it, or the document cannot be read.
    """
    try:
        model = dialect("ietf").parse(document.decode())
    except (SecLoopError, ValidationError, UnicodeDecodeError) as error:
        raise Unenforceable(f"the configuration cannot be read: {error}") from error
    return translate(model, ports)


class Applier:
    """Serves the plug-in and follows running, in one thread."""

    def __init__(self, run_dir: Path, ports: tuple[str, ...] = PORT_NAMES) -> None:
        self._ports = ports
        self._stopping = False
        self._paths = RunPaths(root=run_dir)
        self._kernel = Kernel()
        self._watcher: Watcher | None = None
        self._selector = selectors.DefaultSelector()
        path = self._paths.applier_socket
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(16)
        self._selector.register(self._listener, selectors.EVENT_READ)

    def serve_forever(self) -> None:
        """Answer the plug-in and resync until told to stop; changes this namespace's filter, links and routes."""
        next_turn = 0.0
        while not self._stopping:
            for key, _ in self._selector.select(max(0.0, next_turn - time.monotonic())):
                if key.fileobj is self._listener:
                    self._serve_plugin()
                else:
                    self._serve_watcher()
            if time.monotonic() >= next_turn:
                next_turn = time.monotonic() + self._turn()

        self._close()

    def stop(self) -> None:
        """Have `serve_forever` return within `REFRESH_S`; may be called from another thread."""
        self._stopping = True

    def _close(self) -> None:
        if self._watcher is not None:
            self._watcher.close()
        self._listener.close()
        self._selector.close()

    def _turn(self) -> float:
        """Keep the subscription; returns the seconds until the next turn."""
        if self._watcher is None:
            return REFRESH_S if self._connect() else RECONNECT_S
        try:
            self._watcher.refresh()
        except OSError as error:
            self._lost(error)
        return REFRESH_S

    def _connect(self) -> bool:
        try:
            self._watcher = Watcher(self._paths.netconfd_socket, user=NETCONF_USER, on_running=self._resync)
        except OSError:
            return False
        self._selector.register(self._watcher.socket, selectors.EVENT_READ)
        return True

    def _lost(self, error: OSError) -> None:
        if not self._stopping:
            _LOG.warning("netconfd is gone (%s); what it had in force stays", error)
        if self._watcher is not None:
            self._selector.unregister(self._watcher.socket)
            self._watcher.close()
            self._watcher = None

    def _serve_watcher(self) -> None:
        if self._watcher is None:
            return
        try:
            self._watcher.readable()
        except OSError as error:
            self._lost(error)

    def _serve_plugin(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.settimeout(READ_TIMEOUT_S)
            try:
                verb, document = _request(connection)
                connection.sendall(self._answer(verb, document).encode("ascii", "replace"))
            except (OSError, ValueError) as error:
                _LOG.warning("a request that broke off: %s", error)

    def _answer(self, verb: str, document: bytes) -> str:
        try:
            enforcement = wanted(document, self._ports)
            if verb == "CHECK":
                self._kernel.check(enforcement)
            elif self._kernel.apply(enforcement):
                _LOG.info("applied a commit")
        except (Unenforceable, LabError) as error:
            _LOG.warning("%s refused: %s", verb, error)
            return str(error)
        finally:
            if verb == "APPLY" and self._watcher is not None:
                self._watcher.overtaken()
        return "OK"

    def _resync(self, document: bytes) -> None:
        try:
            if self._kernel.apply(wanted(document, self._ports)):
                _LOG.info("resynced from running")
        except (Unenforceable, LabError) as error:
            _LOG.error("running is not in force: %s", error)


def _request(connection: socket.socket) -> tuple[str, bytes]:
    """``VERB SIZE`` on a line, then SIZE bytes of XML."""
    with connection.makefile("rb") as stream:
        verb, size = stream.readline(64).decode("ascii").split()
        document = stream.read(int(size))
    if verb not in {"CHECK", "APPLY"} or len(document) != int(size):
        raise ValueError(f"{verb} with {len(document)} of {size} bytes")
    return verb, document


def main() -> None:
    """Entry point of the daemon; the one argument is the lab's run directory."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    Applier(Path(sys.argv[1])).serve_forever()


if __name__ == "__main__":
    main()
