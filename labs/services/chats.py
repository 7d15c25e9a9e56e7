"""Services that are a conversation from a table: SMTP, VNC, TLS, NETCONF, and the attacker's raw listener."""

from __future__ import annotations

import base64
from typing import ClassVar

from .base import ServiceOrder, ServiceProgram, config_file, python_server

Turn = tuple[str, str, str, str] | tuple[str, str, str, str, str]
"""State, beginning of a message, answer, next state (``*``: any, or the same); and the account of the host whose
login this is, where it is one."""
SPRAYED = ("k.lang", "Winter2026")
"""The mailbox that a sprayed password opens."""
CRASH = "A" * 32
"""How the longest of fuzzed words begin."""
SLED = "\x90" * 16
"""How the marker that stands for shellcode begins."""
DELIMITER = "]]>]]>"


def encoded(text: str) -> str:
    """Base64."""
    return base64.b64encode(text.encode()).decode()


class Chat(ServiceProgram):
    """A conversation. Turns are tried in order."""

    hello: ClassVar[str] = ""
    ends: ClassVar[str] = "\n"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("chat", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """The table."""
        return config_file(order, hello=self.greeting(order.loot()), ends=self.ends, turns=self.turns(order.loot()))

    def greeting(self, loot: dict[str, str]) -> str:  # noqa: ARG002 - most say the same to all
        """What is said first."""
        return self.hello

    def turns(self, loot: dict[str, str]) -> list[Turn]:
        """The table, with the canaries of its weaknesses."""
        raise NotImplementedError


class Smtp(Chat):
    """Takes mail and forgets it."""

    kind = "smtp"

    def greeting(self, loot: dict[str, str]) -> str:
        """A weak one says too much of itself."""
        return f"220 mail.house.example ESMTP{' build ' + loot['banner-grab'] if 'banner-grab' in loot else ''}\r\n"

    def turns(self, loot: dict[str, str]) -> list[Turn]:
        """A right password, a forgotten debug command, words that are too long, a marker."""
        weak: list[Turn] = []
        if canary := loot.get("worm-spread"):
            weak.append(("*", "DEBUG", f"200 debug set {canary}\r\n", "*"))
        if canary := loot.get("fuzzing"):
            weak.append(("*", CRASH, f"451 internal error at {canary}\r\n", "*"))
        if canary := loot.get("shellcode-marker"):
            weak.append(("*", SLED, f"250 {canary}\r\n", "*"))
        if canary := loot.get("password-spray"):
            weak.append(("user", encoded(SPRAYED[0]), "334 UGFzc3dvcmQ6\r\n", "known"))
            weak.append(("known", encoded(SPRAYED[1]), f"235 welcome {canary}\r\n", "start", SPRAYED[0]))
        return [
            *weak,
            ("user", "", "334 UGFzc3dvcmQ6\r\n", "password"),
            ("known", "", "535 wrong\r\n", "start"),
            ("password", "", "535 wrong\r\n", "start"),
            ("*", "EHLO", "250-mail.house.example\r\n250 AUTH LOGIN\r\n", "*"),
            ("*", "AUTH LOGIN", "334 VXNlcm5hbWU6\r\n", "user"),
            ("*", "QUIT", "221 bye\r\n", "bye"),
            ("*", "DATA", "354 go on\r\n", "data"),
            ("data", ".\r", "250 taken\r\n", "start"),
            ("data", "", "", "data"),
            *((("*", verb, "250 yes\r\n", "*")) for verb in ("HELO", "MAIL", "RCPT", "NOOP", "RSET")),
            ("*", "", "500 unknown\r\n", "*"),
        ]


class Vnc(Chat):
    """A screen of 1 by 1 pixel."""

    kind = "vnc"
    hello = "RFB 003.008\n"
    ends = ""

    def turns(self, loot: dict[str, str]) -> list[Turn]:
        """A weak one asks for no password; its screen is called by the canary."""
        canary = loot.get("vnc-login")
        if canary is None:
            return [("start", "RFB", "\x01\x02", "asked"), ("asked", "", "\x00\x00\x00\x01", "bye")]
        screen = "\x00\x01\x00\x01" + "\x20\x18\x00\x01\x00\xff\x00\xff\x00\xff\x10\x08\x00\x00\x00\x00"
        name = f"\x00\x00\x00{chr(len(canary))}{canary}"
        return [
            ("start", "RFB", "\x01\x01", "asked"),
            ("asked", "\x01", "\x00\x00\x00\x00", "in"),
            ("in", "", screen + name, "bye"),
        ]


class Tls(Chat):
    """Answers records: a heartbeat where it is weak, an alert otherwise. It encrypts nothing."""

    kind = "tls"
    ends = ""

    def turns(self, loot: dict[str, str]) -> list[Turn]:
        """A heartbeat brings the canary."""
        alert = "\x15\x03\x02\x00\x02\x02\x28"
        canary = loot.get("heartbleed")
        if canary is None:
            return [("*", "", alert, "bye")]
        body = f"\x02\x00{chr(len(canary))}{canary}"
        return [("*", "\x18\x03", f"\x18\x03\x02\x00{chr(len(body))}{body}", "bye"), ("*", "", alert, "bye")]


class Netconf(Chat):
    """The management of a device in clear text (RFC 6242 framing without SSH)."""

    kind = "netconf"
    hello = (
        '<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>'
        f"urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>{DELIMITER}"
    )
    ends = DELIMITER
    loose: ClassVar[dict[str, str]] = {
        "netconf-config-dump": '<rpc message-id="lab-get">',
        "firewall-off": '<rpc message-id="lab-acl">',
        "logging-off": '<rpc message-id="lab-log">',
    }

    def turns(self, loot: dict[str, str]) -> list[Turn]:
        """Who is let in is the weakness; the answer never comes from a configuration."""
        weak: list[Turn] = [
            ("*", rpc, f"<rpc-reply><data>{loot[means]}</data></rpc-reply>{DELIMITER}", "*")
            for means, rpc in self.loose.items()
            if means in loot
        ]
        denied = f"<rpc-reply><rpc-error><error-tag>access-denied</error-tag></rpc-error></rpc-reply>{DELIMITER}"
        return [*weak, ("*", "<hello", "", "*"), ("*", "", denied, "*")]


class CommandRaw(Chat):
    """The attacker's listener outside: an implant's line, and a mining pool's two."""

    kind = "c2-raw"

    def turns(self, loot: dict[str, str]) -> list[Turn]:
        """A task, or a job."""
        task, job = loot.get("nonstandard-port-c2", ""), loot.get("stratum-miner", "")
        return [
            ("*", "IMPLANT ", f"TASK {task}\n", "*"),
            ("*", '{"id": 1, "method": "mining.subscribe"', '{"id": 1, "result": [[], "08", 4], "error": null}\n', "*"),
            ("*", '{"id": 2, "method": "mining.authorize"', f'{{"id": 2, "result": true, "job": "{job}"}}\n', "*"),
            ("*", "", "?\n", "bye"),
        ]
