from __future__ import annotations

import pytest

from secloop_ai.contracts import PolicyRequest
from tests.embedded.making import requests

from .asked import drawn, odd


@pytest.fixture(scope="session")
def train_requests() -> list[PolicyRequest]:
    """One of every scenario of the train split."""
    return requests()


@pytest.fixture(scope="session")
def all_requests(train_requests: list[PolicyRequest]) -> list[PolicyRequest]:
    return [*train_requests, *odd().values(), *drawn(range(150))]
