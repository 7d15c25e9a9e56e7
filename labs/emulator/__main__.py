"""`python -m labs.emulator serve`: devices for a person to try, or for the process that started them."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

from .serve import die_with_parent, serve
from .spec import DeviceSpec, FleetSpec


def main() -> int:
    """Parse the command line and serve; 0, or 2 where something in it is wrong."""
    parser = argparse.ArgumentParser(prog="python -m labs.emulator", description="Emulated NETCONF devices.")
    command = parser.add_subparsers(dest="command", required=True).add_parser(
        "serve", help="play devices on 127.0.0.1 until interrupted"
    )
    command.add_argument("--directory", type=Path, help="keys, known_hosts and control socket (default: a new one)")
    command.add_argument("--spec", type=Path, help="JSON file of a FleetSpec")
    command.add_argument("--count", type=int, default=1, help="without --spec: how many gateways (default 1)")
    command.add_argument("--port", type=int, default=0, help="without --spec: the first port (default: free ones)")
    command.add_argument("--parent", type=int, help="end when this process, which started this one, ends")
    options = parser.parse_args()
    if options.parent is not None:
        die_with_parent(options.parent)
    directory = _private(options.directory or Path(tempfile.mkdtemp(prefix="secloop-emulator-")))
    if options.parent is None:
        sys.stderr.write(f"emulator {os.getpid()}: keys, known_hosts and control socket in {directory}\n")
    try:
        asyncio.run(serve(_fleet(options), directory))
    except (ValueError, OSError) as error:
        sys.stderr.write(f"emulator: {error}\n")
        return 2
    finally:
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
    ports = (options.port + index if options.port else 0 for index in range(options.count))
    return FleetSpec(devices=tuple(DeviceSpec(name=f"gw{i}", port=port) for i, port in enumerate(ports, 1)))


if __name__ == "__main__":
    sys.exit(main())
