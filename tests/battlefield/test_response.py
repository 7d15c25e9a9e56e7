"""An attack, the sensor's alerts, a strategy on the gateways, and its undo."""

from __future__ import annotations

import pytest

from labs.attacks.registry import means
from labs.battlefield import Battlefield
from secloop_ai.alerts import summarise
from secloop_ai.contracts import AlertSummary, BlockIp, GuardRefusal, Observe, Strategy

from .support import eventually, needs_lab

pytestmark = needs_lab
SSH_BRUTE_FORCE = 9000001


def summaries_of(field: Battlefield) -> tuple[AlertSummary, ...]:
    source = field.case.stages[0].source
    return tuple(s for s in summarise(field.eve_path)[0] if s.source == source)


def block(source: object, evidence: tuple[AlertSummary, ...]) -> Strategy:
    action = BlockIp.model_validate({"kind": "block_ip", "source": f"{source}/32", "ttl_s": 900})
    return Strategy(actions=(action,), evidence=tuple(s.summary_id for s in evidence), policy="by hand")


def test_attack_alert_response_undo(field: Battlefield) -> None:
    stage = field.case.stages[0]
    field.start_sensor()
    plugin = means(stage.means)
    receipt = plugin.run(field.red(stage), stage)
    assert receipt.succeeded, receipt.detail
    assert eventually(lambda: bool(summaries_of(field)))
    seen = summaries_of(field)
    assert SSH_BRUTE_FORCE in {s.signature_id for s in seen}

    before = field.snapshot()
    report = field.apply(block(stage.source, seen), seen)
    assert report.outcome == "confirmed"
    assert report.warnings == ()
    assert all(p.tries and not p.failures for p in report.probes)
    again = field.apply(block(stage.source, seen), seen)
    assert again.outcome == "unchanged"
    assert not plugin.run(field.red(stage), stage).succeeded

    removed = field.undo()
    assert len(removed.removed) == 1
    assert field.snapshot() == before
    assert plugin.run(field.red(stage), stage).succeeded
    assert field.sensor_alive()


def test_the_guard_has_its_say(field: Battlefield) -> None:
    before = field.snapshot()
    stage = field.case.stages[0]
    with pytest.raises(GuardRefusal):
        field.apply(block(stage.source, ()), ())  # no evidence
    assert field.snapshot() == before


def test_doing_nothing_changes_nothing(field: Battlefield) -> None:
    seen = summaries_of(field)
    idle = Strategy(
        actions=(Observe.model_validate({"kind": "observe", "reason": "false_alarm", "ttl_s": 900}),),
        evidence=tuple(s.summary_id for s in seen),
        policy="by hand",
    )
    assert field.apply(idle, seen).outcome == "unchanged"
    assert field.undo().removed == ()


def test_each_packet_is_seen_once_also_through_both_gateways(field: Battlefield) -> None:
    field.start_sensor()
    flow = next(f for f in field.case.flows if f.server == field.case.names["db"])
    count = "table netdev seen {\nchain c {\ntype filter hook ingress device mon1 priority 0;\n%s counter\n}\n}\n"
    match = f"tcp dport 6379 tcp flags & (syn | ack) == syn ip daddr {flow.packet.destination}"
    field.exec("ids", ["nft", "-f", "-"], rights="admin", stdin=count % match)
    script = f"import socket; socket.create_connection(('{flow.packet.destination}', 6379), 2)"
    assert field.exec(flow.client, ["python3", "-c", script]).returncode == 0

    def seen() -> str:
        return field.exec("ids", ["nft", "list", "table", "netdev", "seen"], rights="admin").stdout

    assert eventually(lambda: "packets 0" not in seen(), 5)
    assert "packets 1 " in seen()
