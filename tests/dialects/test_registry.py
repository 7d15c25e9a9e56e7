from __future__ import annotations

import pytest

from secloop_ai.contracts.errors import UnknownDialectError
from secloop_ai.contracts.ports import Dialect
from secloop_ai.dialects import dialect, known


def test_every_folder_is_a_dialect() -> None:
    assert "ietf" in known()
    for name in known():
        found: Dialect = dialect(name)
        assert found.name == name
        assert found.tag_place
        assert found.read_filter().startswith("<")


def test_an_unknown_dialect_is_named_beside_the_known_ones() -> None:
    with pytest.raises(UnknownDialectError, match=r"'vax'.*ietf"):
        dialect("vax")
