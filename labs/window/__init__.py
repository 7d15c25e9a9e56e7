"""A window for people: a battlefield live in the terminal, and a recorded run as one page.

run = play(Order(case, kinds, baseline("expert-table")))     # the twin, then the defended run, recorded
run.save(Path("run.json"))
page(run)                                                     # one HTML file, nothing from the network
views()                                                       # what stands on this machine now, whoever plays
"""

from __future__ import annotations

from .timeline import Timeline, load_timeline

__all__ = ["Timeline", "load_timeline"]
