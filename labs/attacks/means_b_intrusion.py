"""Getting in, running something, hiding: exchanges that look like it and carry nothing that would."""

from __future__ import annotations

from collections.abc import Iterable

from labs.scenario import Stage
from labs.services.chats import CRASH, SLED
from labs.services.files import LEAKED
from labs.services.things import KNOCKS
from labs.services.web_b import FACTORY

from .base import Exchange, Red
from .kit import CURL, EXECUTION, INITIAL_ACCESS, RECONNAISSANCE, dice, number
from .means_b_credentials import ftp_page
from .means_b_inside import both_ways
from .means_b_kit import PRIVILEGE_ESCALATION, STEALTH, Command, Scripted, Talk, converse
from .web import Request, WebMeans

MARKER = "SECLOOP-HARMLESS-MARKER-"
MOST_FUZZ = 40


class Heartbleed(Talk):
    """A heartbeat record in the shape of CVE-2014-0160, with an honest length: a sound server just drops it."""

    id = "heartbleed"
    about = "A TLS heartbeat before the handshake (in the shape of CVE-2014-0160)"
    tactic = INITIAL_ACCESS
    technique = "T1190"
    service_kinds = ("tls",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 443
    says = (f"\x18\x03\x02\x00\x1b\x01\x00\x18{MARKER}",)
    sid, classification = 9002019, "attempted-admin"


class Fuzzing(Talk):
    """Random words and very long ones, until the server says what it should not."""

    id = "fuzzing"
    about = "A mail server is fed with nonsense"
    tactic = RECONNAISSANCE
    technique = "T1595.002"
    service_kinds = ("smtp",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 25
    speaks_first = True
    sid, classification = 9002020, "misc-attack"
    alerts = 2

    def rounds(self, stage: Stage) -> list[list[str]]:
        """At most `MOST_FUZZ` words, every fifth a long one."""
        chance, count = dice(stage), number(stage, "words", 20, MOST_FUZZ)
        words = ["".join(chr(chance.randrange(33, 255)) for _ in range(chance.randrange(4, 60))) for _ in range(count)]
        words[4::5] = [CRASH * chance.randrange(12, 24) for _ in words[4::5]]
        return [[f"{word}\r\n" for word in words[n : n + 5]] for n in range(0, count, 5)]


class ShellcodeMarker(Talk):
    """Sixteen no-operations and a word: the beginning of shellcode, without any."""

    id = "shellcode-marker"
    about = "A run of no-operations in a mail command, with nothing behind it"
    tactic = EXECUTION
    technique = "T1203"
    service_kinds = ("smtp",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 25
    says = (f"{SLED * 2}{MARKER}\r\n", "QUIT\r\n")
    speaks_first = True
    sid, classification = 9002021, "misc-attack"


class WebShellCommand(WebMeans):
    """A word for a shell that somebody left behind."""

    id = "web-shell-command"
    about = "A command by query parameter to a script in the upload folder"
    tactic = EXECUTION
    technique = "T1059.004"
    requests = (Request(target="/uploads/help.php?cmd=lab-id"),)
    sid = 9002022


class DefaultAccount(WebMeans):
    """The manager's page, with the password it was delivered with."""

    id = "default-account"
    about = "A manager's page opened with the password of the factory"
    tactic = PRIVILEGE_ESCALATION
    technique = "T1078.001"
    service_kinds = ("tomcat",)
    requests = (Request(target="/manager/html", headers=(("Authorization", f"Basic {FACTORY}"),)),)
    sid = 9002044
    classification = "attempted-admin"


class PortKnock(Talk):
    """Three ports touched in order, then the door behind them."""

    id = "port-knock"
    about = "A hidden door is opened by touching three ports"
    tactic = STEALTH
    technique = "T1205.001"
    service_kinds = ("knock",)
    countered_by = ("close_port", "stop_process")
    port = 2222
    sid, classification = 9002023, "bad-unknown"

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """The knocks, and the door."""
        return both_ways(stage, *KNOCKS, self.at(stage))

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """Knock, and listen."""
        for port in (*KNOCKS, self.at(stage)):
            yield converse(stage, port, [[]], hello=True, wait_s=0.5)


class ValidAccounts(Scripted):
    """A leaked password that still fits: one login, from where nobody logs in."""

    id = "valid-accounts"
    about = "A login with somebody's leaked password"
    tactic = STEALTH
    technique = "T1078"
    service_kinds = ("ftp",)
    tools = (CURL,)
    countered_by = ("disable_account", "close_port", "stop_process")
    port = 21
    sid, classification = 9002024, "policy-violation"

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One login."""
        yield ftp_page(stage, self.at(stage), *LEAKED)
