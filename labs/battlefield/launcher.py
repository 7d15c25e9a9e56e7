"""The launcher (node.c): compiled once, kept in the user's cache; and the command lines for it."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from labs.lab import network
from labs.lab.plugin import cache_dir
from labs.lab.processes import NETNS_DIR
from secloop_ai.contracts.errors import LabError

SOURCE = Path(__file__).with_name("node.c")
SERVICE_ID = 61184
"""User and group of everything unprivileged on a node; nobody's on the machine."""
START_S = 20.0
Rights = Literal["service", "red", "admin"]


def program(env: Mapping[str, str]) -> Path:
    """The compiled launcher.

    Raises:
        LabError: gcc refused the source.
    """
    kept = cache_dir() / f"node-{hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]}" / "node"
    if kept.is_file():
        return kept
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        built = Path(folder) / "node"
        options = ["-O2", "-Wall", "-Wextra", "-Werror"]
        network.run(["gcc", *options, "-o", str(built), str(SOURCE)], env)
        built.replace(kept)
    return kept


def make_networks(launcher: Path, names: Sequence[str], forwarding: Sequence[str], env: Mapping[str, str]) -> None:
    """Make network namespaces; those in `forwarding` pass packets on.

    Raises:
        LabError: the kernel refused.
    """
    marked = [f"+{name}" if name in forwarding else name for name in names]
    network.run([str(launcher), "net", str(NETNS_DIR), *marked], env)


def up_argv(
    launcher: Path, netns: str, base: Path, lower: Sequence[Path], hostname: str, binds: Sequence[str]
) -> list[str]:
    """Command line that boots a node."""
    layers = ":".join(map(str, lower))
    options = [part for bind in binds for part in ("-B", bind)]
    return [str(launcher), "up", "-n", str(NETNS_DIR / netns), "-b", str(base), "-l", layers, "-h", hostname, *options]


def run_argv(
    launcher: Path, pid: int, rights: Rights, argv: Sequence[str], *, detach: bool = False, folder: str = "/"
) -> list[str]:
    """Command line that runs `argv` on the node of that first process."""
    how = ["-d"] if detach else []
    return [str(launcher), "run", "-p", str(pid), "-r", rights, *how, "-C", folder, "--", *argv]


class Starting:
    """A launcher at work that will print the process id of what it started."""

    def __init__(self, name: str, argv: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self.name, self.log = name, log
        with log.open("ab") as said:
            self._process = subprocess.Popen(
                argv, env=dict(env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True
            )

    def pid(self) -> int:
        """Wait for it.

        Raises:
            LabError: it could not be started; with the end of its log, if that still stands.
        """
        try:
            said, _ = self._process.communicate(timeout=START_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            raise LabError(f"{self.name}: not started after {START_S:g} s") from None
        if self._process.returncode or not said.strip().isdigit():
            raise LabError(f"{self.name}: not started: {self._last_words() or 'no message'}")
        return int(said)

    def _last_words(self) -> str:
        try:
            return self.log.read_text(encoding="utf-8", errors="replace").strip()[-400:]
        except FileNotFoundError:  # its battlefield was taken down while it started
            return ""
