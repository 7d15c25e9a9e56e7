"""The makes of devices: their hellos, their manners, and what each starts with."""

from __future__ import annotations

from typing import Any

import pytest
from ncclient.operations import RPCError

from labs.emulator import EVERY, Device, DeviceSpec, EmulatedFleet, mixed, parse_mix
from labs.emulator.device import VirtualDevice, initial
from labs.emulator.errors import RpcError
from labs.emulator.features import expand, features_of
from labs.emulator.inventory import ROLES
from labs.emulator.mix import Make, emulated
from labs.emulator.names import BASE, parse_xml
from labs.emulator.operations import OPERATIONS
from labs.emulator.profile import PROFILES, ErrorShape, load_profile
from labs.emulator.tree import children_xml
from labs.emulator.writing import prefixed_xml
from secloop_ai.contracts.errors import LabError
from secloop_ai.dialects import dialect, known

from .conftest import Connect

CAPABILITY = "urn:ietf:params:netconf:capability:"
PROFILED = sorted(path.stem for path in PROFILES.glob("*.yaml"))


def features(make: str, variant: str | None = None) -> Any:
    return features_of(map(expand, load_profile(make).offered(variant)))


def test_every_dialect_of_a_mix_has_a_profile() -> None:
    assert set(EVERY) <= set(PROFILED)


@pytest.mark.parametrize("make", PROFILED)
def test_a_profile_names_every_port(make: str) -> None:
    ports = load_profile(make).ports
    assert set(ports) | {"management"} == set(ROLES.values())
    assert len(set(ports.values())) == len(ports)


def test_what_the_hellos_say() -> None:
    xe, candidate = features("ios_xe"), features("ios_xe", "candidate")
    assert (xe.writable_running, xe.candidate, xe.confirmed_commit) == (True, False, False)
    assert (candidate.writable_running, candidate.candidate, candidate.confirmed_commit) == (False, True, False)
    junos = features("junos")
    assert (junos.confirmed_commit, junos.persist, junos.rollback_on_error) == (True, False, False)
    eos = features("eos")
    assert (eos.writable_running, eos.candidate, eos.confirmed_commit) == (True, True, False)
    for make in ("ietf", "openconfig", "srlinux", "sros"):
        whole = features(make)
        assert whole.candidate
        assert whole.persist
        assert whole.rollback_on_error


def test_an_unknown_variant_is_named() -> None:
    with pytest.raises(ValueError, match=r"'private'.*there are: candidate"):
        load_profile("ios_xe").offered("private")
    with pytest.raises(ValueError, match="there are: none"):
        load_profile("ietf").offered("private")


def test_a_dialect_without_a_profile_keeps_to_the_standard() -> None:
    assert load_profile("nobody").capabilities == load_profile("ietf").capabilities


def test_the_shape_of_errors() -> None:
    error = RpcError("data-missing", "no such filter")
    error.steps = ["t:configuration", "t:firewall", "t:filter[t:name='a/b']", "t:term"]
    shape = ErrorShape(path="edit", padded=True, info="<source-daemon>mgd</source-daemon>")
    text = error.to_xml({"t": "urn:t"}, shape)
    assert "<error-path>\n[edit configuration firewall filter]\n</error-path>" in text
    assert ">\nno such filter\n<" in text
    assert "<error-info><source-daemon>mgd</source-daemon></error-info>" in text
    assert "<error-path xmlns:t=" in error.to_xml({"t": "urn:t"})


def test_a_mix_takes_turns() -> None:
    turns = parse_mix("ietf, ietf")
    assert turns == (Make("ietf"), Make("ietf"))
    fleet = mixed(3, (Make("ietf"), Make("ios_xe", "candidate")))
    assert [(s.name, s.dialect, s.variant) for s in fleet] == [
        ("gw1", "ietf", None),
        ("gw2", "ios_xe", "candidate"),
        ("gw3", "ietf", None),
    ]


@pytest.mark.parametrize(
    ("mix", "message"),
    [("klingon", "no device to emulate.*klingon.*ietf"), ("ietf:odd", "odd"), (" , ", "no dialects")],
)
def test_a_mix_that_cannot_be(mix: str, message: str) -> None:
    with pytest.raises(LabError, match=message):
        parse_mix(mix)


def test_a_fleet_of_none() -> None:
    with pytest.raises(LabError, match="fleet of 0"):
        mixed(0, "ietf")


@pytest.mark.parametrize("make", emulated())
def test_every_make_starts(make: str) -> None:
    device = VirtualDevice(DeviceSpec(dialect=make), call_later=lambda _seconds, _call: _never())
    running = device.stores.running
    assert running.children
    for variant in load_profile(make).variants:
        VirtualDevice(DeviceSpec(dialect=make, variant=variant), call_later=lambda _seconds, _call: _never())
    assert parse_xml(f"<config>{prefixed_xml(device.schema, running)}</config>".encode()) is not None


@pytest.mark.parametrize("name", sorted(set(emulated()) & set(known())))
def test_the_ports_are_those_of_the_initial_configuration(name: str) -> None:
    inside = children_xml(initial(name, None, None))
    model = dialect(name).parse(f'<data xmlns="{BASE}">{inside}</data>')
    there = {port.name for port in model.interfaces} | {place.interface for place in model.attachments}
    assert set(load_profile(name).ports.values()) <= there


def _never() -> Any:
    raise AssertionError("nothing is timed here")


@pytest.fixture(scope="module")
def makes() -> Any:
    specs = [DeviceSpec(name=make, dialect=make) for make in emulated()]
    with EmulatedFleet(specs) as devices:
        yield {device.dialect: device for device in devices}


@pytest.mark.parametrize("make", emulated())
def test_a_client_reads_every_make(makes: dict[str, Device], connect: Connect, make: str) -> None:
    session = connect(makes[make])
    for capability in load_profile(make).capabilities:
        assert expand(capability) in list(session.server_capabilities)
    data = session.get_config("running").data_xml
    assert len(data) > 200
    if load_profile(make).reply.prefixed:
        assert "<nc:" not in data
        assert data.count("xmlns:") > 1


@pytest.mark.parametrize("make", emulated())
def test_operations_beyond_the_hello_are_refused(makes: dict[str, Device], connect: Connect, make: str) -> None:
    session = connect(makes[make])
    offered = features(make)
    session._session._server_capabilities.add(CAPABILITY + "candidate:1.0")
    session._session._server_capabilities.add(CAPABILITY + "confirmed-commit:1.1")
    if not offered.candidate:
        with pytest.raises(RPCError) as caught:
            session.discard_changes()
        assert caught.value.tag == "operation-not-supported"
    if not offered.persist:
        with pytest.raises(RPCError) as caught:
            session.cancel_commit()
        assert caught.value.tag == "operation-not-supported"
    assert set(OPERATIONS) >= {"commit", "cancel-commit"}
