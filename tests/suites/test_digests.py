"""The splits are those that were committed; changing one takes the explicit command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labs.scenario import Split, Suite
from labs.suites import SuiteError, committed, digests
from labs.suites.__main__ import main
from labs.suites.digest import write


def test_the_splits_are_those_that_were_committed() -> None:
    assert digests() == committed(), "a split was changed: python -m labs.suites --write-digests"


def test_every_split_has_a_digest_of_its_own() -> None:
    values = [value for splits in digests().values() for value in splits.values()]
    assert len(set(values)) == len(values) == len(Suite) * len(Split)


def test_digests_are_written_as_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "digests.json"
    write(path)
    assert committed(path) == digests()


def test_a_missing_digest_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"digests\.json"):
        committed(tmp_path / "digests.json")


def test_the_command_checks_and_reports(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["--report"]) == 0
    assert "Suites by split" in capsys.readouterr().out
    assert main(["--report", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert {r["suite"] for r in shown["Suites by split"]} == {*Suite, "all"}
