"""What the means of this family share: one way in, one rule, and commands whose output holds the proof."""

from __future__ import annotations

import json
import sys
from abc import abstractmethod
from collections.abc import Iterable
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, NamedTuple

from labs.scenario import Stage
from secloop_ai.contracts import IPAddress

from .base import Done, Exchange, Means, Observable, Receipt, Red, Tactic, Tool
from .kit import dice, exchange, observable, obtained, port_of, receipt

PRIVILEGE_ESCALATION = Tactic(id="TA0004", name="Privilege Escalation")
STEALTH = Tactic(id="TA0005", name="Stealth")
DEFENSE_IMPAIRMENT = Tactic(id="TA0112", name="Defense Impairment")

DIG = Tool(program="dig", package="bind9-dnsutils")
HPING = Tool(program="hping3", package="hping3")
HYDRA = Tool(program="hydra", package="hydra")
NMAP = Tool(program="nmap", package="nmap")
TCP, UDP, ICMP = 6, 17, 1
HANDS = Path(__file__).resolve().parent / "hands"
COMMAND_S = 10.0
UNUSED_OCTET = 252
"""Last octet of an address that no host of the outside network has (attackers and clients end at 249)."""


class Command(NamedTuple):
    """A command line and how long it may take."""

    argv: list[str]
    timeout_s: float = COMMAND_S
    stdin: str = ""


class Single(Means):
    """A means with one way in and one rule.

    Class attributes:
        port: the usual one; None for ICMP.
        transport: IP protocol number.
        outside: it goes from an infected host to a server of the attacker, whose kind `service_kinds` names.
        sid, classification, app, handshake, to_server: of the rule that names it.
        alerts: how many of that rule an undefended run brought, as measured.
        bytes_needed: payload that must pass.
    """

    service_kinds: ClassVar[tuple[str, ...]] = ()
    port: ClassVar[int | None]
    transport: ClassVar[int] = TCP
    outside: ClassVar[bool] = False
    sid: ClassVar[int]
    classification: ClassVar[str]
    app: ClassVar[str | None] = None
    handshake: ClassVar[bool] = True
    to_server: ClassVar[bool] = True
    alerts: ClassVar[int] = 1
    bytes_needed: ClassVar[int] = 0

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """Source to target, and back."""
        port = None if self.port is None else port_of(stage, self.port)
        return (exchange(stage, port, protocol=self.transport, bytes_needed=self.bytes_needed),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """Its own rule."""
        more = {
            "app_protocol": self.app,
            "handshake": self.handshake,
            "to_server": self.to_server,
            "count": self.alerts,
        }
        return (observable(self.sid, self.classification, self.technique, **more),)

    def at(self, stage: Stage) -> int:
        """The port of this stage."""
        return port_of(stage, self.port or 0)


class Scripted(Single):
    """Runs its commands in order; one of them prints the canary, or nothing was obtained."""

    @abstractmethod
    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """What to run; each is bounded in count and time."""

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Run them, and look for the canary."""
        started = red.clock_s()
        said = [f"{done.stdout}\n{done.stderr}" for done in perform(red, self.commands(red, stage))]
        text = "\n".join(said)
        return receipt(red, stage, started, canary=obtained(red, stage, text), detail=text[-300:])


class Talk(Scripted):
    """Says prepared things to a TCP port.

    Class attributes:
        says: what is said in a connection.
        speaks_first: the server does.
    """

    says: ClassVar[tuple[str, ...]]
    speaks_first: ClassVar[bool] = False

    def rounds(self, stage: Stage) -> list[list[str]]:
        """What is said, connection by connection."""
        return [list(self.says)]

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One conversation after the other."""
        yield converse(stage, self.at(stage), self.rounds(stage), hello=self.speaks_first)


def perform(red: Red, commands: Iterable[Command]) -> Iterable[Done]:
    """Run the commands one after the other."""
    for command in commands:
        yield red.run(command.argv, timeout_s=command.timeout_s, stdin=command.stdin)


def converse(stage: Stage, port: int, rounds: list[list[str]], *, hello: bool = False, wait_s: float = 1.5) -> Command:
    """A conversation with a port of the target."""
    order = {"host": str(stage.target), "port": port, "rounds": rounds, "wait_s": wait_s, "pause_s": 0.05}
    return by_hand("converse", json.dumps({**order, "hello": hello}))


def by_hand(name: str, *arguments: str, timeout_s: float = COMMAND_S) -> Command:
    """One of our own small programs; it goes by standard input, so that no file need be seen there."""
    return Command([sys.executable, "-I", "-S", "-", *arguments], timeout_s, _text(name))


@cache
def _text(name: str) -> str:
    return (HANDS / f"{name}.py").read_text(encoding="utf-8")


def word_list(red: Red, name: str, words: Iterable[str]) -> str:
    """Path of a file with a word a line in the private folder."""
    path = red.scratch() / name
    path.write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    path.chmod(0o644)
    return str(path)


def guesses(stage: Stage, right: str, count: int) -> list[str]:
    """So many wrong words, and the right one in the last quarter."""
    words = [f"guess-{dice(stage).randrange(10**6):06d}-{n}" for n in range(count - 1)]
    words.insert(count - 1 - count // 8, right)
    return words


def nobody(own: IPAddress) -> IPAddress:
    """An address of the own network that no host has: packets in its name are answered by nobody."""
    outside = ip_address("203.0.113.0")
    if int(own) >> 8 == int(outside) >> 8:
        return ip_address(int(outside) + UNUSED_OCTET)
    return ip_address(int(own) + 2)
