"""The plan of a battlefield, without building it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from labs.battlefield import sensor
from labs.battlefield.atlas import GATEWAYS, RED, chart, mac
from labs.battlefield.services import canary, guessed, servings
from labs.battlefield.wiring import cable_lines, gateway_lines, node_lines
from labs.scenario import draw
from secloop_ai.contracts.errors import LabError

from .support import office


@pytest.mark.parametrize("seed", range(20))
def test_every_address_and_cable_of_the_case_is_there(seed: int) -> None:
    case = draw(office(), seed)
    atlas = chart(case, 3)
    names = {h.name for h in case.environment.hosts} | {d.name for d in case.environment.devices} | {RED}
    assert set(atlas.nodes) == names
    assert {m for p in atlas.ports for m in p.members} == names - {d.name for d in case.environment.devices}
    cables = "\n".join(cable_lines(atlas))
    assert cables.count("type veth") == len(atlas.hosts()) + 1 + len(case.links) + len(atlas.management)
    for device in case.environment.devices:
        lines = "\n".join(gateway_lines(atlas, device.name))
        assert all(f"addr add {a} dev {i.name}" in lines for i in device.interfaces for a in i.addresses)
    red = "\n".join(node_lines(atlas.nodes[RED]))
    assert all(f"addr add {p.address}/" in red for p in case.attackers)


def test_names_of_two_battlefields_differ_and_their_cases_do_not() -> None:
    case = draw(office(), 1)
    one, other = chart(case, 0), chart(case, 1)
    assert not {n.netns for n in one.nodes.values()} & {n.netns for n in other.nodes.values()}
    assert not {m.device for m in one.management.values()} & {m.device for m in other.management.values()}
    assert [n._replace(netns="") for n in one.nodes.values()] == [n._replace(netns="") for n in other.nodes.values()]
    assert one.ports == other.ports


def test_hardware_addresses_are_local_unicast_and_depend_on_the_name_alone() -> None:
    first = int(mac("edge", "ge0").split(":")[0], 16)
    assert (first & 2, first & 1) == (2, 0)
    assert mac("edge", "ge0") == mac("edge", "ge0") != mac("edge", "ge1")


def test_kinds_come_from_the_scenario_under_the_drawn_names() -> None:
    case = draw(office(), 4)
    kinds = servings(office(), 4)
    assert set(kinds) == {(h.name, s.name) for h in case.environment.hosts for s in h.services}
    assert kinds[case.names["jump"], "ssh"].weaknesses == ("ssh-brute-force",)
    assert guessed(case) == kinds  # here services are named for their kinds


def test_canaries_differ_by_case_place_and_means() -> None:
    one, other = draw(office(), 1), draw(office(), 2)
    found = {
        canary(one, ("a", "ssh"), "x"),
        canary(one, ("b", "ssh"), "x"),
        canary(one, ("a", "ssh"), "y"),
        canary(one, None, "x"),
        canary(other, ("a", "ssh"), "x"),
    }
    assert len(found) == 5


def test_the_sensor_knows_inside_from_outside() -> None:
    case = draw(office(), 1)
    groups = sensor.variables(chart(case, 0), servings(office(), 1))
    home = [ip_network(net) for net in groups["HOME_NET"].strip("[]").split(",")]
    for host in case.environment.hosts:
        assert any(host.addresses[0] in net for net in home) == (host.zone != "outside"), host.name
    assert not any(p.address in net for p in case.attackers for net in home)
    assert str(case.environment.host(case.names["db"]).addresses[0]) in groups["SERVERS"]  # type: ignore[union-attr]
    assert "6379" in groups["SERVICE_PORTS"]


def test_too_many_gateways_are_refused() -> None:
    case = draw(office(), 1)
    device = case.environment.devices[0]
    many = tuple(device.model_copy(update={"name": f"gw{n}"}) for n in range(GATEWAYS + 1))
    crowded = case.model_copy(update={"environment": case.environment.model_copy(update={"devices": many})})
    with pytest.raises(LabError, match=f"has at most {GATEWAYS}"):
        chart(crowded, 0)
