"""What one alert may have been, as an attack means that the fast model can play."""

from __future__ import annotations

from collections.abc import Sequence

from labs.attacks.base import Exchange, Means, Observable, Receipt, Red, Tactic
from labs.scenario import Stage
from labs.simulator.script import DENIAL
from secloop_ai.contracts import AlertSummary, Host
from secloop_ai.contracts.errors import LabError

NUMBERS = {"tcp": 6, "udp": 17, "icmp": 1}
RESERVED = 255
"""Stands for a protocol that an alert calls `other` (IANA keeps 253 to 255 for experiments and itself)."""
SSH_PORT, DNS_PORT = 22, 53
PASSWORDS, DENIED, HALF_OPEN = ("T1110", "T1021.004"), DENIAL, ("T1498.001", "T1499.001")
"""Techniques (with what is below them) that guess passwords, take a service away, fill its queue of connections."""
FLOOD_BYTES_PER_S, PATIENCE_S = 1_250_000, 10.0
"""What is taken for a flood that hurts: 10 Mbit/s for ten seconds (our choice; counters of alerts see a part of it)."""


class Suspicion(Means):
    """An exchange like the one that set an alert off, from the alert's client to its server.

    It succeeds when it gets through. Made by `suspicion`; it is played on the fast model alone.
    """

    id = "suspicion"
    about = "what an alert tells of"
    tactic = Tactic(id="TA0043", name="Reconnaissance")
    technique = "T1046"

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """One: answered where an answer was seen, and a flood where the technique says so."""
        flood = bool(stage.params["flood"])
        return (
            Exchange(
                initiator=stage.source,
                responder=stage.target,
                protocol=NUMBERS.get(stage.protocol, RESERVED),
                port=stage.port,
                two_way=bool(stage.params["answered"]),
                bytes_needed=int(FLOOD_BYTES_PER_S * PATIENCE_S) if flood else int(stage.params["bytes"]),
                bytes_per_s=FLOOD_BYTES_PER_S if flood else 0,
                patience_s=PATIENCE_S,
            ),
        )

    def observables(self, stage: Stage) -> tuple[Observable, ...]:  # noqa: ARG002 - it comes of an alert and makes none
        """None."""
        return ()

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Never.

        Raises:
            LabError: a guess is no tool.
        """
        raise LabError(f"{stage.means}: what an alert may have been cannot be run on {red.address()}")


def suspicion(summaries: Sequence[AlertSummary], target: Host | None) -> Means:
    """The means behind the alerts of one exchange.

    Args:
        summaries: of the same client, server and port; one at least.
        target: the inventory's host at the server's address.
    """
    techniques = dict.fromkeys(t for s in summaries for t in s.techniques)
    technique = next((t for t in techniques if below(t, DENIED)), next(iter(techniques), Suspicion.technique))
    domains = [d for s in summaries for d in s.domains]
    resolver = bool(target and target.access and target.access.resolver)
    facts = {
        "technique": technique,
        "countered_by": _countered(summaries, set(techniques)),
        "asks": domains[0] if domains and resolver else "",
        "__doc__": Suspicion.__doc__,
    }
    made: Means = type("Suspicion", (Suspicion,), facts)()
    return made


def below(technique: str, parents: Sequence[str]) -> bool:
    """Whether a technique is one of these or of their sub-techniques."""
    return any(f"{technique}.".startswith(f"{p}.") for p in parents)


def answered(summary: AlertSummary) -> bool:
    """Whether the exchange needs answers, as far as one can see."""
    return summary.handshake or summary.flow.packets_to_client > 0


def floods(summary: AlertSummary) -> bool:
    """Whether the exchange is a flood, which a rate limit may stop."""
    return any(below(t, DENIED) for t in summary.techniques)


def _countered(summaries: Sequence[AlertSummary], techniques: set[str]) -> tuple[str, ...]:
    """Host actions on the server that end such an exchange, by what ATT&CK says of its techniques."""
    ports = {s.destination_port for s in summaries if s.to_server}
    found = ["close_port", *(["stop_process"] if any(map(answered, summaries)) else [])]
    if SSH_PORT in ports and any(below(t, PASSWORDS) for t in techniques):
        found += ["secure_sshd", "disable_account"]
    if any(below(t, HALF_OPEN) for t in techniques):
        found.append("harden_kernel")
    if DNS_PORT in ports:
        found.append("dns_sinkhole")
    return tuple(found)
