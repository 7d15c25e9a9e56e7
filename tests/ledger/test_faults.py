"""Everything that can be wrong with the place a ledger lives in."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from secloop_ai.contracts.errors import LedgerError
from secloop_ai.ledger import Ledger, open_ledger, sqlite

from .conftest import new_database
from .make import INCIDENT, PERSIST, T0, decision, mitigation, pending, request, summary

ROOT = Path(__file__).parents[2]


def failure(url: str) -> str:
    with pytest.raises(LedgerError) as caught:
        open_ledger(url)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def change(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "url", ["", "ledger.sqlite", "sqlite://", "sqlite:///:memory:", "sqlite:////a?mode=ro", "mysql://h/d"]
)
def test_urls_that_name_no_ledger(url: str) -> None:
    assert "ledger" in failure(url)


def test_a_file_that_is_something_else(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("not a database at all, but long enough to be looked at " * 40)
    assert (
        failure(f"sqlite:///{path}")
        == f"ledger {path}: cannot open it: the file is not an SQLite database, or it is damaged"
    )


def test_a_folder_in_its_place_and_a_file_in_its_folders_place(path: Path) -> None:
    path.mkdir(parents=True)
    assert str(path) in failure(f"sqlite:///{path}")
    (path.parent / "f").write_text("")
    assert f"{path.parent}/f/l.sqlite: cannot be made: " in failure(f"sqlite:///{path.parent}/f/l.sqlite")


def test_a_damaged_page(path: Path) -> None:
    open_ledger(f"sqlite:///{path}").close()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    assert f"ledger {path}: cannot open it: the file is damaged" in failure(f"sqlite:///{path}")


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE mitigations SET action = '{'", "mitigation 0123456789-0 is damaged"),
        ('UPDATE mitigations SET action = \'{"kind":"melt_cpu"}\'', "mitigation 0123456789-0 is damaged: action"),
        ("UPDATE mitigations SET expires_at = 'soon'", "mitigation 0123456789-0 is damaged: 'soon' is no time"),
        ("UPDATE mitigations SET state = 'odd'", "mitigation 0123456789-0 is damaged: state"),
        ("DROP TABLE mitigations", "no such table"),
    ],
)
def test_a_damaged_row_is_named(path: Path, statement: str, told: str) -> None:
    with open_ledger(f"sqlite:///{path}") as ledger:
        ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])
        change(path, statement)
        with pytest.raises(LedgerError) as caught:
            ledger.mitigations()
    assert f"ledger {path}: cannot read the mitigations: " in str(caught.value)
    assert told in str(caught.value)
    assert PERSIST not in str(caught.value)


def test_a_lock_that_another_process_keeps(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlite.ARGUMENTS, "connect_args", {"timeout": 0.05, "isolation_level": None})
    with open_ledger(f"sqlite:///{path}") as ledger:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerError, match="cannot begin the commit: another process holds it locked"):
            ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])
        assert ledger.pending_commits() == ()
        other.execute("ROLLBACK")
        other.close()
        ledger.begin_commit(pending("t1", [mitigation()]), [mitigation()])


def test_a_newer_schema_is_left_alone(ledger: Ledger, url: str) -> None:
    with ledger._db.writing("test") as c:
        c.exec_driver_sql("UPDATE secloop_meta SET value = '99' WHERE key = 'schema_version'")
    assert "written by a newer release (schema 99, this one knows 3): upgrade secloop" in failure(url)
    with ledger._db.writing("test") as c:
        c.exec_driver_sql("DELETE FROM secloop_meta WHERE key = 'schema_version'")
    assert "does not say which schema it has" in failure(url)


def test_the_tables_of_an_older_release_are_brought_up_to_date(ledger: Ledger, url: str) -> None:
    asked = request(summary())
    ledger.record_decision(decision(asked), asked, now=T0)
    with ledger._db.writing("test") as c:
        for table in ("requests", "environments"):
            c.exec_driver_sql(f"DROP TABLE {table}")
        c.exec_driver_sql("UPDATE secloop_meta SET value = '1' WHERE key = 'schema_version'")
    with open_ledger(url) as upgraded:
        assert upgraded.incident(INCIDENT).decisions[0].decision == decision(asked)
        assert upgraded.request(asked.prompt_digest()) is None
        upgraded.record_decision(decision(asked), asked, now=T0)
        assert upgraded.request(asked.prompt_digest()) == asked
        assert upgraded.verify_audit() == []


def test_tables_of_something_else_are_left_alone(path: Path) -> None:
    path.parent.mkdir()
    change(path, "CREATE TABLE plans (x)", "CREATE TABLE fruit (x)")
    assert "holds tables of something else under our names: plans" in failure(f"sqlite:///{path}")
    change(path, "DROP TABLE plans")
    open_ledger(f"sqlite:///{path}").close()


def in_a_small_disk(folder: Path, script: str) -> str:
    """What a shell script prints, with a tmpfs of 400 kB on `folder`; $1 is a ledger's URL there, $0 runs a child."""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    if shutil.which("unshare") is None:
        pytest.skip("no unshare on this machine")
    mount = f"mount -t tmpfs -o size=400k tmpfs {folder}"
    if subprocess.run(["unshare", *user, "-m", "sh", "-c", mount], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a file system of its own")
    child = f"{sys.executable} -W error -m tests.ledger.children fill"
    command = ["unshare", *user, "-m", "sh", "-ec", f"{mount}\n{script}", child, f"sqlite:///{folder}/l.sqlite"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd=ROOT).stdout


def test_a_full_disk(tmp_path: Path) -> None:
    told = in_a_small_disk(tmp_path, '$0 "$1"')
    assert told == f"ledger {tmp_path}/l.sqlite: cannot write the audit: the disk is full"


def test_a_read_only_file_system(tmp_path: Path) -> None:
    told = in_a_small_disk(tmp_path, f'$0 "$1" > /dev/null; mount -o remount,ro {tmp_path}; $0 "$1"')
    assert told.startswith(f"ledger {tmp_path}/l.sqlite: cannot ")
    assert "read-only" in told or "cannot be opened" in told
    told = in_a_small_disk(tmp_path, f'mount -o remount,ro {tmp_path}; $0 "$1"')
    assert told == f"ledger {tmp_path}/l.sqlite: cannot be made: Read-only file system"


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    told = failure("postgresql://user:hunter2@db.example/ledger")
    assert told == (
        "ledger postgresql://db.example/ledger: the driver psycopg is not installed: pip install 'secloop[postgresql]'"
    )


def test_a_server_that_is_not_there_is_named_without_the_password() -> None:
    pytest.importorskip("psycopg")
    told = failure("postgresql://user:hunter2@127.0.0.1:1/ledger")
    assert told.startswith("ledger postgresql://127.0.0.1:1/ledger: cannot open it: ")
    assert "hunter2" not in told


def test_a_database_that_is_not_there(postgresql: str) -> None:
    told = failure(f"postgresql:///absent{postgresql}")
    assert "absent" in told
    assert "does not exist" in told


def test_a_writer_that_blocks_postgresql_is_waited_for_not_for_ever(
    postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secloop_ai.ledger.postgresql._BEGIN", "SELECT set_config('lock_timeout', '50', true)")
    url = new_database(postgresql)
    with open_ledger(url) as ledger, open_ledger(url) as other, other._db.writing("hold it"):
        with pytest.raises(LedgerError, match="cannot write the audit: another process holds it locked"):
            ledger.audit("note", "s", digests={}, detail="", now=T0)
        assert ledger.audit_lines() == ()


def test_a_commit_is_synced_where_postgresql_is_set_to_be_careless(postgresql: str) -> None:
    url = new_database(postgresql)
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as c:
        c.exec_driver_sql(f"ALTER DATABASE {engine.url.database} SET synchronous_commit = off")
    engine.dispose()
    with open_ledger(url) as ledger:
        with ledger._db.reading("look") as c:
            assert c.exec_driver_sql("SHOW synchronous_commit").scalar() == "off"
        with ledger._db.writing("look") as c:
            assert c.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
