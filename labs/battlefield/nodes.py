"""The nodes of one battlefield, live: booted, entered, ended."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from labs.lab.processes import MARK, collect
from secloop_ai.contracts.errors import LabError

from . import launcher, skeleton
from .atlas import Atlas, Node
from .launcher import Rights, Starting

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
TIMED_OUT = 124
GRACE_S = 3.0


class Nodes:
    """First processes of the nodes, and everything started below them.

    Args:
        atlas: the plan.
        root: the battlefield's folder.
        binary: the launcher.
        servers: folder of our own service programs.
    """

    def __init__(self, atlas: Atlas, root: Path, binary: Path, servers: Path) -> None:
        self.atlas, self.root, self.binary, self.servers = atlas, root, binary, servers
        self.env = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/root", MARK: str(root), **skeleton.libraries()}
        self._starting: list[Starting] = []
        self.first: dict[str, int] = {}
        self.daemons: dict[str, int] = {}

    def boot(self, nodes: Iterable[Node], binds: Mapping[str, Sequence[str]]) -> None:
        """Boot the nodes side by side.

        Args:
            nodes: which.
            binds: more of this machine that a node sees, by its name.

        Raises:
            LabError: one did not come up.
        """
        common = skeleton.binds(self.servers)
        starting = [self._boot(node, [*common, *binds.get(node.name, ())]) for node in nodes]
        for one in starting:
            self.first[one.name] = one.pid()
            self._starting.remove(one)

    def _boot(self, node: Node, binds: Sequence[str]) -> Starting:
        base = self.root / "node" / node.netns
        base.mkdir(parents=True)
        layers = [self.root / "gateway", self.root / "host"] if node.kind == "gateway" else [self.root / "host"]
        argv = launcher.up_argv(self.binary, node.netns, base, layers, node.name, binds)
        return self._noted(Starting(node.name, argv, self.log(f"node-{node.name}"), self.env))

    def _noted(self, one: Starting) -> Starting:
        self._starting.append(one)
        return one

    def log(self, name: str) -> Path:
        """Log of a process."""
        return self.root / "log" / f"{name.replace('/', '_')}.log"

    def inside(self, node: str) -> Path:
        """The node's root, as this process sees it; for files that are put there before anything runs on it."""
        return Path(f"/proc/{self.first[node]}/root")

    def start(
        self,
        name: str,
        node: str,
        argv: Sequence[str],
        *,
        rights: Rights = "service",
        env: Mapping[str, str] | None = None,
        folder: str = "/",
    ) -> Starting:
        """Start a daemon on a node; `settle` notes its process id."""
        command = skeleton.inside(argv, self.servers)
        whole = launcher.run_argv(self.binary, self._first(node), rights, command, detach=True, folder=folder)
        return self._noted(Starting(name, whole, self.log(name), {**self.env, **(env or {})}))

    def settle(self, starting: Iterable[Starting]) -> None:
        """Wait until they have been started.

        Raises:
            LabError: one could not be.
        """
        for one in starting:
            self.daemons[one.name] = one.pid()
            self._starting.remove(one)

    def run(
        self, node: str, argv: Sequence[str], *, rights: Rights, timeout_s: float, stdin: str = "", folder: str = "/tmp"
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on a node, and end with it all that it left behind; too long is a return code of 124."""
        command = skeleton.inside(argv, self.servers)
        whole = launcher.run_argv(self.binary, self._first(node), rights, command, folder=folder)
        process = subprocess.Popen(
            whole, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            errors="replace",
        )  # fmt: skip
        try:
            out, said = process.communicate(stdin, timeout=timeout_s)
            return subprocess.CompletedProcess(list(argv), process.returncode, out, said)
        except subprocess.TimeoutExpired:
            out, said = _end(process)
            return subprocess.CompletedProcess(list(argv), TIMED_OUT, out, said)

    def _first(self, node: str) -> int:
        try:
            return self.first[node]
        except KeyError:
            raise LabError(f"the battlefield has no node {node!r}; it has {', '.join(self.first)}") from None

    def collect(self) -> None:
        """Wait for what has been killed, so that it leaves no zombies."""
        for one in self._starting:
            with contextlib.suppress(LabError):
                collect(one.pid())
        for pid in (*self.daemons.values(), *self.first.values()):
            collect(pid)


def _end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The launcher ends the program and its offspring; if it does not, it goes itself."""
    process.terminate()
    try:
        return process.communicate(timeout=GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()
