"""A view as lines of a terminal: fits any size from 80 x 24, says everything in words, colour only adds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.text import Text

from secloop_ai.loop.story import time_left

from .view import AlertRow, MitigationRow, PortRow, View

LEAST_WIDTH, LEAST_HEIGHT = 40, 12
STATES = {
    "succeeded": "bold red",
    "running": "bold yellow",
    "failed": "green",
    "not-attempted": "green",
    "waiting": "dim",
}
HELP = "q quit  n next"


class Block(NamedTuple):
    """A part of the frame.

    Attributes:
        title: its heading.
        rows: the most important first.
        share: of the room, when not all rows fit.
        empty: what stands there without rows.
    """

    title: str
    rows: tuple[Text, ...]
    share: int
    empty: str


def frame(view: View | None, place: str, width: int, height: int) -> Text:
    """The whole screen, at most `height` lines of at most `width` characters.

    Args:
        view: None when there is nothing to look at.
        place: which of how many, for the first line.
        width: of the terminal, in characters.
        height: of the terminal, in lines.
    """
    width, height = max(width, LEAST_WIDTH), max(height, LEAST_HEIGHT)
    if view is None:
        lines = [Text("secloop lab top", style="bold"), Text(""), Text("No battlefield and no lab stands here.")]
        lines += [Text("`secloop lab play SUITE/SCENARIO` makes one; this screen finds it by itself.")]
    else:
        head = list(head_lines(view, place))
        lines = [*head, *body(blocks(view), height - len(head) - 1)]
    lines = [*lines[: height - 1], Text(f"{HELP}   packets and bytes per second, in = into the gateway", style="dim")]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Text("\n").join(lines)


def head_lines(view: View, place: str) -> Iterator[Text]:
    """Who and when, and how the attack stands."""
    first = Text.assemble(
        (view.name, "bold"), f" ({place})  {view.case}  ", (view.state, "bold" if view.state == "playing" else "")
    )
    if view.clock_s is not None:
        first.append(f"  t+{view.clock_s:.1f} s")
    sensor = view.sensor or "not started"
    first.append(f"  sensor {sensor}", style="bold red" if sensor == "gone" else "green" if sensor == "alive" else "")
    yield first
    if view.mode:
        who = f" by {view.policy}" if view.policy else ""
        yield Text(f"{view.mode}{who}: {view.phase}")
    for stage in view.stages:
        took = "" if stage.seconds is None else f" {stage.seconds:.1f} s"
        word = stage.state.replace("-", " ")
        line = Text(f"stage {stage.stage} {stage.means}: {stage.source} to {stage.target}  ")
        yield line.append(f"{word}{took}", style=STATES[stage.state])
    for note in view.notes:
        yield Text(f"note: {note}", style="red")


def blocks(view: View) -> list[Block]:
    """The parts below the head."""
    ports = sorted(view.ports, key=lambda p: -p.packets_per_s)
    failing = sorted(view.probes, key=lambda p: (not p.failing, p.served >= p.tries))
    broken = sum(p.failing for p in view.probes)
    said = f"{broken} of {len(view.probes)} failing" if broken else f"all {len(view.probes)} served"
    probes = [
        Text(f"  {p.client} to {p.service}  {p.served}/{p.tries}  ").append(
            "FAILING" if p.failing else "ok", style="bold red" if p.failing else "green"
        )
        for p in failing
    ]
    return [
        Block(
            f"PORTS {'':25}{'in pkt':>9}{'out pkt':>9}{'in B':>9}{'out B':>9}",
            tuple(map(port_line, ports)), 4, "no counters",
        ),
        Block(f"ALERTS {view.alerts_seen}", tuple(map(alert_line, view.alerts)), 3, "none"),
        Block(f"MITIGATIONS {len(view.mitigations)}", tuple(map(mitigation_line, view.mitigations)), 2, "none active"),
        Block(f"PROBES {said}" if view.probes else "PROBES", tuple(probes), 2, "nobody tries, or nobody says"),
    ]  # fmt: skip


def body(parts: Sequence[Block], room: int) -> list[Text]:
    """The blocks in that many lines: each gets its share, what one leaves the others take."""
    wanted = [max(1, len(p.rows)) for p in parts]
    given = [1 for _ in parts]
    left = room - 2 * len(parts)
    while left > 0 and any(g < w for g, w in zip(given, wanted, strict=True)):
        poorest = min(
            (n for n in range(len(parts)) if given[n] < wanted[n]), key=lambda n: (given[n] / parts[n].share, n)
        )
        given[poorest] += 1
        left -= 1
    lines: list[Text] = []
    for part, count in zip(parts, given, strict=True):
        lines += block_lines(part, count)
    return lines


def block_lines(part: Block, count: int) -> Iterator[Text]:
    """The heading and that many lines; what does not fit is counted in the heading."""
    more = len(part.rows) - count
    yield Text(part.title + (f"  (+{more} more)" if more > 0 else ""), style="bold")
    yield from part.rows[:count] or [Text(f"  {part.empty}", style="dim")]


def port_line(port: PortRow) -> Text:
    """A port and who hangs on it."""
    who = ", ".join(port.hosts) or port.zone
    name = f"  {port.device} {port.port} {who}"
    name = name if len(name) <= 31 else name[:30] + "…"  # noqa: PLR2004 - the first column
    figures = (port.packets_in_per_s, port.packets_out_per_s, port.bytes_in_per_s, port.bytes_out_per_s)
    return Text(f"{name:31}" + "".join(f"{figure(f):>9}" for f in figures), style="" if port.packets_per_s else "dim")


def alert_line(alert: AlertRow) -> Text:
    """An alert, by its typed fields."""
    port = f":{alert.destination_port}" if alert.destination_port is not None else ""
    line = Text(f"  {alert.age_s:5.1f} s ago  {alert.count:>4} x {alert.source} to {alert.destination}{port}  ")
    return line.append(f"{alert.signature_id} {alert.name or alert.classification}", style="yellow")


def mitigation_line(mitigation: MitigationRow) -> Text:
    """A mitigation and how long it stays."""
    state = "" if mitigation.state == "active" else f" ({mitigation.state.replace('_', ' ')})"
    line = Text(f"  {time_left(mitigation.left_s)} left{state}  on {', '.join(mitigation.places)}  ")
    return line.append(mitigation.action, style="cyan")


def figure(value: float) -> str:
    """A rate in few characters."""
    for limit, size, unit in ((10_000, 1, ""), (10_000_000, 1000, "k"), (10_000_000_000, 1_000_000, "M")):
        if value < limit:
            return f"{value / size:.0f}{unit}"
    return f"{value / 1e9:.0f}G"
