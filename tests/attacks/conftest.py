"""Six means run live in every test run; all the others in `make test-attacks`."""

from __future__ import annotations

import pytest

ALWAYS = {"ssh-brute-force", "sql-injection", "dos-flood", "ftp-brute-force", "dns-tunnel", "snmp-mib-dump"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the live runs of the other means."""
    for item in items:
        params = getattr(getattr(item, "callspec", None), "params", {})
        live = item.get_closest_marker("slow") is not None and "attacks" in item.path.parts
        if live and params.get("name", "") not in ALWAYS and "name" in params:
            item.add_marker(pytest.mark.exhaustive)
