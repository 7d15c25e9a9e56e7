"""Cells of the tables: each from the same checkpoint, trained once, and ready to be evaluated."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("trl", reason="the extra `train` is not installed")

from secloop_ai.contracts.errors import InputError  # noqa: E402 - after the check for the extra
from secloop_ai.policies.embedded import load_embedded  # noqa: E402
from secloop_ai.policies.embedded.vocabulary import words  # noqa: E402
from training import ablate, validation  # noqa: E402
from training.config import preset  # noqa: E402
from training.corpus import GENERATED, Source, task_from  # noqa: E402
from training.model import Size, new_model, save_policy  # noqa: E402

from .making import QUIET_WARNINGS  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET_WARNINGS)
SMALL = Size(layers=1, hidden=32, heads=2, middle=48)


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(validation, "held_out", lambda: tuple(task_from(Source(GENERATED, 0, n)) for n in range(2)))
    save_policy(new_model(SMALL, 0), tmp_path / "start", card={"trained_by": "nobody"}, known=frozenset(words()))
    return tmp_path / "start"


def test_every_variant_is_a_configuration() -> None:
    assert all(preset("embedded", steps=1, **changes) for changes in ablate.VARIANTS.values())
    with pytest.raises(InputError, match="no variant crystal-ball; there are sa-grpo, grpo"):
        ablate.chosen(["crystal-ball"])


def test_a_cell_is_trained_once_and_moves_the_weights(start: Path, tmp_path: Path) -> None:
    (cell,) = ablate.cells(["grpo"], (0,), ablate.Terms(start, tmp_path / "cells", 0.1))
    assert cell.steps >= 1
    assert load_embedded(str(cell.folder)).digest() != load_embedded(str(start)).digest()
    written = (cell.folder / "model.safetensors").stat().st_mtime_ns
    (again,) = ablate.cells(["grpo"], (0,), ablate.Terms(start, tmp_path / "cells", 0.1))
    assert again == cell
    assert (cell.folder / "model.safetensors").stat().st_mtime_ns == written
    assert cell.name == f"grpo/0=embedded:{cell.folder}"


def test_without_a_checkpoint_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no weights; `make train` makes them"):
        list(ablate.cells(["grpo"], (0,), ablate.Terms(tmp_path / "none", tmp_path / "cells", 1.0)))
