"""What the means share: tactics, tools, and the way from a stage to exchanges, alerts and receipts."""

from __future__ import annotations

import random
import sys
from ipaddress import IPv6Address
from pathlib import Path

from labs.scenario import Stage
from secloop_ai.contracts import IPAddress

from .base import Done, Exchange, Observable, Receipt, Red, Tactic, Tool

OVER = "over"
"""The parameter that says by which protocol a retry comes; scenarios leave it out."""
HANDS = Path(__file__).resolve().parent / "hands"

RECONNAISSANCE = Tactic(id="TA0043", name="Reconnaissance")
INITIAL_ACCESS = Tactic(id="TA0001", name="Initial Access")
EXECUTION = Tactic(id="TA0002", name="Execution")
PERSISTENCE = Tactic(id="TA0003", name="Persistence")
CREDENTIAL_ACCESS = Tactic(id="TA0006", name="Credential Access")
DISCOVERY = Tactic(id="TA0007", name="Discovery")
LATERAL_MOVEMENT = Tactic(id="TA0008", name="Lateral Movement")
COLLECTION = Tactic(id="TA0009", name="Collection")
COMMAND_AND_CONTROL = Tactic(id="TA0011", name="Command and Control")
EXFILTRATION = Tactic(id="TA0010", name="Exfiltration")
IMPACT = Tactic(id="TA0040", name="Impact")

CURL = Tool(program="curl", package="curl")
SEVERITY = {
    "attempted-admin": 1,
    "web-application-attack": 1,
    "attempted-recon": 2,
    "attempted-dos": 2,
    "bad-unknown": 2,
    "misc-attack": 2,
    "policy-violation": 1,
    "command-and-control": 1,
}
"""Priority of each classification the battlefield's rules use (classification.config)."""


class Bounds:
    """The most that any means does, whatever a scenario asks."""

    ATTEMPTS = 200
    PACKETS_PER_S = 2000
    SECONDS = 20.0
    BYTES = 4 << 20
    PORTS = 5000


def number(stage: Stage, name: str, default: int, most: int) -> int:
    """A parameter of the stage as a whole number between 1 and `most`."""
    return max(1, min(most, int(stage.params.get(name, default))))


def word(stage: Stage, name: str, default: str) -> str:
    """A parameter of the stage as text."""
    return str(stage.params.get(name, default))


def over(stage: Stage, protocol: str) -> Stage:
    """The stage by that protocol instead of the means' usual one."""
    return stage.model_copy(update={"params": {**stage.params, OVER: protocol}})


def goes_over(stage: Stage, protocol: str) -> bool:
    """Whether `over` was asked for it."""
    return stage.params.get(OVER) == protocol


def port_of(stage: Stage, default: int) -> int:
    """The stage's port, or the usual one."""
    return stage.port if stage.port is not None else default


def dice(stage: Stage) -> random.Random:
    """The stage's own randomness: the same stage attacks the same way every time."""
    return random.Random(stage.seed)


def literal(address: IPAddress) -> str:
    """The address as it stands in a URL."""
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


def exchange(stage: Stage, port: int | None, *, protocol: int = 6, two_way: bool = True, **more: float) -> Exchange:
    """Source to target of the stage."""
    return Exchange.model_validate(
        {
            "initiator": stage.source,
            "responder": stage.target,
            "protocol": protocol,
            "port": port,
            "two_way": two_way,
            **more,
        }
    )


def observable(sid: int, classification: str, technique: str, **more: object) -> Observable:
    """An alert of the battlefield's rules; its severity follows from the classification."""
    known = {"classification": classification, "severity": SEVERITY[classification], "techniques": (technique,)}
    return Observable.model_validate({"sid": sid, **known, **more})


def receipt(
    red: Red, stage: Stage, started_s: float, *, canary: str | None = None, measured: bool = False, detail: str = ""
) -> Receipt:
    """What came of an attempt: it succeeded if it brought the canary, or by the attacker's own measurement."""
    now = red.clock_s()
    succeeded = measured or canary is not None
    return Receipt(
        stage=stage.index,
        means=stage.means,
        attempted=True,
        succeeded=succeeded,
        canary=canary,
        detail=" ".join(detail.split())[:400],
        started_s=started_s,
        ended_s=now,
        last_success_s=now if succeeded else None,
    )


def obtained(red: Red, stage: Stage, text: str) -> str | None:
    """The stage's canary, if the text holds it."""
    token = red.canary(stage)
    return token if token and token in text else None


def hand(red: Red, name: str, *arguments: str, timeout_s: float) -> Done:
    """Run ``hands/NAME.py`` where the stage starts. The program goes by standard input: no file need be seen there."""
    text = (HANDS / f"{name}.py").read_text(encoding="utf-8")
    return red.run([sys.executable, "-I", "-S", "-", *arguments], timeout_s=timeout_s, stdin=text)
