"""DNS: one zone; also the far end of a tunnel."""

from __future__ import annotations

from .base import ServiceOrder, ServiceProgram, config_file, python_server

ZONE = "house.example"
NEEDS_NAMES = 8
"""Long names that must arrive before a tunnel's far end is content."""


class Dns(ServiceProgram):
    """A name server over UDP and TCP."""

    kind = "dns"
    protocol = "udp"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("dns", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """The zone."""
        return config_file(order, zone=ZONE, answer=str(order.address), needs_names=NEEDS_NAMES)
