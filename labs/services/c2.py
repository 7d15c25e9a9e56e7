"""What an implant talks to, on the outside: it counts what arrives and acknowledges with a canary."""

from __future__ import annotations

from .base import ServiceOrder, ServiceProgram, config_file, python_server

BEACONS = 3
"""Beacons after which the implant is told its task."""


class CommandServer(ServiceProgram):
    """Part of the red side: `weaknesses` are the implant's means it serves, each with its canary."""

    kind = "c2"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("c2", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """Its loot."""
        return config_file(order, beacons=BEACONS)
