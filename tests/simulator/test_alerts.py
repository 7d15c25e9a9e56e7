"""The sensor's view of the undefended twin."""

from __future__ import annotations

import pytest

from secloop_ai.contracts import Protocol

from .world import BASE, GUESS_SSH, address_of, case_of, field_of, infected

LOOT = {"means": "loot", "target": "web/http"}
FLOOD = {"means": "flood", "target": "web/http"}


def test_an_alert_has_the_addresses_and_features_of_the_traffic() -> None:
    field = field_of()
    (alert,) = field.alerts()
    assert (alert.source, alert.destination) == (field.case.attackers[0].address, address_of(field.case, "web"))
    assert (alert.destination_port, alert.protocol, alert.app_protocol) == (22, Protocol.TCP, "ssh")
    assert (alert.signature_id, alert.classification, alert.severity, alert.count) == (
        9001001,
        "attempted-admin",
        1,
        20,
    )
    assert alert.to_server
    assert alert.handshake
    assert alert.flow.packets_to_client
    assert alert.flow.bytes_to_server > alert.flow.packets_to_server
    assert 0 < alert.seconds <= 30
    assert alert.zones is None


def test_an_alert_on_the_way_back_names_the_server_first_and_the_clients_port() -> None:
    field = field_of(LOOT)
    (alert,) = field.alerts()
    assert alert.count == 1
    assert (alert.source, alert.destination) == (address_of(field.case, "web"), field.case.attackers[0].address)
    assert (alert.destination_port or 0) >= 32768
    assert not alert.to_server


def test_a_scan_of_many_ports_has_a_summary_for_each_up_to_a_bound() -> None:
    found = field_of({"means": "sweep", "target": "db"}).alerts()
    assert len({a.destination_port for a in found}) == len(found) == 8
    assert sum(a.count for a in found) == 20


def test_without_an_application_protocol_no_handshake_is_proven() -> None:
    (alert,) = field_of(LOOT).alerts()
    assert (alert.app_protocol, alert.handshake) == (None, False)
    assert alert.flow.packets_to_client, "answers are there all the same"


def test_servers_that_use_each_other_over_ssh_set_a_rule_off() -> None:
    db = {"name": "ssh", "kind": "ssh", "port": 22, "clients": ["web", "desk"]}
    hosts = [h | {"services": [*h["services"], db]} if h["name"] == "db" else h for h in BASE["hosts"]]
    field = field_of(kind="quiet", chain=[], hosts=hosts, flows=[*BASE["flows"], {"service": "db/ssh"}])
    (alert,) = field.alerts()
    assert (alert.signature_id, alert.destination_port, alert.handshake) == (9000008, 22, False)
    assert (alert.source, alert.destination) == (address_of(field.case, "web"), address_of(field.case, "db"))


def test_a_flood_shows_no_handshake_and_no_answers() -> None:
    (alert,) = field_of(FLOOD).alerts()
    assert not alert.handshake
    assert alert.flow.packets_to_client == alert.flow.bytes_to_client == 0


def test_what_a_sensor_cannot_see_raises_nothing() -> None:
    assert field_of({"means": "silent", "target": "web/ssh"}).alerts() == ()


def test_neighbours_are_not_seen_but_for_their_broadcasts() -> None:
    hidden = {"means": "sweep", "source": "desk", "target": "printer"}
    heard = {"means": "spoof", "source": "desk", "target": "printer"}
    assert field_of(hidden, hosts=infected("desk")).alerts() == ()
    (alert,) = field_of(heard, hosts=infected("desk")).alerts()
    assert (alert.protocol, alert.handshake) == (Protocol.UDP, False)


def test_a_stage_that_was_never_tried_raises_nothing() -> None:
    pivot = {"means": "pivot", "source": "web", "target": "db/redis"}
    assert field_of(pivot).alerts() == ()
    refused = field_of({"means": "guess", "target": "web/http"})
    assert len(refused.alerts()) == 1, "an attempt that fails is seen all the same"


def test_alerts_come_from_the_seed_alone_and_in_order() -> None:
    chain = (LOOT, GUESS_SSH, FLOOD)
    first = field_of(*chain).alerts()
    assert first == field_of(*chain).alerts()
    assert [a.first_seen for a in first] == sorted(a.first_seen for a in first)
    assert first != field_of(*chain, seed=8).alerts()


@pytest.mark.parametrize("word", ["guess", "loot", "two-gateways", "hand-made"])
def test_nothing_of_the_scenario_file_is_in_an_alert(word: str) -> None:
    text = "".join(a.model_dump_json() for a in field_of(GUESS_SSH, LOOT).alerts())
    assert word not in text
    assert case_of().scenario == "two-gateways"
