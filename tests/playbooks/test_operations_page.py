"""docs/operations.md names every setting and every inventory key there is, with its default."""

from __future__ import annotations

import re

import pytest

from secloop_ai.cli.app import build
from secloop_ai.inventory.schema import DeviceVars, HostVars, LimitVars, ServiceVars
from secloop_ai.settings import PREFIX, Settings

from .desk import PROJECT

PAGE = (PROJECT / "docs" / "operations.md").read_text()
ROWS = dict(re.findall(r"^\| `(SECLOOP_[A-Z_]+)` \| (.+?) \|", PAGE, flags=re.MULTILINE))
ELSEWHERE = {"SECLOOP_PROJECT"}


def test_the_settings_are_those_of_the_code() -> None:
    assert set(ROWS) - ELSEWHERE == {PREFIX + name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("name", [n for n, f in Settings.model_fields.items() if f.default not in ("", None, ())])
def test_a_setting_has_the_default_of_the_code(name: str) -> None:
    default = Settings.model_fields[name].default
    written = f"{default:g}" if isinstance(default, float) else str(default)
    assert ROWS[PREFIX + name.upper()] == f"`{written}`"


@pytest.mark.parametrize("model", [DeviceVars, HostVars, ServiceVars, LimitVars])
def test_every_inventory_key_is_named(model: type[DeviceVars | HostVars | ServiceVars | LimitVars]) -> None:
    assert [key for key in model.model_fields if f"`{key}`" not in PAGE] == []


def test_every_command_the_page_names_is_one() -> None:
    commands = {c.name or "" for c in build().registered_commands} | {g.name or "" for g in build().registered_groups}
    assert set(re.findall(r"`secloop ([a-z]+)", PAGE)) <= commands
