"""Documents held against the vendor's own YANG, where a folder of it is at hand.

The folder has one folder of modules a vendor and an executable ``validate``, run as ``validate [--full --with BASE.xml]
VENDOR FILE.xml``: exit 0 is valid, 1 is not valid with the reason on standard error, else it could not be checked.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from labs.emulator.profile import load_profile
from secloop_ai.dialects.xml import BASE, Element, load, text_of

from .cells import Cell, failed, not_checked, passed

CHECKER, BARE = "validate", "junos"
TIMEOUT_S = 120.0
OWN_MODULES = "urn:secloop:yang:"
_VALID, _WRONG = 0, 1


@dataclass(frozen=True, slots=True)
class Yang:
    """A folder of vendors' modules with its checker.

    Attributes:
        full: references, conditions and mandatory nodes too, on what the device would hold.
    """

    folder: Path
    full: bool = False

    def lacking(self, dialect: str) -> Cell | None:
        """The cell of every document of a dialect that nothing can be said about here; None when it can be."""
        vendor = _vendor(dialect)
        if not os.access(self.folder / CHECKER, os.X_OK):
            return not_checked("no yang here", f"no folder of YANG modules at {self.folder} (name one with --yang)")
        if not (self.folder / vendor).is_dir():
            return not_checked("no yang here", f"{self.folder} has no modules of {vendor}")
        return None

    def check(self, dialect: str, steps: list[tuple[str, str, str]], around: str) -> Cell:
        """Whether edits are valid, each named and with the ``<data>`` it is made on.

        Args:
            dialect: whose modules hold.
            steps: name, ``<data>`` as far as the dialect reads it, edit.
            around: all that the device holds: what the dialect does not read may be mandatory.
        """
        if lacking := self.lacking(dialect):
            return lacking
        left_out = False
        for name, data, edit in steps:
            with tempfile.TemporaryDirectory(prefix="secloop-yang-") as folder:
                documents = {"around": around, "base": data, "edit": f'<config xmlns="{BASE}">{edit}</config>'}
                paths = [Path(folder) / f"{part}.xml" for part in documents]
                for path, text in zip(paths, documents.values(), strict=True):
                    root = load(text)
                    left_out |= _without_ours(root)
                    path.write_text(text_of(root), encoding="utf-8")
                code, said = self._run(dialect, paths[:-1], paths[-1])
            if code == _WRONG:
                return failed(f"the {name} is not valid: {said}")
            if code != _VALID:
                return not_checked("unchecked", f"the {name}: {said}")
        return passed("yes, full" if self.full else "yes", "a leaf of our own module was left out" if left_out else "")

    def _run(self, dialect: str, bases: Sequence[Path], change: Path) -> tuple[int, str]:
        command = [str(self.folder / CHECKER)]
        if self.full:
            command += ["--full", *(part for base in bases for part in ("--with", str(base)))]
        if dialect == BARE and "http://yang.juniper.net/" not in change.read_text(encoding="utf-8"):
            command.append("--bare")
        command += [_vendor(dialect), str(change)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
        except (OSError, subprocess.TimeoutExpired) as error:
            return -1, f"the checker could not run: {error}"
        return done.returncode, " ".join(done.stderr.split())


def _vendor(dialect: str) -> str:
    return load_profile(dialect).yang or dialect


def _without_ours(root: Element) -> bool:
    """Take out what is of our own modules, which no vendor's YANG knows; whether anything was."""
    ours = [e for e in root.iter() if str(e.tag).startswith(f"{{{OWN_MODULES}")]
    for element in ours:
        parent = element.getparent()
        if parent is not None:
            parent.remove(element)
    return bool(ours)
