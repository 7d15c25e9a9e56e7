"""Crashes and races between real processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from secloop_ai.contracts import MitigationState, Outcome
from secloop_ai.ledger import Ledger, open_ledger
from secloop_ai.ledger.database import Database
from secloop_ai.ledger.keys import put

from . import children
from .conftest import new_database
from .make import PERSIST, T0, later, mitigation, pending, report

RACERS = 4


def race(target: Callable[..., None], url: str) -> list[int | str]:
    """Answers of `RACERS` processes let loose together."""
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(RACERS), context.Queue()
    started = [context.Process(target=target, args=(url, n, barrier, answers)) for n in range(RACERS)]
    for process in started:
        process.start()
    found: list[int | str] = [answers.get(timeout=60) for _ in started]
    for process in started:
        process.join(60)
        assert process.exitcode == 0
    answers.close()
    answers.join_thread()
    return found


def test_a_commit_begun_by_a_killed_process_is_found(url: str) -> None:
    command = [sys.executable, "-m", "tests.ledger.children", "die_after_begin", url]
    child = subprocess.run(command, check=False, timeout=60, cwd=Path(__file__).parents[2])
    assert child.returncode == -signal.SIGKILL
    with open_ledger(url) as ledger:
        (found,) = ledger.pending_commits()
        assert (found.transaction_id, found.persist_id, found.state) == ("t1", PERSIST, "pending")
        assert [m.state for m in ledger.mitigations()] == [MitigationState.PENDING]
        assert ledger.verify_audit() == []
        ledger.settle_commit(report("t1", Outcome.UNDONE), now=later(90))
        assert ledger.pending_commits() == ()


def test_one_of_many_begins(url: str) -> None:
    open_ledger(url).close()
    answers = race(children.race_to_begin, url)
    winners = [a for a in answers if isinstance(a, int)]
    refusals = [a for a in answers if isinstance(a, str)]
    assert len(winners) == 1
    assert all(f"device gw1: transaction t{winners[0]} " in r for r in refusals)
    with open_ledger(url) as ledger:
        assert [p.transaction_id for p in ledger.pending_commits()] == [f"t{winners[0]}"]
        assert len(ledger.mitigations()) == 1
        assert ledger.verify_audit() == []


def test_many_may_create_it_at_once(url: str) -> None:
    assert sorted(map(str, race(children.race_to_create, url))) == [str(n) for n in range(RACERS)]
    with open_ledger(url) as ledger:
        assert ledger.audit_head()[0] == RACERS * 5
        assert ledger.verify_audit() == []


def test_threads_share_a_ledger(ledger: Ledger) -> None:
    def write(number: int) -> None:
        for line in range(10):
            ledger.audit("note", f"{number}-{line}", digests={}, detail="", now=T0)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.audit_head()[0] == 40
    assert ledger.verify_audit() == []


def test_a_forked_child_uses_connections_of_its_own(ledger: Ledger) -> None:
    ledger.audit("note", "parent", digests={}, detail="", now=T0)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            ledger.audit("note", "child", digests={}, detail="", now=T0)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    ledger.audit("note", "parent", digests={}, detail="", now=T0)
    assert [line.subject for line in ledger.audit_lines()] == ["parent", "child", "parent"]
    assert ledger.verify_audit() == []


def test_a_forked_child_leaves_the_parents_session_alone(postgresql: str) -> None:
    with open_ledger(new_database(postgresql)) as ledger:
        before = backend(ledger)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if backend(ledger) != before else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert backend(ledger) == before


def backend(ledger: Ledger) -> int:
    """Process id of the server's side of our session."""
    with ledger._db.reading("look") as c:
        return int(c.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())


def test_a_block_that_fails_leaves_nothing(url: str) -> None:
    open_ledger(url).close()
    database = Database(url)

    def half() -> None:
        with database.writing("try") as c:
            put(c, "half", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with database.reading("look") as c:
        assert c.exec_driver_sql("SELECT count(*) FROM secloop_meta WHERE key = 'half'").scalar() == 0
    database.close()


def test_the_file_is_private_write_ahead_and_synced(path: Path) -> None:
    old = os.umask(0)
    try:
        with open_ledger(f"sqlite:///{path}") as ledger:
            ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])
            files = {p.name: stat.S_IMODE(p.stat().st_mode) for p in path.parent.iterdir()}
    finally:
        os.umask(old)
    assert files == dict.fromkeys(["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"], 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    database = Database(f"sqlite:///{path}")
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    with database.reading("look") as c:
        assert {name: c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas} == pragmas
    database.close()


def test_the_switch_to_write_ahead_waits_for_a_lock(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # SQLite does not wait for this one by itself
    release = threading.Timer(0.2, other.rollback)
    release.start()
    open_ledger(f"sqlite:///{path}").close()
    release.join()
    other.close()


def test_an_open_file_is_closed_to_others(path: Path) -> None:
    open_ledger(f"sqlite:///{path}").close()
    path.chmod(0o666)
    open_ledger(f"sqlite:///{path}").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
