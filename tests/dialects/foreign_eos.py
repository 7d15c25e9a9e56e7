"""Random configurations of an EOS device that nobody of ours has touched."""

from __future__ import annotations

from secloop_ai.contracts import PacketRule, RuleAction
from secloop_ai.dialects.eos import DIALECT

from .foreign_openconfig import KEYS, ODD, Flavour, configurations
from .properties import Play

INTERFACES = ("Ethernet1", "Ethernet2.10", "Management1")
FLAVOUR = Flavour(
    interfaces=INTERFACES,
    actions=("ACCEPT", "DROP"),
    types=("ACL_IPV4", "ACL_IPV6", "ACL_L2"),
    masks=True,
    parts=ODD["parts"][1:],
)


def takes(rule: PacketRule) -> bool:
    return rule.rate_bytes_per_s is None and rule.action is not RuleAction.REJECT


PLAY = Play(dialect=DIALECT, configurations=configurations(FLAVOUR), keys=KEYS, interfaces=INTERFACES, takes=takes)
