"""Edits checked against the vendor's YANG itself, by a checker that stands beside the modules.

The folder holds one folder of modules for each vendor and an executable `validate`, run as
`validate [--full] VENDOR FILE.xml`: exit 0 is valid, 1 is not valid with the reason on standard error, anything
else means that the check could not be made. `--full` asks for references and conditions, too.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from .datastores import Failures
from .errors import RpcError
from .operations import Call, edit_request
from .tree import Node, children_xml

CHECKER = "validate"
_VALID, _WRONG = 0, 1
_TIMEOUT_S = 120.0
_AT_ONCE = 2
_running: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


@dataclass(frozen=True, slots=True)
class YangCheck:
    """What a device's edits are checked against beyond the data table.

    Attributes:
        about: in words, for logs.
        checker: the executable; None where nothing is checked.
        vendor: the folder of modules.
    """

    about: str
    checker: Path | None = None
    vendor: str = ""

    async def refusal(self, call: Call, note: Callable[[str], None]) -> RpcError | None:
        """Why the YANG forbids what is asked; None where it does not, or nothing could be checked.

        Args:
            call: an edit, a validate or a commit; anything else passes.
            note: told, in words, when the check could not be made.
        """
        if self.checker is None or (document := _document(call)) is None:
            return None
        full, text = document
        code, said = await _run(self.checker, [*(["--full"] if full else []), self.vendor], text)
        if code == _VALID:
            return None
        if code != _WRONG:
            note(f"not checked against YANG: {said}")
            return None
        return RpcError("invalid-value", said.splitlines()[0] if said else "not valid", app_tag="yang")


def yang_check(folder: Path | None, vendor: str) -> YangCheck:
    """What can be checked with a folder of modules, and if nothing, why not."""
    table = "not checked against YANG, against the data table alone"
    if folder is None:
        return YangCheck(f"{table}: no folder of modules was given")
    checker = folder / CHECKER
    if not os.access(checker, os.X_OK):
        return YangCheck(f"{table}: {checker} is no executable file")
    if not (folder / vendor).is_dir():
        return YangCheck(f"{table}: {folder} has no modules of {vendor}")
    return YangCheck(f"checked against YANG: {folder / vendor}", checker, vendor)


def _document(call: Call) -> tuple[bool, str] | None:
    """Whether the check is a full one, and of what; None where there is nothing to check."""
    try:
        if call.rpc.name == "edit-config":
            request = edit_request(call)
            if request.target == "running":
                return True, _whole(call.stores.preview(request))
            return False, etree.tostring(request.config, encoding="unicode", with_tail=False)
        if call.rpc.name in {"commit", "validate"} and call.features.candidate:
            return True, _whole(call.stores.read("candidate"))
    except (RpcError, Failures):
        pass  # the operation itself will say so
    return None


def _whole(content: Node) -> str:
    return f'<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0">{children_xml(content)}</config>'


async def _run(checker: Path, arguments: list[str], text: str) -> tuple[int, str]:
    """Run the checker, at most two at a time; its exit status and what it said."""
    gate = _running.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(_AT_ONCE))
    async with gate:
        with tempfile.NamedTemporaryFile("w", suffix=".xml", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            return await _wait([sys.executable, str(checker), *arguments, file.name])


async def _wait(command: list[str]) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), _TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()
        return 2, f"no answer within {_TIMEOUT_S:g} s"
    return process.returncode or 0, (errors or out).decode(errors="replace").strip()
