"""Looking around from the outside: sweeps, scanners, word lists, zone transfers, banners."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from labs.scenario import Stage

from .base import Exchange, Receipt, Red
from .kit import CURL, RECONNAISSANCE, exchange, goes_over, literal, number, over, receipt
from .means_b_kit import DIG, ICMP, NMAP, TCP, Command, Scripted, Single, Talk

SWEEP_BITS = 26
SWEEP_PORT = 443
MOST_WORDS = 60
ZONE = "house.example"
SCRIPTS = "+http-robots.txt,+http-title,+http-methods,+http-headers,+http-git"
WORDS = (
    *("admin", "administrator", "api", "app", "archive", "assets", "auth", "backend", "backup", "bak", "beta", "bin"),
    *("cache", "cgi-bin", "config", "console", "cron", "data", "db", "debug", "demo", "dev", "docs", "dump", "export"),
    *("files", "ftp", "git", "home", "hidden", "install", "intranet", "jenkins", "login", "logs", "manager", "old"),
    *("phpmyadmin", "portal", "private-old", "secret", "server-status", "setup", "shop", "sql", "staging", "test"),
    *("tmp", "upload", "users", "vendor", "webmail", "wiki", "wp-admin", "www"),
)
FOUND_LATE = "backup-old"


class HostSweep(Single):
    """Echo requests to a whole range. Seen to succeed when the target answers."""

    id = "host-sweep"
    about = "nmap asks every address around the target whether somebody is there"
    tactic = RECONNAISSANCE
    technique = "T1595.001"
    tools = (NMAP,)
    port = None
    transport = ICMP
    sid, classification, handshake = 9002001, "attempted-recon", False
    alerts = 6

    def otherwise(self, stage: Stage) -> Stage:
        """By connections to a port: a host that is there refuses or accepts, both are answers."""
        return over(stage, "tcp")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """Echo, or a first packet of TCP."""
        if goes_over(stage, "tcp"):
            return (exchange(stage, SWEEP_PORT, protocol=TCP),)
        return super().exchanges(stage)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Sweep at most 64 addresses."""
        started = red.clock_s()
        around = ip_network(f"{stage.target}/{SWEEP_BITS}", strict=False)
        how = f"-PS{SWEEP_PORT}" if goes_over(stage, "tcp") else "-PE"
        argv = ["nmap", "-n", "-sn", how, "--disable-arp-ping", "--max-retries", "1", "-T4", "-oG", "-", str(around)]
        done = red.run([*argv, "--host-timeout", "5s"], timeout_s=20)
        up = f"Host: {stage.target} ()\tStatus: Up" in done.stdout
        return receipt(red, stage, started, measured=up, detail=done.stdout)


class VulnScan(Scripted):
    """A scanner's scripts against a web server; one finds a page that says too much."""

    id = "vuln-scan"
    about = "nmap's scripts look for weak spots of a web server"
    tactic = RECONNAISSANCE
    technique = "T1595.002"
    service_kinds = ("http",)
    tools = (NMAP,)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 80
    sid, classification, app = 9002002, "attempted-recon", "http"
    alerts = 3

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """Five scripts, 15 seconds at most."""
        argv = ["nmap", "-n", "-Pn", "-sT", "-p", str(self.at(stage)), "--script", SCRIPTS]
        yield Command([*argv, "--host-timeout", "15s", str(stage.target)], 20)


class WordlistScan(Scripted):
    """Paths from a word list, one of them forgotten by its owner."""

    id = "wordlist-scan"
    about = "curl asks for every path of a word list"
    tactic = RECONNAISSANCE
    technique = "T1595.003"
    service_kinds = ("http",)
    tools = (CURL,)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 80
    sid, classification, app = 9002003, "attempted-recon", "http"
    alerts = 2

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """At most `MOST_WORDS` paths in one run of curl."""
        words = [*WORDS[: number(stage, "words", 50, MOST_WORDS)], FOUND_LATE]
        base = f"http://{literal(stage.target)}:{self.at(stage)}"
        argv = ["curl", "-sS", "--connect-timeout", "2", "--max-time", "2", "--fail-early"]
        yield Command([*argv, *(f"{base}/{word}" for word in words)], 15)


class DnsAxfr(Scripted):
    """The whole zone, please."""

    id = "dns-axfr"
    about = "dig asks a name server for its whole zone"
    tactic = RECONNAISSANCE
    technique = "T1590.002"
    service_kinds = ("dns",)
    tools = (DIG,)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 53
    sid, classification, app = 9002004, "attempted-recon", "dns"

    def commands(self, red: Red, stage: Stage) -> Iterable[Command]:
        """One transfer."""
        server = [f"@{stage.target}", "-p", str(self.at(stage))]
        yield Command(["dig", *server, "+time=2", "+tries=1", ZONE, "AXFR"])


class BannerGrab(Talk):
    """What are you, and which version?"""

    id = "banner-grab"
    about = "A mail server is asked what it is"
    tactic = RECONNAISSANCE
    technique = "T1592.002"
    service_kinds = ("smtp",)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")
    port = 25
    says = ("HELP\r\nVRFY root\r\n", "QUIT\r\n")
    speaks_first = True
    sid, classification = 9002005, "attempted-recon"
