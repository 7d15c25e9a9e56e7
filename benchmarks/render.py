"""How many actions a second one core renders, for every dialect.

    python -m benchmarks.render [--seconds 0.5] [--dialect NAME]... [--json]

The configuration is what an emulated device of the dialect answers with, read anew as text every time. A row is one
operation: `rendered_per_s` renders the edit that makes it hold; `undone_per_s` its removal from what then holds;
`parsed_per_s` reads the configuration into the neutral model, once for all operations that a plan has for a device.
CPU time of one thread is what counts. All figures of a dialect are measured in turn, round after round, and the median
round counts: a slow spell of the machine falls on all of them and not on one. The slowest operation of each dialect is
to render 2,000 times a second.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from ipaddress import ip_network
from statistics import median
from typing import Any

from benchmarks.table import show
from labs.emulator import EmulatedFleet, Make, mixed
from labs.emulator.mix import emulated
from labs.emulator.profile import load_profile
from labs.fleet.change import described
from secloop_ai.contracts import (
    AdminOp,
    DeviceOperation,
    Dialect,
    DialectError,
    Direction,
    DiscardOp,
    FilterOp,
    PacketRule,
    PortRange,
    RuleAction,
    SecLoopError,
    TaggedOp,
)
from secloop_ai.dialects import dialect, known
from secloop_ai.loop.devices import read_running

TAG = "be4c400000-0"
SSH = PortRange(low=22, high=22)
DROP, PERMIT = RuleAction.DROP, RuleAction.PERMIT
ATTACKER, PEER = ip_network("203.0.113.66/32"), ip_network("198.51.100.7/32")
ATTACKER_V6 = ip_network("2001:db8:66::66/128")
RATE = 12_500.0
ROUNDS = 7
Act = Callable[[], object]
NEEDS = {"rate_limit": "rate_limit", "shutdown_port": "shutdown_port", "blackhole_route": "blackhole_route"}


def operations(outside: str, access: str) -> dict[str, DeviceOperation]:
    """One operation of each kind, by the action that calls for it."""

    def filtered(*rules: PacketRule, family: int = 4, rank: int = 0) -> FilterOp:
        given = {"interface": outside, "direction": Direction.INGRESS, "family": family, "rank": rank, "rules": rules}
        return FilterOp.model_validate(given)

    ssh = {"protocol": 6, "destination_port": SSH}
    return {
        "block_ip": filtered(PacketRule(name="r", action=DROP, source=ATTACKER)),
        "block_ip, IPv6": filtered(PacketRule(name="r", action=DROP, source=ATTACKER_V6), family=6),
        "block_flow": filtered(PacketRule(name="r", action=DROP, source=ATTACKER, destination=PEER, **ssh)),
        "rate_limit": filtered(PacketRule(name="r", action=PERMIT, source=ATTACKER, rate_bytes_per_s=RATE), rank=1),
        "restrict_service": filtered(
            PacketRule(name="a", action=PERMIT, source=PEER, destination=ATTACKER, **ssh),
            PacketRule(name="b", action=DROP, destination=ATTACKER, **ssh),
            rank=2,
        ),
        "blackhole_route": DiscardOp(prefix=ATTACKER),
        "shutdown_port": AdminOp(interface=access),
    }


def measure(name: str, seconds: float) -> list[dict[str, Any]]:
    """A row per operation of a dialect."""
    spoken, ports = dialect(name), load_profile(name).ports
    with EmulatedFleet(mixed(1, [Make(name)])) as devices:
        device = described(devices[0])
        running, failed = read_running([device], {}, concurrency=1)
    if failed:
        raise failed[device.name]
    data, refused = running[device.name].data, spoken.not_offered(running[device.name].capabilities)
    acts: dict[str, dict[str, Act]] = {}
    for action, op in operations(ports["outside"], ports["access"]).items():
        if NEEDS.get(action) in refused:
            continue
        try:
            acts[action] = _acts(spoken, data, op)
        except DialectError as error:
            print(f"{name}: {action} is not measured: {error}", file=sys.stderr)
    for act in (act for own in acts.values() for act in own.values()):
        act()  # a warm-up
    rounds = [
        {
            (action, figure): _per_second(act, seconds / ROUNDS)
            for action, own in acts.items()
            for figure, act in own.items()
        }
        for _ in range(ROUNDS)
    ]
    return [
        {
            "dialect": name,
            "operation": action,
            "configuration_bytes": len(data),
            **{figure: median(r[action, figure] for r in rounds) for figure in own},
        }
        for action, own in acts.items()
    ]


def _acts(spoken: Dialect, data: str, op: DeviceOperation) -> dict[str, Act]:
    """What is done again and again for each figure of an operation.

    Raises:
        DialectError: the dialect cannot render it.
    """
    ops = [TaggedOp(tag=TAG, op=op)]
    after = spoken.apply(data, ops).after
    return {
        "parsed_per_s": lambda: spoken.parse(data),
        "rendered_per_s": lambda: spoken.apply(data, ops),
        "undone_per_s": lambda: spoken.remove(after, ops),
    }


def _per_second(act: Act, seconds: float) -> float:
    """Of this thread's CPU time."""
    count, began = 0, time.thread_time()
    while (spent := time.thread_time() - began) < seconds:
        act()
        count += 1
    return count / spent


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.render", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=0.5, help="of CPU time for each figure")
    parser.add_argument("--dialect", action="append", help="only this one; several may be given")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    names = options.dialect or [n for n in known() if n in emulated()]
    rows: list[dict[str, Any]] = []
    bad = 0
    for name in names:
        try:
            rows += measure(name, options.seconds)
        except (SecLoopError, KeyError) as error:
            bad += 1
            print(f"{name} is not measured: {error}", file=sys.stderr)
    title = "actions rendered a second on one core (at least 2,000 for each dialect's slowest)"
    show(rows, as_json=options.json, title=title)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
