"""A recorded run, and changes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labs.window.timeline import PortRates, Series, Timeline, load_timeline

RECORDED = Path(__file__).with_name("run.json")
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}\"'&amp;"


def recorded() -> Timeline:
    """A real run in mid-attack: SQL injection, its alerts, a block."""
    return load_timeline(RECORDED)


def changed(run: Timeline, **fields: Any) -> Timeline:
    """The run with other fields, checked anew."""
    return Timeline.model_validate({**run.model_dump(), **fields})


def long_series(run: Timeline, samples: int) -> Series:
    """As many samples of busy ports."""
    column = tuple(float(12_345 + n) for n in range(samples))
    rates = PortRates(packets_in_per_s=column, packets_out_per_s=column, bytes_in_per_s=column, bytes_out_per_s=column)
    return Series(
        at_s=tuple(n / 4 for n in range(samples)),
        ports={p.key: rates for p in run.facts.ports},
        tries_per_s=column,
        served_per_s=column,
    )
