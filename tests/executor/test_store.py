"""Results on disk: kept at once, read again, a cut-off end taken off, nonsense named."""

from __future__ import annotations

from pathlib import Path

import pytest

from labs.executor import Store
from secloop_ai.contracts.errors import InputError


def test_what_is_appended_is_there_for_the_next_one(tmp_path: Path) -> None:
    path = tmp_path / "deep/rows.jsonl"
    store = Store(path)
    assert store.rows() == {}
    store.append("a", {"n": 1})
    store.append("b", [1.5, None, "ü"])
    store.append("a", {"n": 2})
    assert Store(path).rows() == store.rows() == {"a": {"n": 2}, "b": [1.5, None, "ü"]}
    assert Store(path).done() == {"a", "b"}


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_line_cut_off_anywhere_is_taken_off_and_nothing_else(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "rows.jsonl"
    store = Store(path)
    store.append("whole", 1)
    store.append("cut off", "later")
    path.write_bytes(path.read_bytes()[:-cut])
    again = Store(path)
    assert again.rows() == {"whole": 1}
    again.append("next", 2)
    assert Store(path).rows() == {"whole": 1, "next": 2}


@pytest.mark.parametrize("line", ["{", '["key", "value"]', '{"key": "a"}', "\x00", ""])
def test_nonsense_in_the_middle_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"key": "a", "value": 1}}\n{line}\n{{"key": "b", "value": 2}}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"rows\.jsonl: line 2: not a key and a value"):
        Store(path)


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file"):
        Store(tmp_path / "file/rows.jsonl").append("a", 1)
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="folder"):
        Store(tmp_path / "folder")
