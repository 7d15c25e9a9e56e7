"""Variables as plain values, each with the file and line that defines it. Runs in the reader's process only.

Ansible 2.19 tags what it loads with where it came from; those tags survive templating. They are private to
Ansible: where they are gone, the parent searches the variables files instead (:mod:`.findings`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from ansible._internal._datatag._tags import Origin
except ImportError:  # an Ansible that keeps its tags elsewhere
    Origin = None

from .source import Place

Path = list[str | int]


def place_of(value: Any) -> Place | None:
    """The file and line of a value Ansible loaded; None where it carries no tag (a bool and None cannot)."""
    if Origin is None:
        return None
    origin = value if isinstance(value, Origin) else Origin.get_tag(value)
    if origin is None:
        return None
    return Place(str(origin.path or origin.description), int(origin.line_num or 0))


class Flattener:
    """Turns one host's variables into JSON-able values and notes places and templating errors.

    Attributes:
        marks: ``[path, file, line, key's file, key's line]`` of every node that carries a tag.
        problems: ``[path, message]`` of every template that does not resolve.
    """

    def __init__(self, template: Callable[[Any], Any], describe: Callable[[Exception, Any], str]) -> None:
        self._template = template
        self._describe = describe
        self.marks: list[list[Any]] = []
        self.problems: list[list[Any]] = []

    def plain(self, value: Any, path: Path, key: Any = None, *, resolved: bool = False) -> Any:
        """The value without tags, its templates resolved leaf by leaf so that one bad leaf hides no other."""
        self.note(value, path, key)
        if isinstance(value, dict):
            return {str(k): self.plain(v, [*path, str(k)], k, resolved=resolved) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.plain(v, [*path, n], resolved=resolved) for n, v in enumerate(value)]
        return _scalar(value) if resolved else self._leaf(value, path)

    def _leaf(self, value: Any, path: Path) -> Any:
        if isinstance(value, str) and "{" not in value:
            return str(value)
        try:
            found = self._template(value)
        except Exception as error:  # noqa: BLE001 - a template may run any plugin; what it raises is the user's to read
            self.problems.append([path, self._describe(error, value)])
            return None
        if isinstance(found, dict | list | tuple):
            return self.plain(found, path, resolved=True)
        return _scalar(found)

    def note(self, value: Any, path: Path, key: Any = None) -> None:
        """Keep where a value is defined, where that is known."""
        key_place = place_of(key)
        place = place_of(value) or key_place
        if place:
            self.marks.append([path, *place, *(key_place or place)])


def _scalar(value: Any) -> Any:
    """The value as the plain type it is, without the tags that a subclass carries."""
    if value is None or isinstance(value, bool):
        return value
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return str(value)
