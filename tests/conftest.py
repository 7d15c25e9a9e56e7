"""How tests share a machine when several processes run them (``pytest -n 2``)."""

from __future__ import annotations

from typing import Any

import pytest

ONE_KERNEL = (
    *("tests/attacks/", "tests/battlefield/", "tests/executor/", "tests/lab/", "tests/window/"),
    *(
        "tests/alerts/test_sensor.py",
        "tests/netconf/test_lab.py",
        "tests/training/",
        "tests/suites/",
        "tests/scenario/",
    ),
    *("tests/playbooks/test_optional.py", "tests/validator/", "tests/simulator/", "tests/rehearsal/"),
)
"""What makes namespaces, and reaps those of the dead: one at a time."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests stay together, for their fixtures; those of the lab stay together, for there is one kernel."""
    from xdist.scheduler import LoadScopeScheduling

    class ByKernel(LoadScopeScheduling):  # type: ignore[misc] # a library without types
        def _split_scope(self, nodeid: str) -> str:
            return "lab" if nodeid.startswith(ONE_KERNEL) else nodeid.partition("::")[0]

    return ByKernel(config, log)
