"""A comparison and a further run as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .compare import Comparison

if TYPE_CHECKING:  # promote shows a comparison where torch is not installed
    from .learn import Learned


def table(found: Comparison) -> Iterator[str]:
    """The figures of both, and what came of it."""
    first, last = found.seeds
    yield f"{found.new_name} against {found.live_name}: {found.cases} held-out cases, seeds {first} to {last}"
    yield f"{'figure':24}{'live':>9}{'new':>9}  "
    for row in found.rows:
        said = "" if not row.rule else "ok" if row.ok else "refused"
        yield f"{row.figure:24}{row.live:9.4f}{row.new:9.4f}  {said}".rstrip()
    yield f"gain in accuracy {found.gain:+.4f}, paired 95 % interval {found.low:+.4f} to {found.high:+.4f}"
    yield from (f"refused: {reason}" for reason in found.reasons)
    yield f"{found.new_name} {'is live now' if found.better else 'does not go live'}"


def lines(found: Learned) -> Iterator[str]:
    """A further run for a person."""
    yield f"{len(found.harvest.lessons)} lessons; weights in {found.folder}"
    yield from table(found.comparison)


def as_text(found: Learned) -> str:
    """A further run as JSON."""
    value = {
        "lessons": [lesson.feedback.run_id for lesson in found.harvest.lessons],
        "left_out": dict(found.harvest.left_out),
        "weights": str(found.folder),
        "promoted": found.comparison.better,
        "comparison": found.comparison.model_dump(mode="json"),
    }
    return json.dumps(value, indent=2)
