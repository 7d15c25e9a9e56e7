"""Every means there is: the plugins that the modules ``labs/attacks/means_*.py`` define."""

from __future__ import annotations

import difflib
import os
import shutil
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from inspect import isabstract
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from labs.lab.requirements import SEARCH
from secloop_ai.contracts.errors import LabError

from .base import Means, Tool

PREFIX = "means_"


def means(name: str) -> Means:
    """The means of that id.

    Raises:
        LabError: no such means; the likeliest one is named.
    """
    if (found := _found().get(name)) is None:
        near = difflib.get_close_matches(name, _found(), n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(_found()))}"
        raise LabError(f"no attack means {name!r}{hint}")
    return found


def all_means() -> tuple[Means, ...]:
    """Every means, by id."""
    return tuple(_found()[name] for name in sorted(_found()))


def missing_tools(plugin: Means) -> tuple[Tool, ...]:
    """Programs of the means that this machine lacks; the means is skipped then, naming their packages."""
    path = f"{os.environ.get('PATH', '')}:{SEARCH}"
    return tuple(tool for tool in plugin.tools if shutil.which(tool.program, path=path) is None)


@cache
def _found() -> Mapping[str, Means]:
    package = __name__.rpartition(".")[0]
    here = str(Path(__file__).resolve().parent)
    names = sorted(m.name for m in iter_modules([here]) if m.name.startswith(PREFIX))
    return collect([import_module(f"{package}.{name}") for name in names])


def collect(modules: list[ModuleType]) -> dict[str, Means]:
    """The concrete means that these modules define, by id.

    Raises:
        LabError: two means of one id; both modules are named.
    """
    found: dict[str, Means] = {}
    for module in modules:
        for value in vars(module).values():
            if not _concrete(value, module.__name__):
                continue
            if (other := found.get(value.id)) is not None:
                raise LabError(f"means {value.id} is defined in {type(other).__module__} and in {module.__name__}")
            found[value.id] = value()
    return found


def _concrete(value: object, module: str) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, Means)
        and value.__module__ == module
        and not isabstract(value)
        and isinstance(getattr(value, "id", None), str)
    )
