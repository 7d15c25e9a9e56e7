"""Who gets which job: groups stay with a worker, and nobody is idle for their sake for long."""

from __future__ import annotations

import threading

import pytest

from labs.executor.schedule import Round, Schedule, Task

from .work import job


def waiting(*names: str) -> Schedule:
    """A schedule with a job for each name; the first letter is its group, unless that is a dash."""
    schedule, own = Schedule(), Round()
    for name in names:
        schedule.put(Task(job(name, "whoami", group=name[0].strip("-")), own))
    return schedule


def taken(schedule: Schedule, worker: str) -> str:
    task = schedule.take(worker)
    assert task is not None
    return task.job.key


def test_a_worker_stays_with_its_group_and_others_keep_off() -> None:
    schedule = waiting("a0", "a1", "b0", "a2", "b1")
    assert taken(schedule, "one") == "a0"
    assert taken(schedule, "two") == "b0"
    following = schedule.following("one")
    assert following is not None
    assert following.key == "a1"
    assert [taken(schedule, "two"), taken(schedule, "one"), taken(schedule, "one")] == ["b1", "a1", "a2"]
    assert schedule.following("one") is None


def test_jobs_without_a_group_go_to_whoever_comes() -> None:
    schedule = waiting("-0", "-1", "-2")
    assert [taken(schedule, worker) for worker in ("one", "two", "one")] == ["-0", "-1", "-2"]


def test_what_is_spare_in_a_group_goes_to_an_idle_worker() -> None:
    schedule = waiting("a0", "a1", "a2")
    assert taken(schedule, "one") == "a0"
    assert taken(schedule, "two") == "a1"
    assert taken(schedule, "one") == "a2"


def test_the_next_one_of_a_group_is_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.executor.schedule.IDLE_S", 0.01)
    schedule = waiting("a0", "a1")
    assert taken(schedule, "one") == "a0"
    got: list[Task | None] = []
    idle = threading.Thread(target=lambda: got.append(schedule.take("two")))
    idle.start()
    idle.join(0.2)
    assert taken(schedule, "one") == "a1"
    schedule.close()
    idle.join()
    assert got == [None]


def test_a_job_that_was_tried_goes_first_and_a_closed_schedule_gives_nothing() -> None:
    schedule = waiting("-0", "-1")
    task = schedule.take("one")
    assert task is not None
    task.tries = 1
    schedule.put(task)
    assert taken(schedule, "two") == "-0"
    schedule.drop()
    schedule.close()
    assert schedule.take("one") is None
