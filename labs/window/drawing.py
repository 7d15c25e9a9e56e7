"""Where everything of a topology is drawn: gateways in a row, their zones below, the outside above. Pure geometry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .timeline import CaseFacts, NodeFact, PortFact, StageFact

COLUMN, BETWEEN, MARGIN = 324, 44, 12
"""Width of a gateway's column, of the gap between two, and of the border."""
NODE_W, NODE_H, GAP = 142, 40, 8
HEAD = 24
"""Height of a zone's title."""
GATEWAY_W, GATEWAY_H = 150, 46
TRUNK = 16
LONGEST = 19
"""Characters of a name that fit into a node."""


class Box(NamedTuple):
    """A rectangle with its words.

    Attributes:
        port: key of the port whose traffic is written into it; empty for none.
    """

    name: str
    kind: str
    x: float
    y: float
    w: float
    h: float
    label: str
    sub: str = ""
    title: str = ""
    port: str = ""

    @property
    def centre(self) -> tuple[float, float]:
        """Its middle."""
        return self.x + self.w / 2, self.y + self.h / 2


class Zone(NamedTuple):
    """A zone of one gateway: a frame around hosts."""

    x: float
    y: float
    w: float
    h: float
    label: str
    port: str


class Cable(NamedTuple):
    """A line between two gateways, or from a gateway to its zones."""

    path: str
    port: str = ""
    x: float = 0.0
    y: float = 0.0


class Arrow(NamedTuple):
    """The way of a stage."""

    stage: int
    path: str
    label: str


class Drawing(NamedTuple):
    """All of it."""

    width: float
    height: float
    zones: tuple[Zone, ...]
    boxes: tuple[Box, ...]
    cables: tuple[Cable, ...]
    arrows: tuple[Arrow, ...]


class _Group(NamedTuple):
    """The ports of one zone on one gateway."""

    zone: str
    ports: tuple[PortFact, ...]

    @property
    def members(self) -> int:
        return sum(len(p.members) for p in self.ports)

    @property
    def height(self) -> float:
        rows = -(-max(1, self.members) // 2)
        return HEAD + rows * (NODE_H + GAP) + GAP


def draw_topology(facts: CaseFacts) -> Drawing:
    """Place every node, cable and stage."""
    outside = {n.zone for n in facts.nodes if n.kind == "attacker"}
    columns = [_groups(facts, gateway) for gateway in order(facts)]
    above = max([sum(g.height + GAP for g in column if g.zone in outside) for column in columns], default=0.0)
    row = MARGIN + above + 26
    zones: list[Zone] = []
    boxes: list[Box] = []
    cables: list[Cable] = []
    for number, (gateway, column) in enumerate(zip(order(facts), columns, strict=True)):
        left = MARGIN + number * (COLUMN + BETWEEN)
        boxes.append(_gateway(facts, gateway, left, row))
        over = [g for g in column if g.zone in outside]
        under = [g for g in column if g.zone not in outside]
        top = row - 26 - sum(g.height + GAP for g in over)
        for groups, start in ((over, top), (under, row + GATEWAY_H + 26)):
            for group, y in _stacked(groups, start):
                zones.append(_zone(group, left + TRUNK, y))
                boxes += _members(facts, group, left + TRUNK, y)
                cables.append(_trunk(left, row, y, group.height))
    cables += _between(facts, boxes)
    width = 2 * MARGIN + len(columns) * COLUMN + (len(columns) - 1) * BETWEEN
    height = max([z.y + z.h for z in zones] + [row + GATEWAY_H]) + MARGIN
    return Drawing(width, height, tuple(zones), tuple(boxes), tuple(cables), tuple(_arrows(facts, boxes)))


def order(facts: CaseFacts) -> list[str]:
    """Gateways from left to right: the attacker's first, then by how they hang on each other."""
    names = [n.name for n in facts.nodes if n.kind == "gateway"]
    attackers = {n.name for n in facts.nodes if n.kind == "attacker"}
    first = next((p.device for p in facts.ports if attackers & set(p.members)), names[0] if names else "")
    found: list[str] = []
    waiting = [first, *names]
    while waiting:
        name = waiting.pop(0)
        if name in found or name not in names:
            continue
        found.append(name)
        peers = [c.other if c.one == name else c.one for c in facts.cables if name in {c.one, c.other}]
        waiting = [*peers, *waiting]
    return found


def _groups(facts: CaseFacts, gateway: str) -> list[_Group]:
    own = [p for p in facts.ports if p.device == gateway and p.zone != "link"]
    zones = dict.fromkeys(p.zone for p in own)
    return [_Group(zone, tuple(p for p in own if p.zone == zone)) for zone in zones]


def _stacked(groups: Iterable[_Group], y: float) -> Iterator[tuple[_Group, float]]:
    for group in groups:
        yield group, y
        y += group.height + GAP


def _gateway(facts: CaseFacts, name: str, left: float, row: float) -> Box:
    node = facts.node(name)
    addresses = ", ".join(map(str, node.addresses)) if node else ""
    x = left + (COLUMN - GATEWAY_W) / 2
    return Box(name, "gateway", x, row, GATEWAY_W, GATEWAY_H, short(name), "gateway", f"{name}: {addresses}")


def _zone(group: _Group, x: float, y: float) -> Zone:
    """A switched zone has one port, whose traffic stands in the title."""
    switched = len(group.ports) == 1 and group.members > 1
    words = f"{group.zone}, {group.ports[0].port} (switch)" if switched else group.zone
    return Zone(x, y, COLUMN - TRUNK, group.height, words, group.ports[0].key if switched else "")


def _members(facts: CaseFacts, group: _Group, x: float, y: float) -> Iterator[Box]:
    """Two in a row, each with its own port's traffic where it has one."""
    places = [(port, member) for port in group.ports for member in port.members]
    for number, (port, member) in enumerate(places):
        own = port.key if len(port.members) == 1 else ""
        left = x + GAP + (number % 2) * (NODE_W + GAP)
        top = y + HEAD + (number // 2) * (NODE_H + GAP)
        yield _node(facts.node(member), member, left, top, own)


def _node(node: NodeFact | None, name: str, x: float, y: float, port: str) -> Box:
    if node is None:
        return Box(name, "host", x, y, NODE_W, NODE_H, short(name), port=port)
    services = " ".join(s.name for s in node.services)
    sub = "attacker" if node.kind == "attacker" else services or ("client" if not node.infected else "")
    sub = f"{sub} implant".strip() if node.infected else sub
    title = f"{node.name} ({node.zone}): {', '.join(map(str, node.addresses))}"
    told = "; ".join(f"{s.name} {s.protocol}/{s.port}" for s in node.services)
    return Box(
        name, node.kind, x, y, NODE_W, NODE_H, short(name), short(sub), f"{title}. {told}" if told else title, port
    )


def short(name: str) -> str:
    """What fits into a node."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def _trunk(left: float, row: float, y: float, height: float) -> Cable:
    """From the gateway to the column's edge, along it, and into the zone."""
    edge, middle = left + TRUNK / 2, left + (COLUMN - GATEWAY_W) / 2
    level, into = row + GATEWAY_H / 2, y + height / 2
    return Cable(f"M{middle:g} {level:g}H{edge:g}V{into:g}H{left + TRUNK:g}")


def _between(facts: CaseFacts, boxes: Sequence[Box]) -> Iterator[Cable]:
    """Cables of gateways: straight to the neighbour, else in an arc below."""
    at = {b.name: b for b in boxes if b.kind == "gateway"}
    for cable in facts.cables:
        one, other = sorted((at[cable.one], at[cable.other]), key=lambda b: b.x)
        port = cable.one_port if one.name == cable.one else cable.other_port
        y, far = one.y + GATEWAY_H / 2, other.x - one.x - GATEWAY_W
        middle = one.x + GATEWAY_W + far / 2
        if far < COLUMN:
            yield Cable(f"M{one.x + GATEWAY_W:g} {y:g}H{other.x:g}", f"{one.name}/{port}", middle, y - 7)
            continue
        start, end, low = one.x + GATEWAY_W - 24, other.x + 24, one.y + GATEWAY_H
        path = f"M{start:g} {low:g}C{start:g} {low + 28:g} {end:g} {low + 28:g} {end:g} {low:g}"
        yield Cable(path, f"{one.name}/{port}", middle, low + 17)


def _arrows(facts: CaseFacts, boxes: Sequence[Box]) -> Iterator[Arrow]:
    at = {b.name: b for b in boxes}
    attacker = next((b for b in boxes if b.kind == "attacker"), None)
    for stage in facts.stages:
        source, target = at.get(stage.source_host or "", attacker), at.get(stage.target_host or "", attacker)
        if source and target and source.name != target.name:
            yield Arrow(stage.index, _bow(source, target, stage), f"{stage.index + 1} {stage.means}")


def _bow(source: Box, target: Box, stage: StageFact) -> str:
    """A bow from edge to edge; each stage swings out a little more, so that ways there and back lie apart."""
    (x1, y1), (x2, y2) = source.centre, target.centre
    swing = 26 + 14 * stage.index
    across = x2 - x1, y2 - y1
    size = max(1.0, (across[0] ** 2 + across[1] ** 2) ** 0.5)
    bend = (x1 + x2) / 2 - across[1] / size * swing, (y1 + y2) / 2 + across[0] / size * swing
    (x1, y1), (x2, y2) = _edge(source, bend), _edge(target, bend)
    return f"M{x1:.0f} {y1:.0f}Q{bend[0]:.0f} {bend[1]:.0f} {x2:.0f} {y2:.0f}"


def _edge(box: Box, towards: tuple[float, float]) -> tuple[float, float]:
    """Where the line from the box's middle to a point leaves the box."""
    (x, y), (far_x, far_y) = box.centre, towards
    steps = [half / abs(way) for half, way in ((box.w / 2, far_x - x), (box.h / 2, far_y - y)) if abs(way) > half]
    share = min(steps, default=0.0)
    return x + (far_x - x) * share, y + (far_y - y) * share
