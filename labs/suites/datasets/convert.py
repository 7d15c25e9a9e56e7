"""From a CSV file of flows to a file of EVE alerts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TextIO

from labs.suites.load import SuiteError
from secloop_ai.contracts.base import Frozen

from .cicflow import CIC_IDS2017, CSE_CIC_IDS2018
from .flow import PORTED, BadRow, LabelledFlow, Layout, Row
from .labels import Meaning, meaning
from .unsw import UNSW_NB15

LAYOUTS = (CIC_IDS2017, CSE_CIC_IDS2018, UNSW_NB15)
MOST_BAD_ROWS = 20
MOST_COUNTED = 2**40
BYTE_ORDER_MARK = "\u00ef\u00bb\u00bf"
"""As it reads in latin-1; some of the files begin with it."""


class ConversionReport(Frozen):
    """What became of every row: ``rows == alerts + ordinary + blank + headers + bad``.

    Attributes:
        data_set: whose columns the file has.
        ordinary: flows without an attack's label.
        headers: header lines that stand among the rows, as in some files of 2018.
        bad_rows: the first few unusable rows as (line, what is wrong).
    """

    path: str
    data_set: str
    rows: int
    alerts: int
    ordinary: int
    blank: int
    headers: int
    bad: int
    bad_rows: tuple[tuple[int, str], ...]


class _Tally:
    """Counts rows as they are read."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(("rows", "alerts", "ordinary", "blank", "headers", "bad"), 0)
        self.bad_rows: list[tuple[int, str]] = []

    def count(self, what: str) -> None:
        self.counts["rows"] += 1
        self.counts[what] += 1

    def spoil(self, line: int, reason: str) -> None:
        self.count("bad")
        if len(self.bad_rows) < MOST_BAD_ROWS:
            self.bad_rows.append((line, reason))


def write_eve(flows: Path, eve: Path) -> ConversionReport:
    """Write an EVE alert for every flow that the file labels as an attack; the file at `eve` is replaced.

    A row that cannot be used is counted, with its line and column named, and the rest goes on.

    Raises:
        SuiteError: a file cannot be read or written, or has not the columns of a known data set.
    """
    tally = _Tally()
    try:
        # some labels hold a byte that is not UTF-8
        with flows.open(encoding="latin-1", newline="") as source, eve.open("w", encoding="utf-8") as target:
            layout = _convert(flows, source, target, tally)
    except OSError as error:
        raise SuiteError(f"{error.filename or flows}: {error.strerror}") from None
    except csv.Error as error:
        raise SuiteError(f"{flows}: {error}") from None
    return ConversionReport(path=str(flows), data_set=layout.name, bad_rows=tuple(tally.bad_rows), **tally.counts)


def _convert(path: Path, source: TextIO, target: TextIO, tally: _Tally) -> Layout:
    reader = csv.reader(source)
    first = next(reader, [])
    first[:1] = [cell.removeprefix(BYTE_ORDER_MARK) for cell in first[:1]]
    layout, names = _layout(path, first)
    if layout.columns:
        _one(layout, names, first, 1, target, tally)
    for cells in reader:
        _one(layout, names, cells, reader.line_num, target, tally)
    return layout


def _layout(path: Path, first: list[str]) -> tuple[Layout, list[str]]:
    """Whose columns these are, and their names; of a name that stands twice the first counts."""
    names = [cell.strip() for cell in first]
    for layout in LAYOUTS:
        if layout.columns and len(first) == len(layout.columns) and first[-1].strip() in {"0", "1"}:
            return layout, list(layout.columns)
        if not layout.columns and set(layout.needed) <= set(names):
            return layout, names
    nearest = max((s for s in LAYOUTS if not s.columns), key=lambda s: len(set(s.needed) & set(names)))
    lacking = [n for n in nearest.needed if n not in names]
    raise SuiteError(f"{path}: line 1: no column {', '.join(lacking)} ({nearest.name}); alerts need addresses")


def _one(layout: Layout, names: list[str], cells: list[str], line: int, target: TextIO, tally: _Tally) -> None:
    try:
        flow = _flow(layout, names, cells)
    except BadRow as error:
        return tally.spoil(line, str(error))
    if isinstance(flow, str):
        return tally.count(flow)
    if (known := meaning(flow.label)) is None:
        return tally.spoil(line, f"{layout.label} names no known attack")
    target.write(json.dumps(_event(flow, known)) + "\n")
    return tally.count("alerts")


def _flow(layout: Layout, names: list[str], cells: list[str]) -> LabelledFlow | Literal["blank", "headers", "ordinary"]:
    """The row's flow when it is labelled as an attack, else what the row counts as.

    Raises:
        BadRow: it cannot be used.
    """
    stripped = [cell.strip() for cell in cells]
    if not any(stripped):
        return "blank"
    if stripped == names:
        return "headers"
    if len(cells) != len(names):
        raise BadRow(f"{len(cells)} cells, {len(names)} columns")
    row: Row = dict(reversed(list(zip(names, stripped, strict=True))))
    flow = layout.read(row)
    return flow if flow.label else "ordinary"


def _event(flow: LabelledFlow, known: Meaning) -> dict[str, Any]:
    """The EVE event; nothing of the label itself gets into it."""
    return {
        "timestamp": flow.start.isoformat(),
        "event_type": "alert",
        "src_ip": str(flow.source),
        "dest_ip": str(flow.destination),
        **dict(_ports(flow)),
        "proto": flow.protocol.value.upper(),
        **({"app_proto": flow.application} if flow.application else {}),
        "direction": "to_server",
        "alert": {
            "signature_id": known.sid,
            "signature": known.name,
            "category": known.classification,
            "severity": known.severity,
            "metadata": {"mitre_technique_id": [known.technique.replace(".", "_")]},
        },
        "flow": _counters(flow),
    }


def _ports(flow: LabelledFlow) -> Iterator[tuple[str, int]]:
    if flow.protocol in PORTED:
        yield "src_port", flow.source_port
        yield "dest_port", flow.destination_port


def _counters(flow: LabelledFlow) -> dict[str, Any]:
    to_server, to_client = (min(n, MOST_COUNTED) for n in flow.packets)
    bytes_up, bytes_down = (min(n, MOST_COUNTED) for n in flow.octets)
    return {
        "pkts_toserver": to_server,
        "pkts_toclient": to_client,
        "bytes_toserver": bytes_up,
        "bytes_toclient": bytes_down,
        "src_ip": str(flow.source),
        "dest_ip": str(flow.destination),
    }
