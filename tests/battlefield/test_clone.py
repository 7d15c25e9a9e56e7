"""A clone as it stands after boot: wired as the case says, serving, and like every other clone of its seed."""

from __future__ import annotations

import subprocess

import pytest

from labs.battlefield import Battlefield, standing
from labs.battlefield.services import Serving
from labs.scenario import draw
from secloop_ai.contracts.errors import LabError
from secloop_ai.loop.watch import Watch, unprobed

from .support import children, eventually, leftovers, needs_lab, office

pytestmark = needs_lab


def addresses(field: Battlefield, node: str) -> str:
    """Links, addresses and routes of a node, without what the kernel numbers."""
    said = field.exec(node, ["ip", "-br", "link"]).stdout + field.exec(node, ["ip", "-br", "-4", "addr"]).stdout
    lines = [line for line in (said + field.exec(node, ["ip", "route"]).stdout).splitlines() if "mgmt0" not in line]
    return "\n".join(line.split("@")[0] for line in lines)


def test_every_legitimate_flow_is_served(field: Battlefield) -> None:
    with Watch(field.environment) as watch:
        watch.wait(rounds=3, timeout_s=10)
        results = watch.results()
    assert len(results) >= 3
    assert all(r.tries >= 3 and r.failures == 0 for r in results), results
    assert unprobed(field.environment) == ()


def test_packets_take_the_way_through_both_gateways(field: Battlefield) -> None:
    flow = next(f for f in field.case.flows if f.server == field.case.names["db"])
    rule = f"ip daddr {flow.packet.destination} counter"
    counter = f"table ip seen {{\nchain passed {{\ntype filter hook forward priority 0;\n{rule}\n}}\n}}\n"
    for gateway in ("edge", "core"):
        assert field.exec(gateway, ["nft", "-f", "-"], rights="admin", stdin=counter).returncode == 0
    script = f"import socket; socket.create_connection(('{flow.packet.destination}', 6379), 2)"
    assert field.exec(flow.client, ["python3", "-c", script]).returncode == 0
    for gateway in ("edge", "core"):
        seen = field.exec(gateway, ["nft", "list", "table", "ip", "seen"], rights="admin").stdout
        assert "packets 0" not in seen
        field.exec(gateway, ["nft", "delete", "table", "ip", "seen"], rights="admin")


def test_the_outside_reaches_services_by_the_attackers_addresses(field: Battlefield) -> None:
    red = field.red(field.case.stages[0])
    target = field.case.stages[0]
    script = f"import socket; s = socket.create_connection(('{target.target}', 22), 3); print(s.getsockname()[0])"
    assert red.run(["python3", "-c", script], timeout_s=5).stdout.strip() == str(target.source)
    other = field.case.attackers[1].address
    red.move(other)
    assert red.address() == other
    assert red.run(["python3", "-c", script], timeout_s=5).stdout.strip() == str(other)
    red.move(target.source)
    with pytest.raises(LabError, match="no address the attacker can go to"):
        red.move(field.environment.hosts[0].addresses[0])


def test_environment_is_the_cases_with_connections_and_probes(field: Battlefield) -> None:
    case = field.case.environment
    for device in field.environment.devices:
        assert device.connection.address.startswith("10.253.")
        assert [i for i in device.interfaces if not i.management] == list(case.device(device.name).interfaces)  # type: ignore[union-attr]
    text = field.environment.model_dump_json()
    assert all(str(p.address) not in text for p in field.case.attackers)
    assert all(h.probe is not None for h in field.environment.hosts)


def test_two_clones_of_a_seed_are_alike_and_apart(field: Battlefield) -> None:
    with Battlefield.clone(office(), 7) as twin:
        assert twin.index != field.index
        assert twin.snapshot() == field.snapshot()
        for node in field.atlas.nodes:
            assert addresses(twin, node) == addresses(field, node), node
        stage = field.case.stages[0]
        assert twin.red(stage).canary(stage) == field.red(stage).canary(stage)
        host = field.case.stages[0].target_host or ""
        assert field.exec(host, ["touch", "/tmp/here"]).returncode == 0
        assert twin.exec(host, ["test", "-e", "/tmp/here"]).returncode == 1
        assert {field.index, twin.index} <= {r.index for r in standing()}


def test_a_battlefield_without_services_or_scenario() -> None:
    case = draw(office(), 3)
    before = children()
    with Battlefield(case, host_services=False) as field:
        record = field._record
        assert record is not None
        assert sorted(field.snapshot()) == ["core", "edge"]
        assert not any("/" in name for name in field.nodes.daemons)
    assert leftovers(record) == []
    assert eventually(lambda: children() <= before)
    field.down()  # nothing there: no error
    with pytest.raises(LabError, match="is not up"):
        _ = field.index


def test_a_kind_nobody_serves_is_named_and_nothing_stays() -> None:
    case = draw(office(), 3)
    kinds = {(h.name, s.name): Serving("telepathy") for h in case.environment.hosts for s in h.services}
    field = Battlefield(case, kinds)
    with pytest.raises(LabError, match="no service kind telepathy"):
        field.up()
    assert not [r for r in standing() if r.case_id == case.case_id and r.owned]


def test_a_tool_that_hangs_is_ended_with_its_offspring(field: Battlefield) -> None:
    red = field.red(field.case.stages[0])
    done = red.run(["sh", "-c", "echo begun; setsid sleep 1234 & sleep 4321"], timeout_s=0.5)
    assert (done.returncode, done.stdout) == (124, "begun\n")

    def gone() -> bool:
        return "sleep" not in field.exec("red", ["ps", "ax"], rights="red").stdout

    assert eventually(gone)
    assert red.run(["no-such-tool"], timeout_s=5).returncode == 127


def test_the_controller_logs_in_on_hosts_and_nobody_of_the_case_can(field: Battlefield) -> None:
    for node in field.atlas.hosts():
        entry = field.login(node.name)
        argv = ["ssh", *entry.ssh_args(), "-i", str(entry.key_file), f"{entry.user}@{entry.host}"]
        done = subprocess.run(
            [*argv, "id -u; hostname; touch /etc/written && echo kept; mount -t tmpfs x /mnt || echo contained"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
        assert done.stdout.split() == ["0", node.name, "kept", "contained"], done.stderr
        script = f"import socket; socket.create_connection(('{node.address.ip if node.address else ''}', 2222), 1)"
        assert field.exec("red", ["python3", "-c", script]).returncode == 1
