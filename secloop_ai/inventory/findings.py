"""What is wrong with an inventory: every problem of one load, each with file, line, host and key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from pathlib import Path

from secloop_ai.contracts import InventoryError

from .source import KeyPath, Place, RawHost, Unreadable

PLAIN_KEY = re.compile(r"^[A-Za-z0-9_/-]+$")
NOWHERE = Place("", 0)


def key_text(path: KeyPath) -> str:
    """A key path as people write it: ``secloop_device.interfaces.ge0.addresses[1]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif PLAIN_KEY.match(part):
            text += f".{part}" if text else part
        else:
            text += f"[{part!r}]"
    return text


def closest(word: str, known: Collection[str]) -> list[str]:
    """The known word that a mistyped one may have been meant to be, if there is one."""
    return difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)


def did_you_mean(word: str, known: Collection[str]) -> str:
    """``"; did you mean 'x'?"`` where something known is close, else nothing."""
    close = closest(word, known)
    return f"; did you mean {close[0]!r}?" if close else ""


class Findings:
    """Collects problems, so that one run tells them all."""

    def __init__(self) -> None:
        self._lines: dict[tuple[Place, str, str], str] = {}
        self._places: set[tuple[str, KeyPath]] = set()

    def add(self, host: RawHost, path: KeyPath, message: str, *, at_key: bool = False) -> None:
        """Note a problem of one host's variable.

        A variable of a group is told once, by the first host that has it; a value that could not even be templated
        is not judged a second time.
        """
        if (host.name, path) in self._places:
            return
        if path in host.problems:
            self._places.add((host.name, path))
            message = host.problems[path]
        place = place_of(host, path, at_key=at_key)
        line = ": ".join(filter(None, [place_text(place), host.name, key_text(path), message]))
        self._lines.setdefault((place, key_text(path), message), line)

    def unreadable(self, problem: Unreadable) -> None:
        """Note a file that cannot be read at all."""
        place = Place(problem.file, problem.line)
        line = ": ".join(filter(None, [place_text(place), problem.message]))
        self._lines.setdefault((place, "", problem.message), line)

    def raise_if_any(self) -> None:
        """End here if something was found.

        Raises:
            InventoryError: with one line per problem.
        """
        lines = [line for (_, line) in sorted(self._lines.items(), key=lambda item: item[0][0])]
        if len(lines) == 1:
            raise InventoryError(f"inventory: {lines[0]}")
        if lines:
            raise InventoryError(
                f"the inventory has {len(lines)} problems:\n" + "\n".join(f"  {line}" for line in lines)
            )


def place_text(place: Place) -> str:
    """``file:line``, the file as seen from here where that is shorter."""
    path = Path(place.file)
    file = str(path.relative_to(Path.cwd())) if path.is_absolute() and path.is_relative_to(Path.cwd()) else place.file
    return f"{file}:{place.line}" if place.line else file


def place_of(host: RawHost, path: KeyPath, *, at_key: bool = False) -> Place:
    """Where the value, or the nearest thing around it, is defined; else where the host is."""
    for end in range(len(path), 0, -1):
        marks = host.key_marks if at_key and end == len(path) else host.marks
        if path[:end] in marks:
            return marks[path[:end]]
    if path and path[0] in host.values:
        return search(host, str(path[0]))
    return host.marks.get((), Place(host.file, 0))


def search(host: RawHost, variable: str) -> Place:
    """The line that mentions the variable, of the host's files in Ansible's order of precedence."""
    base = host.folder
    folders = [base / "host_vars" / host.name, *(base / "group_vars" / g for g in host.groups)]
    files = [f for folder in folders for f in _vars_files(folder)]
    for file in [*files, Path(host.file)]:
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            found = re.search(rf"\b{re.escape(variable)}\b", text)
            if found:
                return Place(str(file), text.count("\n", 0, found.start()) + 1)
    return Place(host.file, 0)


def _vars_files(stem: Path) -> list[Path]:
    """``NAME``, ``NAME.yml`` and the like, and everything in a folder ``NAME``."""
    if stem.is_dir():
        return sorted(p for p in stem.rglob("*") if p.is_file())
    return [stem, *(stem.with_name(stem.name + ext) for ext in (".yml", ".yaml", ".json"))]
