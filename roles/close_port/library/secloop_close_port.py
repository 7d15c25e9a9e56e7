#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Close a port to the network with the host's own packet filter, in a table of our own."""

from __future__ import annotations

import json
import os
from typing import Any, ClassVar

from ansible.module_utils.secloop_role import Change, Job, Refused, main, nothing, program, run

TABLE, CHAIN = "secloop", "input"
PACKAGE = "nftables"
PRIORITY = -10
"""Before the operator's own filter, which may accept; a drop is final in either."""
SERVER_PORT = 3
"""Field of SSH_CONNECTION."""


class ClosePort(Job):
    """Its memory says which port; what counts is the rule itself, which carries the tag as its comment."""

    role = "close_port"
    options: ClassVar = {
        "protocol": {"type": "str", "required": True, "choices": ["tcp", "udp"]},
        "port": {"type": "int", "required": True},
    }

    def apply(self) -> Change:
        """A rule, unless there is ours already."""
        if not 0 < self.values["port"] <= 65535:  # noqa: PLR2004 - the last port
            raise Refused(f"there is no port {self.values['port']}")
        own_door = os.environ.get("SSH_CONNECTION", "").split()
        if self.values["protocol"] == "tcp" and own_door[SERVER_PORT:] == [str(self.values["port"])]:
            raise Refused("this login came through that port")
        rule = self._rule()
        return Change(f"{rule}\n" if self._ours(_listing()) else "", f"{rule}\n", lambda: self._add(rule))

    def _rule(self) -> str:
        protocol, port = self.values["protocol"], self.values["port"]
        # TCP that is established goes on; of UDP nothing tells a new peer from an old one
        opens = "tcp flags & (fin | syn | rst | ack) == syn " if protocol == "tcp" else ""
        return f'iifname != "lo" {protocol} dport {port} {opens}drop comment "{self.memory.tag}"'

    def _add(self, rule: str) -> None:
        self.memory.keep({"protocol": self.values["protocol"], "port": self.values["port"]})
        if self._ours(_listing()):
            return
        hook = f"type filter hook input priority {PRIORITY}; policy accept;"
        chain = f"inet {TABLE} {CHAIN}"
        _nft(f"add table inet {TABLE}\nadd chain {chain} {{ {hook} }}\nadd rule {chain} {rule}\n")

    def _ours(self, listing: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Our rules in a listing."""
        return [r for r in _rules(listing) if r.get("comment") == self.memory.tag]

    def verify(self) -> str:
        """The rule as the kernel has it, in a chain that sees what comes in."""
        listing = _listing()
        hooked = [e["chain"] for e in listing if e.get("chain", {}).get("hook") == "input"]
        closed = [r for r in self._ours(listing) if self._closes(r["expr"])]
        if not hooked or not closed:
            raise Refused(f"no rule of ours closes {self.values['protocol']} port {self.values['port']}")
        return self._rule()

    def _closes(self, expressions: list[dict[str, Any]]) -> bool:
        port = {"payload": {"protocol": self.values["protocol"], "field": "dport"}}
        matches = [e["match"] for e in expressions if "match" in e]
        meant = any(m["left"] == port and m["right"] == self.values["port"] for m in matches)
        return meant and any("drop" in e for e in expressions)

    def undo(self) -> Change:
        """Our rule goes, and with the last one the table."""
        if self.memory.own() is None:
            return Change("", "", nothing)
        listing = _listing()
        ours = self._ours(listing)
        return Change(f"{self._rule()}\n" if ours else "", "", lambda: self._remove(listing, ours))

    def _remove(self, listing: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
        if ours and len(ours) == len(_rules(listing)):
            _nft(f"delete table inet {TABLE}\n")
        elif ours:
            _nft("".join(f"delete rule inet {TABLE} {CHAIN} handle {rule['handle']}\n" for rule in ours))
        self.memory.forget()


def _nft(script: str) -> None:
    run([program("nft", PACKAGE), "-f", "-"], script)


def _listing() -> list[dict[str, Any]]:
    """What our table holds; nothing where there is none."""
    nft = program("nft", PACKAGE)
    tables = json.loads(run([nft, "-j", "list", "tables", "inet"]))["nftables"]
    if not any(e.get("table", {}).get("name") == TABLE for e in tables):
        return []
    found: list[dict[str, Any]] = json.loads(run([nft, "-j", "list", "table", "inet", TABLE]))["nftables"]
    return found


def _rules(listing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [element["rule"] for element in listing if "rule" in element]


if __name__ == "__main__":
    main(ClosePort)
