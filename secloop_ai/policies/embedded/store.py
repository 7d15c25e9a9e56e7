"""Which weights are live: those that ship, or promoted ones that stand in the state folder.

``<state>/policies/<first 12 digits of the weights' SHA-256>/`` holds promoted weights; ``<state>/policies/current``
says which are live, and which were before. It is replaced in one step: a reader meets the old one or the new one.

Whoever promoted weights is never locked out by them: where the pointer or what it points to is damaged, or speaks the
vocabulary of another release, the shipped weights answer, and it is said. Only a folder that was named must be whole.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from secloop_ai.contracts import PolicyError
from secloop_ai.settings import Settings

POLICIES, CURRENT = "policies", "current"
SHIPPED = "shipped"
"""Stands in the pointer for the weights that ship."""
DIGITS = 12
FILES = ("config.json", "model.safetensors")
_NAME = re.compile(rf"[0-9a-f]{{{DIGITS}}}|{SHIPPED}")
LOG = logging.getLogger(__name__)
P = TypeVar("P")


class Pointer(NamedTuple):
    """What the pointer says.

    Attributes:
        live: digits of the live weights, or `SHIPPED`.
        before: what was live earlier, the last one last.
    """

    live: str = SHIPPED
    before: tuple[str, ...] = ()


class Store:
    """The promoted weights of one user.

    Args:
        folder: that holds them; by default the state folder's. It is made when something is promoted.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(Settings.load().state_dir) / POLICIES

    def pointer(self) -> Pointer:
        """Which weights are live; the shipped ones where nothing was ever promoted.

        Raises:
            PolicyError: the pointer cannot be read.
        """
        path = self.folder / CURRENT
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return Pointer()
        except (OSError, ValueError) as error:
            raise PolicyError(f"{path}: it cannot be read: {error}") from None
        try:
            found = json.loads(text)
            names = [found["live"], *found["before"]]
            if all(_NAME.fullmatch(name) for name in names):
                return Pointer(names[0], tuple(names[1:]))
        except (ValueError, KeyError, TypeError):
            pass
        raise PolicyError(f"{path}: it does not say which weights are live")

    def place(self, name: str, shipped: Path) -> Path:
        """The folder of weights by what the pointer calls them."""
        return shipped if name == SHIPPED else self.folder / name

    def keep(self, weights: Path, digest: str) -> str:
        """Copy weights in, whole or not at all; gives what the pointer would call them.

        Raises:
            PolicyError: they cannot be copied.
        """
        target = self.folder / digest[:DIGITS]
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=".new-") as made:
                new, old = Path(made, "new"), Path(made, "old")
                new.mkdir(mode=0o700)
                for file in FILES:
                    shutil.copyfile(weights / file, new / file)
                if target.exists():  # perhaps damaged: the whole one takes its place
                    target.rename(old)
                new.rename(target)
        except OSError as error:
            raise PolicyError(f"{weights}: cannot be copied to {target}: {error.strerror or error}") from None
        return target.name

    def promote(self, name: str, *, instead_of: str) -> None:
        """Make weights live that were kept.

        Args:
            name: as :meth:`keep` gave it.
            instead_of: what the caller found live; if that has changed meanwhile, nothing is done.

        Raises:
            PolicyError: others went live meanwhile, or the pointer cannot be written.
        """
        with self._alone():
            now = self._sound()
            if now.live != instead_of:
                raise PolicyError(f"{self.folder / CURRENT}: {now.live} went live meanwhile: compare with those")
            self._write(Pointer(name, (*now.before, now.live)))

    def back(self, usable: Callable[[str], bool]) -> tuple[str, str]:
        """Make live again what was before; weights that are no longer whole are passed over.

        Returns:
            What was live, and what is now.

        Raises:
            PolicyError: nothing was promoted, or the pointer cannot be written.
        """
        with self._alone():
            try:
                now = self.pointer()
            except PolicyError:
                now = Pointer("damaged", (SHIPPED,))
            if not now.before:
                raise PolicyError(f"{self.folder / CURRENT}: nothing was live before the weights that are live now")
            rest = list(now.before)
            while (name := rest.pop()) != SHIPPED and not usable(name):
                rest = rest or [SHIPPED]
            self._write(Pointer(name, tuple(rest)))
            return now.live, name

    def _sound(self) -> Pointer:
        """The pointer; one that is damaged counts as that of the shipped weights, which do answer then."""
        try:
            return self.pointer()
        except PolicyError:
            return Pointer()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process moves the pointer during the block."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with (self.folder / ".lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise PolicyError(f"{self.folder}: it cannot be written: {error.strerror or error}") from None

    def _write(self, pointer: Pointer) -> None:
        partial = self.folder / f".{CURRENT}-{os.getpid()}"
        with partial.open("w", encoding="utf-8") as file:
            file.write(json.dumps({"live": pointer.live, "before": list(pointer.before)}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self.folder / CURRENT)


def live(load: Callable[[Path], P], shipped: Path, digest: Callable[[P], str]) -> P:
    """The live policy; where the promoted weights cannot be used, the shipped ones, with a warning in the log.

    Args:
        load: makes a policy of a folder.
        shipped: folder of the weights that ship.
        digest: of a policy's weights.

    Raises:
        PolicyError: the shipped weights, too, cannot be used.
    """
    store = Store()
    try:
        name = store.pointer().live
        if name != SHIPPED:
            return checked(load, store.folder / name, digest)
    except PolicyError as error:
        LOG.warning("the promoted weights cannot be used, the shipped ones answer: %s", error)
    return load(shipped)


def checked(load: Callable[[Path], P], folder: Path, digest: Callable[[P], str]) -> P:
    """The policy of a folder of the store, whose name says which weights it holds.

    Raises:
        PolicyError: it cannot be loaded, or holds other weights.
    """
    policy = load(folder)
    if digest(policy)[:DIGITS] != folder.name:
        raise PolicyError(f"{folder}: it holds other weights than those that were promoted")
    return policy


def trouble(digest: str) -> str:
    """Why the policy of this digest answers although others were promoted; empty where it is right that it does."""
    try:
        name = Store().pointer().live
    except PolicyError as error:
        return f"{error}: the shipped weights answered; `secloop policy rollback` mends it"
    if name in (SHIPPED, digest[:DIGITS]):
        return ""
    return f"the promoted weights {name} cannot be used: the shipped ones answered; see `secloop policy list`"
