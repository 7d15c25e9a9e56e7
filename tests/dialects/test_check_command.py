"""``secloop dialects``: the list, and the table that --check fills on emulated devices."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from labs.dialects import ACTION_ROWS, State, bench
from labs.dialects.yang import Yang
from secloop_ai.cli.app import build
from secloop_ai.contracts import InputError
from secloop_ai.dialects import known
from secloop_ai.dialects.compose import TreeDialect
from secloop_ai.dialects.sros import DIALECT


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(build(), ["dialects", *arguments], terminal_width=200)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def checked(*arguments: str) -> tuple[int, list[dict[str, Any]]]:
    code, text = run("sros", "--check", "--json", *arguments)
    return code, json.loads(text)


def checker(folder: Path, code: int, says: str) -> Path:
    """A folder of YANG whose checker gives one answer."""
    (folder / "sros").mkdir()
    script = folder / "validate"
    script.write_text(f'#!/bin/sh\necho "{says}" >&2\nexit {code}\n', encoding="utf-8")
    script.chmod(0o755)
    return folder


def test_the_list_says_where_tags_live() -> None:
    code, text = run("--json")
    rows = {row["dialect"]: row["tag_place"] for row in json.loads(text)}
    assert code == 0
    assert set(rows) == set(known())
    assert "ledger only" in rows["sros"]


def test_a_whole_dialect_fills_every_cell(tmp_path: Path) -> None:
    code, rows = checked("--yang", str(tmp_path))
    assert code == 0
    assert [(row["action"], row["family"]) for row in rows] == list(ACTION_ROWS)
    for row in rows:
        assert row["rendered"]["text"] == "yes"
        assert row["valid"]["text"] == "no yang here"
        assert str(tmp_path) in row["valid"]["detail"]
        assert row["applied"]["text"] == ("untagged" if row["action"] == "shutdown_port" else "yes")
        assert row["rolled_back"]["text"] == "byte-equal"


@pytest.mark.parametrize(("code", "state"), [(0, State.PASSED), (1, State.FAILED), (2, State.NOT_CHECKED)])
def test_the_vendors_yang_has_its_say(tmp_path: Path, code: int, state: State) -> None:
    yang = Yang(checker(tmp_path, code, "no such leaf"), full=True)
    cell = yang.check("sros", [("edit", "<data/>", '<configure xmlns="urn:x"/>')], "<data/>")
    assert cell.state is state
    assert ("no such leaf" in cell.detail) == (code != 0)


def test_an_edit_that_is_not_valid_fails_the_command(tmp_path: Path) -> None:
    code, rows = checked("--full", "--yang", str(checker(tmp_path, 1, "no such leaf")))
    assert code == 1
    assert {row["valid"]["state"] for row in rows} == {"failed"}
    assert {row["rolled_back"]["state"] for row in rows} == {"passed"}


def test_a_dialect_that_is_not_whole_is_said_to_be_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> TreeDialect:
        raise ImportError("no module named filters")

    monkeypatch.setattr(bench, "dialect", broken)
    code, text = run("sros", "--check", "--yang", str(tmp_path))
    assert code == 1
    assert "no module named filters" in text
    assert f"{len(ACTION_ROWS)} rows, {len(ACTION_ROWS)} with a check that failed" in text


def test_an_undo_that_leaves_something_behind_fails_its_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(TreeDialect):
        def remove(self, data: str, ops: Any, *, tidy: bool = True) -> Any:
            return super().remove(data, ops[:0] if ops[0].op.kind == "discard" else ops, tidy=tidy)

    fields = {name: getattr(DIALECT, name) for name in DIALECT.__dataclass_fields__}
    monkeypatch.setattr(bench, "dialect", lambda _name: Forgetful(**fields))
    code, rows = checked("--yang", str(tmp_path))
    failed = {row["action"] for row in rows if row["failed"]}
    assert code == 1
    assert failed == {"blackhole_route"}


def test_an_unknown_dialect_and_absent_labs_are_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"unknown dialect vax; known: .*ietf"):
        run("vax", "--check")
    monkeypatch.setitem(sys.modules, "labs.dialects", None)
    with pytest.raises(InputError, match=r"package 'labs' is not installed.*secloop\[lab\]"):
        run("sros", "--check")
