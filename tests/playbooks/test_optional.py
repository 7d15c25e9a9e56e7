"""A command group whose package is not installed says so; tables on narrow terminals cut nothing off."""

from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from secloop_ai import cli
from secloop_ai.cli import app, tables

MISSING = EntryPoint("lab", "no_such_package_of_labs:app", app.ENTRY_POINTS)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str, found: tuple[EntryPoint, ...]) -> int:
    """`secloop ARGUMENTS` where these command groups are installed; its exit status."""
    monkeypatch.setattr(app, "entry_points", lambda **_: found)
    monkeypatch.setattr("sys.argv", ["secloop", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("found", [(), (MISSING,)], ids=["no entry point", "no package"])
@pytest.mark.parametrize("rest", [(), ("up",), ("up", "--name", "x", "--json"), ("--help",)])
def test_an_absent_package_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    found: tuple[EntryPoint, ...],
    rest: tuple[str, ...],
) -> None:
    assert run(monkeypatch, "lab", *rest, found=found) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("secloop: lab: package 'labs' is not installed here")
    assert "pip install 'secloop[lab]'" in said.err


def test_the_other_commands_are_there_without_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--help", found=()) == 0
    out = capsys.readouterr().out
    assert "not installed: package labs" in out
    assert "respond" in out


NAME = "2087a74810-0"
ROW = {"id": NAME, "action": "block_flow " + "source=203.0.113.66/32 " * 4, "on": ["gw1", "gw2"], "dry": True}


@pytest.mark.parametrize("columns", [30, 60, 80, 200])
def test_no_cell_is_cut_off(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    tables.show([ROW], as_json=False, title="Rows", empty="none")
    out = capsys.readouterr().out
    assert NAME in out
    assert out.count("203.0.113.66/32") == 4
    assert "gw1, gw2" in out
    assert "yes" in out
