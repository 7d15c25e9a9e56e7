"""One lab for a module's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from labs.lab import Lab

from .support import lab_name


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab that is up."""
    with TemporaryDirectory(prefix="sl-") as folder:  # short: a UNIX socket's path has little room
        base = Path(folder)
        with Lab(lab_name("t"), base / "run", base / "inventory") as made:
            yield made
