"""How tests share a machine when several processes run them (``pytest -n 2 --dist loadgroup``)."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A file's tests stay together, for their fixtures; those of the lab stay together, for there is one kernel."""
    if config.pluginmanager.hasplugin("xdist"):
        for item in items:
            group = "lab" if item.get_closest_marker("lab") else str(item.path)
            item.add_marker(pytest.mark.xdist_group(group))
