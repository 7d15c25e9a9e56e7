"""`python -m labs.emulator serve`: devices for a person to try, or for the process that started them."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from secloop_ai.contracts.errors import LabError

from .mix import mixed
from .serve import die_with_parent, serve
from .spec import FleetSpec
from .supervisor import supervise


def main() -> int:
    """Parse the command line and serve; 0, or 2 where something in it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m labs.emulator", description="Emulated NETCONF devices.")
    commands = parser.add_subparsers(dest="command", required=True)
    keep = commands.add_parser("supervise", help="run the fleet of DIRECTORY/fleet.json, again when it dies")
    keep.add_argument("--directory", type=Path, required=True, help="keys, logs, control socket")
    command = commands.add_parser("serve", help="play devices on 127.0.0.1 until interrupted")
    command.add_argument("--directory", type=Path, help="keys, known_hosts and control socket (default: a new one)")
    command.add_argument("--spec", type=Path, help="JSON file of a FleetSpec")
    command.add_argument("--count", type=int, default=1, help="without --spec: how many gateways (default 1)")
    command.add_argument("--mix", help="without --spec: dialects with commas between, or all (default: ietf)")
    command.add_argument("--yang", type=Path, help="folder of YANG modules to check edits against")
    command.add_argument("--port", type=int, default=0, help="without --spec: the first port (default: free ones)")
    command.add_argument("--parent", type=int, help="end when this process, which started this one, ends")
    command.add_argument("--keep", action="store_true", help="leave the directory when that process has died")
    options = parser.parse_args()
    if options.command == "supervise":
        return supervise(options.directory)
    if options.parent is not None:
        die_with_parent(options.parent)
    directory = _private(options.directory or Path(tempfile.mkdtemp(prefix="secloop-emulator-")))
    if options.parent is None:
        sys.stderr.write(f"emulator {os.getpid()}: keys, known_hosts and control socket in {directory}\n")
    try:
        asyncio.run(serve(_fleet(options), directory))
    except (ValueError, OSError, LabError) as error:
        sys.stderr.write(f"emulator: {error}\n")
        return 2
    finally:
        if not options.keep:
            _tidy(directory, options.parent)
    return 0


def _tidy(directory: Path, parent: int | None) -> None:
    """Remove the directory in place of a parent that died before it could."""
    if parent is not None and os.getppid() != parent:
        shutil.rmtree(directory, ignore_errors=True)


def _private(directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)
    return directory


def _fleet(options: argparse.Namespace) -> FleetSpec:
    if options.spec is not None:
        return FleetSpec.model_validate_json(options.spec.read_bytes())
    specs = mixed(options.count, options.mix or "ietf")
    ports = (options.port + index if options.port else 0 for index in range(options.count))
    changes = ({"port": port, "yang": options.yang} for port in ports)
    return FleetSpec(devices=tuple(s.model_copy(update=c) for s, c in zip(specs, changes, strict=True)))


if __name__ == "__main__":
    sys.exit(main())
