"""A few incidents that every test of the learners shares."""

from __future__ import annotations

from functools import cache

from labs.scenario import Kind, Suite
from training.sources import CaseTasks
from training.tasks import Task


@cache
def source() -> CaseTasks:
    return CaseTasks("train", [0], [Suite.CIC_IDS2017])


@cache
def tasks() -> tuple[Task, ...]:
    return tuple(source().task(n) for n in range(len(source())))


def of_kind(kind: Kind) -> tuple[int, Task]:
    return next((n, t) for n, t in enumerate(tasks()) if t.case.kind is kind)
