from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import create_engine

from secloop_ai.ledger import Ledger, open_ledger

from . import server

_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Tail of the URLs of a private server."""
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("psycopg is not installed (extra postgresql)")
    if server.programs() is None or server.unprivileged() is None:
        pytest.skip("no PostgreSQL server programs on this machine")
    with server.running() as tail:
        yield tail


def new_database(tail: str) -> str:
    """URL of a new, empty database."""
    name = f"ledger{next(_numbers)}"
    engine = create_engine(f"postgresql+psycopg:///postgres{tail}", isolation_level="AUTOCOMMIT")
    with engine.connect() as c:
        c.exec_driver_sql(f"CREATE DATABASE {name}")
    engine.dispose()
    return f"postgresql:///{name}{tail}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new ledger's URL, of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/ledger.sqlite"
    return new_database(cast("str", request.getfixturevalue("postgresql")))


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    """An open, empty ledger of either kind."""
    with open_ledger(url) as opened:
        yield opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an SQLite ledger may lie."""
    return tmp_path / "state" / "ledger.sqlite"
