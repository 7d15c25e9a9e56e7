"""Attack means that nobody has met: drawn at random, for the fast model alone.

A policy that learned from a fixed list of means would know the list. These differ in everything a sensor may see (rule,
technique, protocol, application, handshake, how many alerts) and in the traffic they need; what stops them follows from
that traffic. They are never played with packets.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Literal

from labs.attacks.base import Exchange, Means, Observable, Receipt, Red, Tactic
from labs.scenario import Stage
from labs.scenario.draw import rng
from labs.simulator import registered
from secloop_ai.contracts.errors import LabError
from secloop_ai.policies.embedded.features import APPS, CLASSES, tactics

PREFIX = "drawn"
Aim = Literal["service", "host", "outside"]
KEPT = 4096
NUMBER = {"tcp": 6, "udp": 17, "icmp": 1}
FIRST_SID = 8_000_000
_PORTS = (53, 80, 123, 443, 587, 1883, 3333, 4444, 5222, 6667, 8080, 8443)
_LOUD = tuple(c for c in CLASSES if c not in ("not-suspicious", "unknown", "misc-activity"))
_UDP_APPS = tuple(a for a in APPS if a in ("dns", "snmp", "dhcp", "ntp", "tftp", "sip", "quic", "ike"))
_TCP_APPS = tuple(a for a in APPS if a not in _UDP_APPS and a != "arp")


def _chance(dice: random.Random, share: float) -> bool:
    return dice.random() < share


class DrawnMeans(Means):
    """One such means.

    Args:
        aim: what it is aimed at.
        dice: of its protocol, port and alerts.
    """

    id = "drawn"
    about = "Drawn at random"

    def __init__(self, aim: str, dice: random.Random) -> None:
        self.aim = aim
        self._proto = "tcp" if _chance(dice, 0.6) else dice.choice(("udp", "udp", "icmp"))
        self._port = dice.choice((*_PORTS, dice.randint(1024, 60_000)))
        self._flood = aim == "service" and _chance(dice, 0.15)
        self._seen = tuple(self._observable(dice, n) for n in range(dice.choice((1, 1, 1, 2))))

    def _observable(self, dice: random.Random, number: int) -> Observable:
        shaken = self._proto == "tcp" and _chance(dice, 0.65)
        apps = _TCP_APPS if self._proto == "tcp" else _UDP_APPS
        named = self._proto != "icmp" and (shaken or _chance(dice, 0.5))
        known = (self.technique,) if _chance(dice, 0.8) else ()
        return Observable(
            sid=FIRST_SID + dice.randint(0, 900_000) + number,
            classification=dice.choice(_LOUD),
            techniques=known,
            severity=dice.choice((1, 1, 2, 2, 3)),
            app_protocol=dice.choice(apps) if named else None,
            handshake=shaken,
            to_server=_chance(dice, 0.8),
            count=dice.choice((1, 1, 2, 3, 6, 12, 40, 150)),
        )

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """One, to the service it is aimed at, or by its own protocol and port."""
        protocol = stage.protocol if self.aim == "service" else self._proto
        port = stage.port if self.aim == "service" else None if protocol == "icmp" else self._port
        return (
            Exchange(
                initiator=stage.source,
                responder=stage.target,
                protocol=NUMBER.get(protocol, 6),
                port=port,
                two_way=not self._flood and protocol != "icmp",
            ),
        )

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """What the drawn rules say; nothing that its traffic could not show."""
        if self.aim != "service" or stage.protocol == self._proto:
            return self._seen
        plain = {"handshake": False, "app_protocol": None}
        return tuple(o.model_copy(update=plain) for o in self._seen)

    def run(self, red: Red, stage: Stage) -> Receipt:  # noqa: ARG002 - it has no hands
        """Not with packets.

        Raises:
            LabError: always.
        """
        raise LabError(f"{stage.means}: a drawn means is of the fast model alone")


@lru_cache(KEPT)
def means_source(name: str) -> Means:
    """A drawn means, or one of labs/attacks.

    Raises:
        LabError: there is no such means.
    """
    return drawn(name) if name.startswith(f"{PREFIX}-") else registered(name)


def drawn(name: str) -> DrawnMeans:
    """The means of a name ``drawn-AIM-NUMBER``; equal names are equal means."""
    _, aim, _ = name.split("-", 2)
    dice = rng("means", name)
    technique = dice.choice(tuple(tactics()))
    own = {
        "technique": technique,
        "tactic": Tactic(id=tactics()[technique], name="Drawn"),
        "countered_by": ("close_port", "stop_process") if aim == "service" else (),
    }
    kind: type[DrawnMeans] = type("Drawn", (DrawnMeans,), own)
    return kind(aim, dice)
