"""SNMP, MQTT, DHCP, a knocked door, and the attacker's own web server."""

from __future__ import annotations

import json
import sys

from .base import CONFIG, SERVERS, ServiceOrder, ServiceProgram, config_file, place, python_server

KNOCKS = (7000, 8000, 9000)
"""The ports to touch, in this order."""
BEACONS = 3
"""Calls before an implant gets its task."""
DROP = ("drop", "drop-it-here")
"""The account of the attacker's SSH server."""
DROP_BYTES = 50_000
"""What must have been copied there."""


class Snmp(ServiceProgram):
    """An agent whose rightful community is not the one everybody knows."""

    kind = "snmp"
    protocol = "udp"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("snmp", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """``public`` reads and ``private`` writes only where that is the weakness."""
        loot = order.loot()
        readers = {"house-ro": "the cellar"}
        if canary := loot.get("snmp-mib-dump"):
            readers["public"] = canary
        writers = {"private": loot["service-stop"]} if "service-stop" in loot else {}
        return config_file(order, readers=readers, writers=writers)


class Mqtt(ServiceProgram):
    """A broker."""

    kind = "mqtt"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("mqtt", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """A topic with tasks, where it is the attacker's."""
        loot = order.loot()
        topics = {"house/": "22 C"}
        if canary := loot.get("mqtt-c2"):
            topics["c2/task/"] = canary
        return config_file(order, topics=topics)


class Knock(ServiceProgram):
    """A door that opens to who knocks."""

    kind = "knock"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("knock", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """Behind the door is the canary."""
        behind = order.loot().get("port-knock", "")
        return config_file(order, knocks=KNOCKS, behind=behind, **{"else": "closed\n"})


class DhcpClient(ServiceProgram):
    """A host that wants an address; it listens on UDP 68."""

    kind = "dhcp"
    protocol = "udp"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("dhcpc", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """It trusts any server only where that is the weakness."""
        return config_file(order, trusts=order.loot().get("dhcp-spoof", ""))


class CommandWeb(ServiceProgram):
    """The attacker's web server outside: tasks for implants, a tool to fetch."""

    kind = "c2-web"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("c2web", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """What it hands out."""
        return config_file(order, beacons=BEACONS)


class CommandSsh(ServiceProgram):
    """The attacker's SSH server outside: it counts what is copied to it."""

    kind = "c2-ssh"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server; asyncssh lies in site-packages, so no -S here."""
        return [sys.executable, "-I", str(SERVERS / "sshsink.py"), str(order.root / CONFIG)]

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """One account."""
        name, password = DROP
        loot = order.loot().get("exfil-scp", "")
        return {
            CONFIG: json.dumps(
                {
                    **place(order),
                    "account": name,
                    "password": password,
                    "loot": loot,
                    "needs_bytes": DROP_BYTES,
                },
                sort_keys=True,
            )
        }
