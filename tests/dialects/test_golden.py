"""The documents of every dialect are those that were reviewed, and valid by the vendor's own YANG."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from . import golden_files as golden
from .properties import play_of, with_prior

REPO = Path(__file__).parents[2]
VALIDATE = Path(os.environ.get("SECLOOP_YANG_VALIDATE", REPO.parent / "shared" / "yang" / "validate"))
YANG = {"ios_xe": "ios-xe"}
CASES = [(name, case) for name in golden.dialects() for case in golden.cases(name)]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_rendered_documents_are_those_reviewed(name: str, case: str) -> None:
    dialect, running = play_of(name).dialect, golden.running(name)
    ops = with_prior(dialect, running, golden.cases(name)[case])
    there = dialect.apply(running, ops)
    back = dialect.remove(there.after, ops)
    edit, inverse = golden.laid_out(there.edit), golden.laid_out(back.edit)
    assert edit == golden.reviewed(name, f"{case}.edit.xml", edit)
    assert inverse == golden.reviewed(name, f"{case}.inverse.xml", inverse)
    assert dialect.canonical(back.after) == dialect.canonical(running)


@pytest.mark.parametrize("name", golden.dialects())
def test_every_action_of_the_dialect_has_a_case(name: str) -> None:
    shown = {golden.action_of(case) for case in golden.cases(name)}
    assert shown == set(play_of(name).dialect.needs)


@pytest.mark.exhaustive  # minutes; `secloop dialects --check --full` says the same
@pytest.mark.parametrize(("name", "case"), CASES)
def test_the_documents_are_valid_yang(name: str, case: str) -> None:
    if not VALIDATE.is_file():
        pytest.skip(f"no YANG validator at {VALIDATE}; set SECLOOP_YANG_VALIDATE")
    if not shutil.which("yanglint"):
        pytest.skip("yanglint is not installed (Debian: libyang2-tools)")
    folder, known = golden.ROOT / name, VALIDATE.parent / YANG.get(name, name)
    if not known.is_dir():
        pytest.skip(f"no YANG modules for {name} in {VALIDATE.parent}")
    base, edit, inverse = (folder / f for f in ("running.xml", f"{case}.edit.xml", f"{case}.inverse.xml"))
    for with_, document in (([base], edit), ([base, edit], inverse)):
        options = [part for file in with_ for part in ("--with", file)]
        command = [VALIDATE, "--full", *options, known.name, document]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{document.name}: {done.stderr}"
