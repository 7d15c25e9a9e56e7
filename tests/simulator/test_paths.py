"""Ways through the network, by hand."""

from __future__ import annotations

from ipaddress import ip_address

from labs.simulator.paths import Hop, Paths

from .world import address_of, case_of, host_of


def ports(name: str) -> str:
    case = case_of()
    where = host_of(case, name).attached_to
    assert where is not None
    return where.interface


def test_from_outside_to_a_host_behind_the_first_gateway() -> None:
    case = case_of()
    hops = Paths(case).between(case.attackers[0].address, address_of(case, "web"))
    assert hops == (Hop("edge", "ge0", ports("web")),)


def test_from_outside_through_the_cable_to_the_second_gateway_and_back() -> None:
    case = case_of()
    (link,) = case.links
    there = Paths(case).between(case.attackers[0].address, address_of(case, "db"))
    back = Paths(case).between(address_of(case, "db"), case.attackers[0].address)
    assert (link.one, link.other) == ("core", "edge")
    assert there == (Hop("edge", "ge0", link.other_port), Hop("core", link.one_port, ports("db")))
    assert back == (Hop("core", ports("db"), link.one_port), Hop("edge", link.other_port, "ge0"))


def test_neighbours_on_one_segment_pass_no_gateway() -> None:
    case = case_of()
    assert Paths(case).between(address_of(case, "desk"), address_of(case, "printer")) == ()
    assert Paths(case).between(case.attackers[0].address, address_of(case, "partner")) == ()


def test_hosts_with_a_port_each_meet_in_the_gateway() -> None:
    case = case_of()
    hops = Paths(case).between(address_of(case, "desk"), address_of(case, "web"))
    assert hops == (Hop("edge", ports("desk"), ports("web")),)


def test_an_unknown_address_is_where_its_prefix_leads() -> None:
    case = case_of()
    paths = Paths(case)
    assert paths.place(ip_address("198.51.100.77")) == ("edge", "ge0")
    spare = next(
        a for d in case.environment.devices if d.name == "core" for i in d.interfaces if i.zone == "servers"
        for a in i.addresses[0].network.hosts() if a not in host_of(case, "db").addresses
    )  # fmt: skip
    assert paths.place(spare) == ("core", ports("db"))


def test_without_a_cable_there_is_no_way() -> None:
    case = case_of().model_copy(update={"links": ()})
    assert Paths(case).between(case.attackers[0].address, address_of(case, "db")) is None
