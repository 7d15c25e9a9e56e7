"""Many jobs at once: in this process, in a pool of this machine's, or on Ray; the same interface everywhere.

    store = Store(Path("var/runs/twins.jsonl"))
    todo = [job for job in jobs if job.key not in store.done()]
    with open_executor("local") as executor:
        for result in progress(executor.run(todo), len(todo)):
            if result.ok:
                store.append(result.key, result.value)

A job is a function's name and JSON arguments. What it answers depends on these alone, so that it makes no difference
where it runs, and a job whose worker was lost is simply run again.
"""

from __future__ import annotations

from .model import Executor, Job, Result
from .opening import KINDS, Kind, open_executor
from .show import progress
from .store import Store

__all__ = ["KINDS", "Executor", "Job", "Kind", "Result", "Store", "open_executor", "progress"]
