"""``secloop lab up --fleet``, and what ``down`` and ``status`` do where it is a fleet that stands."""

from __future__ import annotations

from pathlib import Path

import typer

from .emulator import FleetStatus, StandingFleet, mixed
from .emulator.mix import ALL
from .emulator.schema import DATA
from .emulator.standing import DEFAULT_NAME

ALERTS = DATA / "ssh-brute-force.eve.json"


def up(
    name: str, run_dir: Path | None, inventory: Path, count: int, mix: str | None, yang: Path | None, *, as_json: bool
) -> None:
    """Start a fleet and say how it is.

    Raises:
        LabError: a dialect cannot be emulated, or the fleet did not come up.
    """
    specs = mixed(count, mix or ALL)
    if yang is not None:
        specs = tuple(spec.model_copy(update={"yang": yang.absolute()}) for spec in specs)
    _print(_fleet(name, run_dir).up(specs, inventory), as_json=as_json)


def down(name: str, run_dir: Path | None, *, as_json: bool) -> bool:
    """Take the fleet down; False where there is none.

    Raises:
        LabError: a process would not end.
    """
    fleet = _fleet(name, run_dir)
    if not fleet.exists:
        return False
    fleet.down()
    _print(fleet.status(), as_json=as_json)
    return True


def show(name: str, run_dir: Path | None, *, as_json: bool) -> str | None:
    """Say how the fleet is; its state, or None where there is none."""
    fleet = _fleet(name, run_dir)
    if not fleet.exists:
        return None
    status = fleet.status()
    _print(status, as_json=as_json)
    return status.state


def _fleet(name: str, run_dir: Path | None) -> StandingFleet:
    return StandingFleet(name or DEFAULT_NAME, run_dir)


def _print(status: FleetStatus, *, as_json: bool) -> None:
    if as_json:
        typer.echo(status.model_dump_json(indent=2))
        return
    typer.echo("\n".join(_lines(status)))


def _lines(status: FleetStatus) -> list[str]:
    boot = f", booted in {status.boot_s:.2f} s" if status.boot_s is not None else ""
    lines = [f"fleet {status.name}: {status.state}{boot}"]
    if status.ports is None:
        return lines
    kinds = ", ".join(f"{count} {dialect}" for dialect, count in status.dialects.items())
    memory = f", {status.memory_mb:g} MB" if status.memory_mb is not None else ""
    lines.append(f"  devices:   {status.devices} ({kinds}){memory}")
    if status.restarts:
        lines.append(f"  restarts:  {status.restarts}; the devices came back as they were at first")
    low, high = status.ports
    lines.append(f"  netconf:   over ssh, {status.user}@127.0.0.1, ports {low} to {high}, key {status.key_file}")
    lines.append(f"  alerts:    {ALERTS} (recorded)")
    lines.append(f"  inventory: {status.inventory or 'none written'}")
    lines.append(f"  log:       {status.log}")
    return lines
