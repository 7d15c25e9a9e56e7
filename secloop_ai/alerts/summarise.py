"""An alert file in, its summaries out: one pass, constant memory."""

from __future__ import annotations

from pathlib import Path

from secloop_ai.contracts import AlertSummary, IngestReport

from .eve import sightings
from .table import MAX_KEPT, MAX_OPEN, WINDOW_S, WindowTable
from .tally import Tally


def summarise(
    path: Path | str,
    *,
    window_s: float = WINDOW_S,
    max_open: int = MAX_OPEN,
    max_summaries: int = MAX_KEPT,
    require_stream: bool = False,
) -> tuple[tuple[AlertSummary, ...], IngestReport]:
    """Summaries of an EVE file by (signature, source, destination:port), the most severe and most frequent first.

    The order is deterministic: severity, then count (descending), first time, key. The report accounts for every
    line. Its `late` counts alerts more than `window_s` older than the newest one before them (they are summarised
    all the same), its `evicted` windows closed for want of room before they were over (by itself this loses nothing:
    later alerts of the key open another window), its `dropped` windows beyond `max_summaries`, which are not
    returned. An empty file gives no summaries and a report of zero lines.

    Args:
        path: the file, plain or gzip.
        window_s: seconds from a summary's first alert to its last, more than 0, at most 30.
        max_open: windows open at once.
        max_summaries: summaries returned; beyond that the least severe go first, see
            :class:`secloop_ai.alerts.keeper.Keeper`.
        require_stream: a stricter proof of the handshake, see :mod:`secloop_ai.alerts.handshake`.

    Raises:
        AlertFileError: the file cannot be read.
        ValueError: a bound is out of range.
    """
    if not 0 < window_s <= WINDOW_S:
        raise ValueError(f"window_s is {window_s}, but must be above 0 and at most {WINDOW_S:g} seconds")
    if max_open < 1 or max_summaries < 1:
        raise ValueError("max_open and max_summaries must be at least 1")
    tally = Tally()
    table = WindowTable(window_s=window_s, max_open=max_open, max_kept=max_summaries)
    for sighting, _ in sightings(path, tally, require_stream=require_stream):
        table.add(sighting)
    summaries = tuple(sorted((window.summary(key) for key, window in table.close()), key=_order))
    counts = {"evicted": table.evicted, "dropped": table.keeper.dropped, "late": table.late}
    return summaries, tally.report(path, summaries=len(summaries), **counts)


def _order(summary: AlertSummary) -> tuple[object, ...]:
    """Most severe, most frequent, earliest first; then by key."""
    port = -1 if summary.destination_port is None else summary.destination_port
    return (
        summary.severity,
        -summary.count,
        summary.first_seen,
        summary.signature_id,
        summary.source.packed,
        summary.destination.packed,
        port,
    )
