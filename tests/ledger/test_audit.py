from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from secloop_ai.contracts import sha256_json
from secloop_ai.ledger import Ledger, open_ledger

from .make import HOSTILE, T0, later


def filled(path: Path, lines: int = 5) -> str:
    url = f"sqlite:///{path}"
    with open_ledger(url) as ledger:
        for n in range(lines):
            ledger.audit("note", f"s{n}", digests={"plan": f"{n:064x}"}, detail=HOSTILE, now=later(n))
        assert ledger.verify_audit() == []
    return url


def tamper(path: Path, *statements: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def broken(url: str) -> list[int]:
    with open_ledger(url) as ledger:
        return ledger.verify_audit()


def test_lines_come_back_in_order(ledger: Ledger) -> None:
    assert ledger.audit_lines() == ()
    assert ledger.verify_audit() == []
    for n in range(4):
        ledger.audit("note", f"s{n}", digests={"plan": "d" * 64}, detail=HOSTILE, now=later(n))
    lines = ledger.audit_lines(limit=3)
    assert [(x.line, x.event, x.subject, x.at) for x in lines] == [
        (n + 1, "note", f"s{n}", later(n)) for n in (1, 2, 3)
    ]
    assert lines[0].detail == HOSTILE
    assert [x.previous for x in lines[1:]] == [x.sha256 for x in lines[:-1]]
    assert ledger.audit_head() == (4, lines[-1].sha256)
    assert ledger.verify_audit() == []


@pytest.mark.parametrize("column", ["content", "previous", "sha256"])
def test_a_changed_line_shows(path: Path, column: str) -> None:
    url = filled(path)
    tamper(path, f"UPDATE audit SET {column} = replace({column}, substr({column}, 4, 2), 'zz') WHERE line = 3")
    assert 3 in broken(url)
    assert not {1, 2, 5} & set(broken(url))


def test_a_forged_line_with_a_fitting_hash_breaks_the_link_after_it(path: Path) -> None:
    url = filled(path)
    with open_ledger(url) as ledger:
        second = ledger.audit_lines()[1]
    content = f'{{"at":"{T0.isoformat()}","detail":"","digests":{{}},"event":"note","line":2,"subject":"mine"}}'
    sha256 = sha256_json([second.previous, content])
    tamper(path, f"UPDATE audit SET content = '{content}', sha256 = '{sha256}' WHERE line = 2")
    assert broken(url) == [3]


def test_missing_lines_show_also_at_both_ends(path: Path) -> None:
    url = filled(path)
    tamper(path, "DELETE FROM audit WHERE line IN (1, 3, 5)")
    assert broken(url) == [1, 2, 3, 4, 5]
    assert set(broken(url)) >= {1, 3, 5}


def test_a_cut_tail_and_an_added_line_show(path: Path) -> None:
    url = filled(path)
    tamper(path, "DELETE FROM audit WHERE line > 3")
    assert broken(url) == [4, 5]
    tamper(path, "UPDATE secloop_meta SET value = replace(value, '\"line\":5', '\"line\":3') WHERE key = 'audit_head'")
    assert broken(url) == [3]


def test_exchanged_lines_show(path: Path) -> None:
    url = filled(path)
    tamper(
        path,
        "UPDATE audit SET line = 99 WHERE line = 2",
        "UPDATE audit SET line = 2 WHERE line = 3",
        "UPDATE audit SET line = 3 WHERE line = 99",
    )
    assert set(broken(url)) >= {2, 3}


def test_content_that_is_no_json_is_broken_not_a_crash(path: Path) -> None:
    url = filled(path)
    tamper(path, "UPDATE audit SET content = '[1' WHERE line = 2", "UPDATE audit SET content = '[]' WHERE line = 4")
    assert broken(url) == [2, 4]
