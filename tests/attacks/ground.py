"""What the live tests of the means share: a lab, a sensor with the battlefield's rules, and weak services in it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from tempfile import mkdtemp

from labs.attacks.base import Means, Receipt
from labs.attacks.red import LabRed
from labs.attacks.registry import means
from labs.lab import Lab
from labs.lab.netns import can_connect
from labs.lab.processes import environment
from labs.lab.topology import port_of
from labs.scenario import Stage
from labs.services.base import ServiceOrder, program
from tests.lab.support import eventually

RULES = Path(__file__).parents[2] / "labs" / "attacks" / "rules"
NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs"]
ANOMALIES = "        - anomaly:\n            enabled: yes\n        - alert:\n"


class Ground:
    """A lab that is up, its second sensor, and a folder."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.eve = folder / "ids" / "eve.json"
        self.last: Stage

    def mark(self) -> int:
        """Where the sensor's log ends now."""
        return self.eve.stat().st_size

    def red(self, canaries: dict[str, str], host: str = "attacker") -> LabRed:
        """Hands on a host of the lab."""
        return LabRed(self.lab, Path(mkdtemp(dir=self.folder)), canaries, host)

    @contextmanager
    def sensor(self, *rules: str) -> Iterator[None]:
        """Suricata beside the lab's own, with these rule files."""
        text = (self.lab.paths.sensor / "suricata.yaml").read_text(encoding="utf-8")
        self.eve.parent.mkdir()
        config, every = self.folder / "suricata.yaml", self.folder / "every.rules"
        # its own fan-out group: the packets of a shared one would be dealt out between the two
        text = text.replace("cluster-id: 99", "cluster-id: 71").replace("        - alert:\n", ANOMALIES, 1)
        config.write_text(text, encoding="utf-8")
        every.write_text("".join((RULES / r).read_text(encoding="utf-8") for r in rules), encoding="utf-8")
        argv = ["suricata", "-c", str(config), "-S", str(every), "-l", str(self.eve.parent), "-k", "none"]
        log = self.folder / "suricata.log"
        with self.process("gw", [*argv, "--af-packet=span1"], log):
            assert eventually(lambda: "Engine started" in log.read_text(encoding="utf-8")), log.read_text()
            yield

    @contextmanager
    def process(self, host: str, argv: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
        """A program on a host of the lab, ended with the block."""
        env = environment(self.lab.paths.root)
        with (
            log.open("wb") as output,
            subprocess.Popen(self.lab.command(host, argv), stdout=output, stderr=output, env=env) as process,
        ):
            try:
                yield process
            finally:
                process.kill()

    @contextmanager
    def service(self, order: ServiceOrder, host: str) -> Iterator[None]:
        """A service on a host of the lab, as nobody, until the block ends."""
        plugin = program(order.kind)
        settings = {"net/ipv4/ip_unprivileged_port_start": "0", **plugin.sysctls(order)}
        before = {name: self.sysctl(host, name) for name in settings}
        order.root.mkdir(parents=True)
        for name, content in plugin.files(order).items():
            (order.root / name).write_text(content, encoding="utf-8")
        with ExitStack() as stack:
            for name, value in settings.items():
                self.sysctl(host, name, value)
                stack.callback(self.sysctl, host, name, before[name])
            log = order.root / "log"
            stack.enter_context(self.process(host, [*NOBODY, *plugin.command(order)], log))
            assert eventually(lambda: self._listens(order, host)), log.read_text(encoding="utf-8")
            yield

    def _listens(self, order: ServiceOrder, host: str) -> bool:
        if program(order.kind).protocol == "udp":
            found = self.lab.exec(host, ["ss", "-Hlun", "sport", "=", f":{order.port}"]).stdout
            return str(order.port) in found
        return can_connect(self.lab.netns(host), str(order.address), order.port, 1.0)

    def sysctl(self, host: str, name: str, value: str | None = None) -> str:
        """A setting of the host's network namespace, set first where a value is given."""
        if value is not None:
            script = f"echo {value} > /proc/sys/{name}"
            assert self.lab.exec(host, ["sh", "-c", script]).returncode == 0
        return self.lab.exec(host, ["cat", f"/proc/sys/{name}"]).stdout.strip()

    def alerts(self, since: int) -> list[dict[str, object]]:
        """Alerts and anomalies beyond the first `since` bytes of the log."""
        with self.eve.open(encoding="utf-8") as file:
            file.seek(since)
            found = [json.loads(line) for line in file if line.endswith("\n")]
        return [event for event in found if event["event_type"] in {"alert", "anomaly"}]

    def sids(self, since: int) -> set[int]:
        """Signatures that fired since."""
        return {e["alert"]["signature_id"] for e in self.alerts(since) if "alert" in e}  # type: ignore[index]


def stage_of(plugin: Means, *, port: int, weak: bool, source: str, target: str, **params: object) -> Stage:
    """A stage of the lab; an implant's goes from a server to the attacker."""
    implant = plugin.service_kinds[:1] == ("c2",)
    return Stage.model_validate(
        {
            "index": 0,
            "means": plugin.id,
            "source": port_of(source).host_v4.ip,
            "source_host": source if implant else None,
            "target": port_of(target).host_v4.ip,
            "target_host": None if implant else target,
            "service": "svc",
            "protocol": "udp" if params.get("kind") == "udp" else "tcp",
            "port": port,
            "weak": weak,
            "params": params,
            "seed": 7,
        }
    )


def attempt(
    ground: Ground, name: str, *, service: str, port: int, weak: bool, host: str = "web", source: str = "attacker",
    **params: object,
) -> Receipt:  # fmt: skip
    """Run one means against its service, weak or sound."""
    plugin = means(name)
    folder = Path(mkdtemp(dir=ground.folder))
    folder.chmod(0o755)
    address = port_of(host).host_v4.ip
    canaries = {name: f"canary-{os.urandom(6).hex()}"}
    weaknesses = (name,) if weak else ()
    order = ServiceOrder(
        kind=service,
        address=ip_address(address),
        port=port,
        weaknesses=weaknesses,
        canaries=canaries,
        root=folder / "svc",
    )
    stage = stage_of(plugin, port=port, weak=weak, source=source, target=host, **params)
    ground.last = stage
    with ground.service(order, host):
        return plugin.run(ground.red(canaries, source), stage)
