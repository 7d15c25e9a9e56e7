# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""A small watch on one host: what begins to listen, what starts from where nothing should, what changes below /etc,
and who fails to log in.

It writes Suricata's alert events, one JSON line each, so that whatever reads the network sensor reads it, too. It only
looks; it takes no orders and opens no port. Its one argument is a JSON file: ``log``, ``interval_s`` (seconds between
looks), ``most_bytes`` (of the log, which is then begun anew once), ``auth_log``, and ``ignore`` (names below /etc).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

NICE = 19
MOST_MEMORY = 256 << 20
MOST_FILES = 20000
MOST_ALERTS = 50
"""In one look."""
MOST_LINE = 4096
LISTENS = {"tcp": "0A", "udp": "07"}
LOOSE = ("/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 - where an implant likes to start
FAILED = re.compile(
    rb"Failed (?:password|keyboard-interactive/pam) for .{1,200}? from ([0-9a-fA-F.:]{2,45}) port (\d{1,5})"
)
KINDS = {
    "listens": (9500001, "SECLOOP HIDS a new listening socket", "Misc activity", 2),
    "loose": (
        9500002,
        "SECLOOP HIDS a process started from a folder for temporary files",
        "Executable Code was Detected",
        1,
    ),
    "deleted": (9500003, "SECLOOP HIDS a process started from a deleted file", "Executable Code was Detected", 1),
    "etc": (9500004, "SECLOOP HIDS a change below /etc", "Misc activity", 3),
    "login": (9500005, "SECLOOP HIDS a failed login", "Attempted User Privilege Gain", 2),
}
Finding = tuple
"""Kind, and the event's members beside the usual ones."""


def listening() -> dict[tuple[str, str, int], str]:
    """(transport, address, port) of every socket that waits for strangers → its line's inode."""
    found = {}
    for transport, state in LISTENS.items():
        for path, family in ((f"/proc/net/{transport}", socket.AF_INET), (f"/proc/net/{transport}6", socket.AF_INET6)):
            for line in _lines(path)[1:]:
                fields = line.split()
                if fields[3] != state:
                    continue
                address, _, port = fields[1].partition(":")
                words = [int(address[n : n + 8], 16) for n in range(0, len(address), 8)]
                text = socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words))
                found[transport, text, int(port, 16)] = fields[9]
    return found


def started() -> dict[tuple[int, str], str]:
    """(process, start) → the file it runs, as far as it can be seen."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    start = file.read().rpartition(")")[2].split()[19]
                found[int(name), start] = _program(name)
    return found


def _program(pid: str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except PermissionError:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read(MOST_LINE).split(b"\0")[0].decode("utf-8", "replace")


def below_etc(ignore: list[str]) -> dict[str, tuple[int, int, int]]:
    """Path → what changes when the file does."""
    found: dict[str, tuple[int, int, int]] = {}
    for folder, _, files in os.walk("/etc"):
        for name in files:
            path = os.path.join(folder, name)
            if len(found) >= MOST_FILES or any(word in path for word in ignore):
                continue
            with contextlib.suppress(OSError):
                about = os.lstat(path)
                found[path] = (about.st_mtime_ns, about.st_size, about.st_ino)
    return found


class Tail:
    """The new lines of a log that may be rotated, or not be there."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.inode, self.at = self._about()

    def _about(self) -> tuple[int, int]:
        try:
            about = os.stat(self.path)
        except OSError:
            return 0, 0
        return about.st_ino, about.st_size

    def lines(self) -> list[bytes]:
        """Those since the last time, at most 256 KiB of them."""
        inode, size = self._about()
        if inode != self.inode or size < self.at:
            self.inode, self.at = inode, 0
        if size == self.at:
            return []
        with open(self.path, "rb") as file:
            file.seek(self.at)
            text = file.read(256 << 10)
        whole = text[: text.rfind(b"\n") + 1]
        self.at += len(whole)
        return whole.splitlines()


class Watch:
    """What is known, and what is new to it."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.address = _address()
        self.tail = Tail(config["auth_log"])
        self.sockets, self.programs, self.files = self._now()

    def _now(self) -> tuple[Any, Any, Any]:
        return listening(), started(), below_etc(self.config["ignore"])

    def look(self) -> Iterator[dict[str, Any]]:
        """Events of what is new since the last look."""
        sockets, programs, files = self._now()
        for transport, address, port in sorted(set(sockets) - set(self.sockets)):
            own = self.address if address in ("0.0.0.0", "::") else address
            yield self._event("listens", f"{transport} port {port}", own, port, transport.upper())
        for key in sorted(set(programs) - set(self.programs)):
            kind = "loose" if programs[key].startswith(LOOSE) else "deleted"
            if kind == "loose" or programs[key].endswith(" (deleted)"):
                yield self._event(kind, programs[key])
        changed = [p for p in {**files, **self.files} if files.get(p) != self.files.get(p)]
        for path in sorted(changed):
            yield self._event("etc", path)
        for match in (FAILED.search(line) for line in self.tail.lines()):
            if match:
                yield self._login(match[1].decode(), int(match[2]))
        self.sockets, self.programs, self.files = sockets, programs, files

    def _event(self, kind: str, about: str, address: str = "", port: int = 0, proto: str = "TCP") -> dict[str, Any]:
        number, signature, category, severity = KINDS[kind]
        own = address or self.address
        event = {
            "timestamp": datetime.now(timezone.utc).isoformat(),
            "event_type": "alert",
            "host": socket.gethostname(),
            "src_ip": own,
            "dest_ip": own,
            "proto": proto,
            "alert": {"signature_id": number, "signature": signature, "category": category, "severity": severity},
            "hids": {"about": about[:512]},
        }
        return {**event, "dest_port": port} if port else event

    def _login(self, source: str, port: int) -> dict[str, Any]:
        return {**self._event("login", "sshd"), "src_ip": source, "src_port": port}


def _address() -> str:
    """This host's own, as the network sees it; nothing is sent."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))
        return str(sock.getsockname()[0])
    return "127.0.0.1"


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().splitlines()
    except OSError:
        return []


def report(path: str, events: list[dict[str, Any]], most_bytes: int) -> None:
    """Append; the file's time says that the watch is alive even when there is nothing to tell."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)
        full = file.tell() > most_bytes
    os.utime(path)
    if full:
        os.replace(path, f"{path}.1")


def main() -> None:
    """Look, and look again."""
    with open(sys.argv[1], encoding="utf-8") as file:
        config = json.load(file)
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    watch = Watch(config)
    report(config["log"], [], config["most_bytes"])
    while True:
        time.sleep(config["interval_s"])
        report(config["log"], list(watch.look())[:MOST_ALERTS], config["most_bytes"])


if __name__ == "__main__":
    main()
