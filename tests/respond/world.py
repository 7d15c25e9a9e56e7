"""A network, a device and an operator's state directory: everything respond.yml needs, without root."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from labs.emulator import Device, write_inventory
from secloop_ai.contracts import MitigationState
from secloop_ai.ledger import Ledger, open_ledger
from secloop_ai.loop import steps

ATTACKER = "203.0.113.66"


def eve(
    path: Path, *, source: str = ATTACKER, destination: str = "192.0.2.138", port: int = 22, **changes: Any
) -> Path:
    """An EVE file of one brute force, six alerts; `changes` overwrite the alert object."""
    lines = []
    for n in range(6):
        event = {
            "timestamp": f"2026-11-22T12:00:0{n}.000000+0000",
            "flow_id": 100 + n,
            "event_type": "alert",
            "src_ip": source,
            "src_port": 40000 + n,
            "dest_ip": destination,
            "dest_port": port,
            "proto": "TCP",
            "app_proto": "ssh",
            "alert": {
                "action": "allowed",
                "gid": 1,
                "signature_id": 9000001,
                "rev": 1,
                "signature": "SECLOOP SSH brute force",
                "category": "Attempted Administrator Privilege Gain",
                "severity": 1,
                "metadata": {"mitre_technique_id": ["T1110.001"]},
                **changes,
            },
            "flow": {"pkts_toserver": 12, "pkts_toclient": 10, "bytes_toserver": 2100, "bytes_toclient": 2600},
        }
        lines.append(json.dumps(event))
    path.write_text("\n".join(lines) + "\n")
    return path


class World:
    """Runs the steps of the playbooks in this process, against a real NETCONF server."""

    def __init__(self, device: Device, root: Path) -> None:
        self.device = device
        self.root = root
        self.inventory = root / "inventory"
        write_inventory(device, self.inventory)
        self.url = f"sqlite:///{root / 'ledger.sqlite'}"
        self.alerts = eve(root / "eve.json")

    @property
    def params(self) -> dict[str, Any]:
        """What every step is given."""
        return {"inventory": [str(self.inventory)], "run_dir": str(self.root / "runs"), "ledger_url": self.url}

    @property
    def environ(self) -> dict[str, str]:
        """The same for a child process."""
        state = {"SECLOOP_LEDGER_URL": self.url, "SECLOOP_RUN_DIR": str(self.root / "runs")}
        return {**os.environ, **state, "ANSIBLE_NOCOLOR": "1"}

    def ledger(self) -> Ledger:
        """The ledger, opened anew; the caller closes it."""
        return open_ledger(self.url)

    def active(self) -> list[str]:
        """Ids of the mitigations on the network, by the ledger."""
        with self.ledger() as ledger:
            return [m.mitigation_id for m in ledger.mitigations(states=(MitigationState.ACTIVE,))]

    def decide(self, alerts: Path | None = None, *, check: bool = False) -> Mapping[str, Any]:
        """Alerts and decide."""
        seen = steps.alerts_step({**self.params, "alert_file": str(alerts or self.alerts)}, check)
        return steps.decide_step(
            {"policy": "playbook", **self.params, "summaries_file": seen.values["summaries_file"]}, check
        ).values

    def plan(self, alerts: Path | None = None, *, plan_dir: Path | None = None) -> Path:
        """Up to a written plan."""
        decided = self.decide(alerts)
        given = {**self.params, "decision_dir": decided["decision_dir"], "plan_dir": str(plan_dir or "")}
        return Path(steps.plan_step(given, False).values["plan_dir"])

    def apply(self, plan: Path, **more: Any) -> Any:
        """Commit a plan."""
        return steps.commit_step({**self.params, "plan_dir": str(plan), **more}, False)

    def respond(self, alerts: Path | None = None, **more: Any) -> Any:
        """The whole of respond.yml."""
        return self.apply(self.plan(alerts), **more)

    def roll_back(self, incident: str) -> Any:
        """rollback.yml."""
        return steps.rollback_step({**self.params, "incident": incident}, False)

    def expire(self, within_s: float = 86400.0) -> Any:
        """expire.yml; by default as if a day had passed."""
        return steps.rollback_step({**self.params, "expired": True, "within_s": within_s}, False)

    def edit_host(self, name: str, change: Mapping[str, Any]) -> None:
        """Change a host's variables in the inventory."""
        path = self.inventory / "host_vars" / f"{name}.yml"
        held = yaml.safe_load(path.read_text())
        key = "secloop_device" if "secloop_device" in held else "secloop_host"
        held[key] |= change
        path.write_text(yaml.safe_dump(held))

    def serve_locally(self, port: int) -> None:
        """Add a host whose web service really answers here, with client1 probing it from this machine."""
        hosts = self.inventory / "hosts.yml"
        tree = yaml.safe_load(hosts.read_text())
        tree["all"]["children"]["secloop_hosts"]["hosts"]["local1"] = {}
        hosts.write_text(yaml.safe_dump(tree))
        service = {"name": "page", "port": port, "clients": ["client1"], "check": {"type": "http"}}
        local = {"addresses": ["127.0.0.2"], "zone": "dmz", "services": [service]}
        (self.inventory / "host_vars" / "local1.yml").write_text(yaml.safe_dump({"secloop_host": local}))
        self.edit_host("client1", {"probe": {"via": "controller"}})
