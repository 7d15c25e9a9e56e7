#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Let a host's resolver answer a name, and all below it, with nowhere."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import struct
import time
from typing import ClassVar

from ansible.module_utils.secloop_processes import named
from ansible.module_utils.secloop_role import (
    SBIN,
    Change,
    Job,
    Refused,
    main,
    nothing,
    program,
    read,
    run,
    systemd,
    write,
)

MODE = 0o644
NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
FOLDERS = {"dnsmasq": "/etc/dnsmasq.d", "unbound": "/etc/unbound/unbound.conf.d"}
TEXTS = {
    "dnsmasq": "address=/{name}/0.0.0.0\naddress=/{name}/::\n",
    "unbound": 'server:\n    local-zone: "{name}" always_nxdomain\n',
}
CHECKS = {"dnsmasq": ["dnsmasq", "--test"], "unbound": ["unbound-checkconf"]}
A, AAAA = 1, 28
NOWHERE = {A: bytes(4), AAAA: bytes(16)}
NO_ERROR, NO_SUCH_NAME = 0, 3
HEADER = 12
POINTER = 0xC0
ANSWER_S, AFTER_S, PAUSE_S = 2.0, 5.0, 0.1


class DnsSinkhole(Job):
    """Its memory names the drop-in."""

    role = "dns_sinkhole"
    options: ClassVar = {
        "name": {"type": "str", "required": True},
        "resolver": {"type": "str", "required": True, "choices": ["dnsmasq", "unbound"]},
        "folder": {"type": "path", "default": ""},
        "port": {"type": "int", "default": 53},
    }

    def _path(self) -> str:
        folder = self.values["folder"] or FOLDERS[self.values["resolver"]]
        if not os.path.isdir(folder):
            raise Refused(f"there is no {folder}: no {self.values['resolver']} that reads drop-ins")
        return os.path.join(folder, f"secloop-{self.memory.tag}.conf")

    def apply(self) -> Change:
        """The drop-in."""
        name = self.values["name"]
        if len(name) > 253 or not NAME.fullmatch(name):  # noqa: PLR2004 - RFC 1035
            raise Refused("that is no domain name")
        if self.values["resolver"] == "dnsmasq" and not systemd() and named("dnsmasq"):
            raise Refused("this dnsmasq reads drop-ins only when it starts, and no systemd is here to start it anew")
        text = f"# SecLoop, mitigation {self.memory.tag}\n" + TEXTS[self.values["resolver"]].format(name=name)
        return Change(read(self._path()) or "", text, lambda: self._put(text))

    def _put(self, text: str) -> None:
        self.memory.keep({"path": self._path()})
        before = read(self._path())
        write(self._path(), text, MODE)
        check = CHECKS[self.values["resolver"]]
        if shutil.which(check[0], path=SBIN):
            try:
                run([program(check[0], self.values["resolver"]), *check[1:]])
            except Refused:
                self._take_back(before)
                raise
        _reload(self.values["resolver"])

    def _take_back(self, before: str | None) -> None:
        if before is None:
            os.unlink(self._path())
            self.memory.forget()
        else:
            write(self._path(), before, MODE)

    def verify(self) -> str:
        """What the resolver answers; it may need a moment after a reload."""
        until = time.monotonic() + AFTER_S
        while wrong := self._answers_wrongly():
            if time.monotonic() > until:
                raise Refused(wrong)
            time.sleep(PAUSE_S)
        return f"{self.values['name']} leads nowhere"

    def _answers_wrongly(self) -> str:
        addresses = _listening(self.values["port"])
        if not addresses:
            return f"nothing listens on UDP port {self.values['port']}"
        for address in addresses:
            for kind in (A, AAAA):
                try:
                    code, found = ask(address, self.values["port"], self.values["name"], kind)
                except OSError as error:
                    return f"{address} does not answer: {error}"
                if code not in (NO_ERROR, NO_SUCH_NAME) or any(data != NOWHERE[kind] for data in found):
                    return f"{address} still knows {self.values['name']} (answer code {code})"
        return ""

    def undo(self) -> Change:
        """The drop-in goes."""
        own = self.memory.own()
        if own is None:
            return Change("", "", nothing)
        return Change(read(own["path"]) or "", "", lambda: self._remove(own["path"]))

    def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self.memory.forget()
        _reload(self.values["resolver"])


def _reload(resolver: str) -> None:
    """The resolver reads its files again. dnsmasq reads drop-ins only at its start."""
    if systemd():
        verb = "restart" if resolver == "dnsmasq" else "reload-or-restart"
        run([program("systemctl", "systemd"), verb, f"{resolver}.service"])
        return
    for one in named(resolver):
        with contextlib.suppress(ProcessLookupError):
            os.kill(one.pid, signal.SIGHUP)


def _listening(port: int) -> list[str]:
    """Addresses of this host on which UDP of that port is open, from the kernel."""
    found = []
    for path, family in (("/proc/net/udp", socket.AF_INET), ("/proc/net/udp6", socket.AF_INET6)):
        for line in (read(path) or "").splitlines()[1:]:
            address, _, number = line.split()[1].partition(":")
            if int(number, 16) != port:
                continue
            words = [int(address[n : n + 8], 16) for n in range(0, len(address), 8)]
            text = socket.inet_ntop(family, struct.pack(f"={len(words)}I", *words))
            if text.startswith("127.0.0.5"):
                continue  # a stub that only passes questions on
            found.append({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(text, text))
    return sorted(set(found))


def ask(address: str, port: int, name: str, kind: int) -> tuple[int, list[bytes]]:
    """Response code and the data of the records of that kind (RFC 1035, 4.1).

    Raises:
        OSError: no answer, or none that can be read.
    """
    ident = secrets.token_bytes(2)
    labels = b"".join(bytes([len(part)]) + part.encode("ascii") for part in name.split("."))
    question = ident + struct.pack("!5H", 0x0100, 1, 0, 0, 0) + labels + struct.pack("!BHH", 0, kind, 1)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(ANSWER_S)
        sock.connect((address, port))
        sock.send(question)
        answer = sock.recv(4096)
    if answer[:2] != ident or len(answer) < HEADER:
        raise OSError("another answer than to what was asked")
    try:
        return answer[3] & 15, _records(answer, len(question), struct.unpack("!H", answer[6:8])[0], kind)
    except (IndexError, struct.error):
        raise OSError("the answer is cut off") from None


def _records(answer: bytes, at: int, count: int, kind: int) -> list[bytes]:
    found = []
    for _ in range(count):
        while answer[at] and answer[at] < POINTER:
            at += 1 + answer[at]
        at += 1 if not answer[at] else 2
        number, _, _, size = struct.unpack("!HHIH", answer[at : at + 10])
        if number == kind:
            found.append(answer[at + 10 : at + 10 + size])
        at += 10 + size
    return found


if __name__ == "__main__":
    main(DnsSinkhole)
