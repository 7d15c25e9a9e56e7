"""The registry finds every means, and says clearly what it does not find."""

from __future__ import annotations

import re
from types import ModuleType

import pytest

from labs.attacks import registry
from labs.attacks.base import Means, Tool
from labs.attacks.means_a_web import Csrf
from labs.services.base import programs
from secloop_ai.contracts.errors import LabError


def test_a_means_is_found_by_its_id_and_every_means_is_found() -> None:
    every = registry.all_means()
    assert [m.id for m in every] == sorted({m.id for m in every})
    assert all(registry.means(m.id) is m for m in every)


def test_an_unknown_means_is_named_with_the_likeliest_one() -> None:
    with pytest.raises(LabError, match=r"no attack means 'prot-scan'; did you mean port-scan\?"):
        registry.means("prot-scan")
    with pytest.raises(LabError, match=r"there are .*csrf, .*zero-day"):
        registry.means("qqqqqqq")


def test_two_means_of_one_id_are_refused_with_both_modules() -> None:
    other = ModuleType("means_twice")
    other.Again = type("Again", (Csrf,), {"__module__": "means_twice"})  # type: ignore[attr-defined]
    here = ModuleType(Csrf.__module__)
    here.Csrf = Csrf  # type: ignore[attr-defined]
    with pytest.raises(LabError, match=r"csrf is defined in labs\.attacks\.means_a_web and in means_twice"):
        registry.collect([here, other])


def test_a_missing_tool_is_named_with_its_package() -> None:
    class Handless(Csrf):
        tools = (Tool(program="no-such-program", package="no-such-package"),)

    assert registry.missing_tools(Handless()) == Handless.tools


@pytest.mark.parametrize("plugin", registry.all_means(), ids=lambda m: m.id)
def test_what_a_means_says_of_itself_is_whole(plugin: Means) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9-]{1,40}", plugin.id)
    assert plugin.about
    assert re.fullmatch(r"T\d{4}(\.\d{3})?", plugin.technique)
    assert set(plugin.service_kinds) <= set(programs())
    assert set(plugin.needs) <= {m.id for m in registry.all_means()}
    assert type(plugin).__doc__
