"""An FTP server that holds no files: logins from a table, one page to read, uploads counted and forgotten.

Run as a file of its own; the one argument is its configuration: ``address``, ``port``, ``accounts`` (name → password),
``pages`` (account → what its one file holds), ``takes`` (beginning of an upload's path → what the receipt says; every
other upload is refused), ``needs_bytes``: an upload of fewer bytes gets a plain receipt, and ``etc``, the host's
settings: an account that is locked there gets no login.
"""

from __future__ import annotations

import json
import socket
import socketserver
import sys
from pathlib import Path
from typing import Any, ClassVar

IDLE_S = 15.0
MOST_LINES = 200
MOST_UPLOAD = 64 * 1024 * 1024
OWN_PAGE = "Nothing to see.\n"
NO_SHELLS = ("nologin", "false")


class Session(socketserver.StreamRequestHandler):
    """One control connection."""

    table: ClassVar[dict[str, Any]]
    timeout = IDLE_S
    user = ""
    entered = False
    data: socket.socket | None = None

    def handle(self) -> None:
        """Answer commands, at most `MOST_LINES`."""
        try:
            self._say("220 Files of the house")
            for _ in range(MOST_LINES):
                line = self.rfile.readline(1024)
                if not line or not self._obey(line.decode("latin-1").strip()):
                    return
        except OSError:
            return  # the peer's affair
        finally:
            if self.data:
                self.data.close()

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode("latin-1"))

    def _obey(self, line: str) -> bool:
        verb, _, rest = line.partition(" ")
        verb = verb.upper()
        if verb == "QUIT":
            self._say("221 Bye")
            return False
        if verb == "USER":
            self.user, self.entered = rest, False
            self._say("331 Password, please")
        elif verb == "PASS":
            self._enter(rest)
        elif not self.entered:
            self._say("530 Log in first")
        else:
            self._serve(verb, rest)
        return True

    def _enter(self, password: str) -> None:
        right = self.table["accounts"].get(self.user) == password
        self.entered = right and not closed(self.table["etc"], self.user)
        self._say("230 Welcome" if self.entered else "530 Login incorrect")

    def _serve(self, verb: str, rest: str) -> None:
        plain = {"SYST": "215 UNIX Type: L8", "PWD": '257 "/"', "CWD": "250 Done", "NOOP": "200 Done"}
        if verb in plain:
            self._say(plain[verb])
        elif verb == "TYPE":
            self._say("200 Done")
        elif verb in ("PASV", "EPSV"):
            self._listen(verb)
        elif verb in ("RETR", "LIST", "NLST"):
            self._give(self.table["pages"].get(self.user, OWN_PAGE))
        elif verb == "STOR":
            self._take(rest)
        else:
            self._say("502 Not here")

    def _listen(self, verb: str) -> None:
        if self.data:
            self.data.close()
        self.data = socket.create_server((self.request.getsockname()[0], 0))
        self.data.settimeout(IDLE_S)
        host, port = self.data.getsockname()[:2]
        if verb == "EPSV":
            self._say(f"229 Here (|||{port}|)")
        else:
            self._say(f"227 Here ({host.replace('.', ',')},{port >> 8},{port & 255})")

    def _peer(self) -> socket.socket | None:
        if self.data is None:
            self._say("425 Say PASV first")
            return None
        self._say("150 Go")
        peer, _ = self.data.accept()
        peer.settimeout(IDLE_S)
        return peer

    def _give(self, text: str) -> None:
        peer = self._peer()
        if peer:
            with peer:
                peer.sendall(text.encode("latin-1"))
            self._say("226 Sent")

    def _take(self, path: str) -> None:
        receipts = [said for start, said in self.table["takes"].items() if path.lstrip("/").startswith(start)]
        if not receipts:
            self._say("550 Not allowed")
            return
        peer = self._peer()
        if peer:
            with peer:
                count = self._count(peer)
            enough = count >= self.table["needs_bytes"]
            self._say(f"226 Got {count} bytes {receipts[0] if enough else ''}".rstrip())

    @staticmethod
    def _count(peer: socket.socket) -> int:
        count = 0
        while count < MOST_UPLOAD and (data := peer.recv(65536)):
            count += len(data)
        return count


def closed(etc: str, account: str) -> bool:
    """Whether the host lets nobody in by that account: it has a shell that says so."""
    try:
        lines = Path(etc, "passwd").read_text(encoding="utf-8").splitlines() if etc else []
    except OSError:
        return False
    shells = (line.rpartition(":")[2] for line in lines if line.partition(":")[0] == account)
    return any(Path(shell).name in NO_SHELLS for shell in shells)


class Server(socketserver.ThreadingTCPServer):
    """A thread for each control connection."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Serve."""
    Session.table = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with Server((Session.table["address"], Session.table["port"]), Session) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
