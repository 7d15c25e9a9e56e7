"""How tests share a machine when several processes run them (``pytest -n 2 --dist loadgroup``)."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent
ONE_KERNEL = frozenset({"attacks", "battlefield", "executor", "lab", "window"})
"""Rooms that make namespaces and reap those of the dead: one at a time."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A file's tests stay together, for their fixtures; those of the lab stay together, for there is one kernel."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    place = item.path.relative_to(HERE)
    return "lab" if item.get_closest_marker("lab") or place.parts[0] in ONE_KERNEL else str(place)
