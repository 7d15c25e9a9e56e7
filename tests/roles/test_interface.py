"""Every role has the same face, and every host action a role or a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from secloop_ai.contracts import CATALOGUE, Plane

ROLES = Path(__file__).resolve().parents[2] / "roles"
NAMES = sorted(p.parent.parent.name for p in ROLES.glob("*/tasks/main.yml"))
HOST_ACTIONS = {name: kind for name, kind in CATALOGUE.items() if kind.spec.plane is Plane.HOST}
ABSENT = {"enforce_apparmor"}
RENAMED = {"dns_sinkhole": {"resolver"}}
"""What the code adds to an action's own parameters."""


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_every_host_action_has_a_role_or_a_reason() -> None:
    assert set(NAMES) == set(HOST_ACTIONS) - ABSENT
    told = (ROLES / "README.md").read_text(encoding="utf-8")
    for name in HOST_ACTIONS:
        assert f"`{name}`" in told


@pytest.mark.parametrize("role", NAMES)
def test_a_role_has_three_steps_and_says_what_it_takes(role: str) -> None:
    specs = loaded(ROLES / role / "meta/argument_specs.yml")["argument_specs"]
    defaults = loaded(ROLES / role / "defaults/main.yml")
    own = {f for f in HOST_ACTIONS[role].model_fields if f not in ("kind", "host", "ttl_s")} | RENAMED.get(role, set())
    for step, words in (("main", "apply"), ("verify", "verify"), ("undo", "undo")):
        (task,) = loaded(ROLES / role / "tasks" / f"{step}.yml")
        assert task[f"secloop_{role}"]["step"] == words
        options = specs[step]["options"]
        assert {n for n, o in options.items() if o.get("required")} == {f"{role}_{n}" for n in {"tag", *own}}
        assert {n for n, o in options.items() if not o.get("required")} == set(defaults)
    assert defaults[f"{role}_state_dir"] == "/var/lib/secloop"
