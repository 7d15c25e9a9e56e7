"""One battlefield for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from labs.battlefield import Battlefield

from .support import office


@pytest.fixture(scope="module")
def field() -> Iterator[Battlefield]:
    """A clone of the office that is up."""
    with Battlefield.clone(office(), 7) as made:
        yield made
