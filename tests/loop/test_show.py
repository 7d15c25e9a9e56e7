"""Hit counters from the text of show commands, and over a real SSH channel."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from pydantic import SecretStr

from secloop_ai.contracts import ConnectError, Connection, Device, Family, InputError
from secloop_ai.dialects import dialect
from secloop_ai.loop.plan import Running
from secloop_ai.loop.show import SHOWS, Hits, command, read_hits
from secloop_ai.loop.show_counters import count
from secloop_ai.loop.show_entries import entries
from secloop_ai.loop.show_ssh import run_commands
from tests.dialects.making import ONE, TWO

from .console import NO_COMMAND, console
from .grounds import ground

SHOWN = Path(__file__).with_name("shows")
OWN4 = "secloop-Ethernet1-in-v4"

textfsm = pytest.importorskip("textfsm", reason="the extra `cli` is not installed")
pytest.importorskip("ntc_templates", reason="the extra `cli` is not installed")


def shown(name: str) -> str:
    return (SHOWN / f"{name}.txt").read_text()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "ios_xe-4",
            [
                ("edge-in", "5", 1284),
                ("edge-in", "6", 0),
                ("edge-in", "10", 77),
                ("edge-in", "20", 0),
                ("edge-in", "30", 1),
            ],
        ),
        ("ios_xe-4-plain", [("edge-in", "5", 12), ("edge-in", "10", 0)]),
        ("ios_xe-6", [("edge6", "2", 9), ("edge6", "10", 0), ("edge6", "20", 1)]),
        ("eos-4", [(OWN4, "10", 42), (OWN4, "20", 0), (OWN4, "30", 9001), ("uncounted", "10", None)]),
        ("eos-6", [("six", "10", None), ("six", "20", None)]),
        (
            "junos-4",
            [
                ("secloop-ge-0/0/1.0-in-v4", "sl-3fa2b1c4d5-0-0-0", 1050),
                ("secloop-ge-0/0/1.0-in-v4", "sl-9c01d2e3f4-1-1-0", 0),
                ("other", "hits", 1),
            ],
        ),
        ("srlinux-4", [("secloop", "10", 311)]),
    ],
)
def test_counters_are_read_from_recorded_output(text: str, found: list[tuple[str, str, int | None]]) -> None:
    name, family = text.split("-")[:2]
    version: Family = 6 if family == "6" else 4
    assert read_hits(name, version, shown(text)) == tuple(Hits(*row) for row in found)


@pytest.mark.parametrize("name", SHOWS)
@pytest.mark.parametrize("text", ["", NO_COMMAND, "Filter: x\nCounters:\n"])
def test_what_says_nothing_of_counters_gives_none(name: str, text: str) -> None:
    assert read_hits(name, 4, text) == ()


def test_ntc_templates_reads_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secloop_ai.loop.show._from_own", lambda *_: pytest.fail("not needed"))
    assert read_hits("ios_xe", 4, shown("ios_xe-4-plain"))[0].packets == 12


def test_a_name_that_is_more_than_a_name_never_reaches_a_command_line() -> None:
    for name in ("a b", "a;reload", "a|b", "a\nreload", '"a"', "", "-a", "a" * 300):
        with pytest.raises(InputError, match="not put into a show command"):
            command("eos", name, 4)
    assert command("eos", OWN4, 6) == f"show ipv6 access-lists {OWN4}"


def test_without_the_packages_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "textfsm", None)
    with pytest.raises(InputError, match=r"textfsm is not installed here: pip install 'secloop\[cli\]'"):
        read_hits("eos", 4, shown("eos-4"))


@pytest.mark.parametrize("name", SHOWS)
def test_the_entries_of_a_configuration_have_the_numbers_of_its_command_line(name: str) -> None:
    here = ground(name)
    assert here, f"dialect {name}: no configuration of an emulated device to start from"
    spoken = dialect(name)
    data = spoken.apply(here.data, here.held).after
    found = entries(data, SHOWS[name])
    marks = {r.name for a in spoken.parse(data).acls for r in a.rules if r.name.startswith("sl-")}
    assert {str(e.mark) for e in found} == marks
    assert {e.mark.tag for e in found} <= {ONE, TWO}
    for entry in found:
        assert command(name, entry.acl, entry.family)
        assert entry.label == str(entry.mark) or int(entry.label) > 0
    assert len({(e.acl, e.label) for e in found}) == len(found)


def test_an_ipv6_entry_whose_remark_stands_alone_has_the_number_after_it() -> None:
    acl = "http://cisco.com/ns/yang/Cisco-IOS-XE-acl"
    data = (
        f'<data><native xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-native"><ipv6><access-list>'
        f'<named-acl xmlns="{acl}"><name>edge6</name>'
        f"<access-list-seq-rule><sequence>1</sequence><remark>sl-{ONE}-0-0</remark></access-list-seq-rule>"
        f"<access-list-seq-rule><sequence>2</sequence><ace-rule><action>deny</action></ace-rule></access-list-seq-rule>"
        f"</named-acl></access-list></ipv6></native></data>"
    )
    (entry,) = entries(data, SHOWS["ios_xe"])
    assert (entry.acl, entry.family, entry.label) == ("edge6", 6, "2")


OPENCONFIG = (
    '<data><acl xmlns="http://openconfig.net/yang/acl"><acl-sets><acl-set><name>' + OWN4 + "</name>"
    "<type>ACL_IPV4</type><acl-entries><acl-entry><sequence-id>10</sequence-id><config><sequence-id>10</sequence-id>"
    f"<description>sl-{ONE}-0-0</description></config></acl-entry><acl-entry><sequence-id>20</sequence-id><config>"
    f"<sequence-id>20</sequence-id><description>sl-{TWO}-0-0</description></config></acl-entry></acl-entries></acl-set>"
    "</acl-sets></acl></data>"
)
RUNNING = {"gw1": Running(OPENCONFIG, frozenset())}


def test_counters_come_over_ssh_to_their_mitigations(tmp_path: Path) -> None:
    text = f"show ip access-lists {OWN4}"
    with console(tmp_path, {text: shown("eos-4")}) as (device, asked):
        counted = count([device], RUNNING, {}, concurrency=2)
    assert asked == [text]
    assert [(c.mitigation_id, c.entry, c.packets) for c in counted.counters] == [(ONE, "10", 42), (TWO, "20", 0)]
    assert str(counted.counters[0]) == f"gw1: {ONE}: entry 10 of ACL {OWN4}: 42 packets matched"
    assert counted.notes == ()


def test_a_device_that_does_not_know_the_command_is_noted(tmp_path: Path) -> None:
    with console(tmp_path, {}) as (device, _):
        counted = count([device], RUNNING, {}, concurrency=1)
    assert counted.notes == (f"gw1: counters: nothing was shown of ACL {OWN4}",)
    assert [c.packets for c in counted.counters] == [None, None]
    assert "not counted by the device" in str(counted.counters[0])


def test_a_dialect_without_a_known_command_is_noted(tmp_path: Path) -> None:
    device = Device(name="gw1", dialect="ietf", connection=Connection(address="127.0.0.1"))
    assert count([device], RUNNING, {}, concurrency=1).notes == (
        "gw1: counters: dialect ietf has no show command known here",
    )


def test_one_device_that_fails_keeps_no_other_from_counting(tmp_path: Path) -> None:
    def runner(device: Device, password: SecretStr | None, commands: Iterable[str]) -> Sequence[str]:
        if device.name == "gw2":
            raise ConnectError("refused", device="gw2", operation="show")
        return [shown("eos-4") for _ in commands]

    where = Connection(address="127.0.0.1")
    devices = [Device(name=n, dialect="eos", connection=where) for n in ("gw1", "gw2")]
    counted = count(devices, {**RUNNING, "gw2": RUNNING["gw1"]}, {}, concurrency=2, runner=runner)
    assert [c.device for c in counted.counters] == ["gw1", "gw1"]
    assert counted.notes == ("gw2: show: refused",)


def test_a_host_key_that_is_not_the_known_one_is_refused(tmp_path: Path) -> None:
    with console(tmp_path, {"show": "secret"}) as (device, asked):
        (tmp_path / "known_hosts").write_text("")
        with pytest.raises(ConnectError, match=r"gw1: show: .*is not in"):
            run_commands(device, None, ["show"])
    assert asked == []


def test_a_command_without_an_end_is_given_up(tmp_path: Path) -> None:
    with console(tmp_path, {}, silent=True) as (device, _):
        slow = device.connection.model_copy(update={"timeout_s": 1.0})
        with pytest.raises(ConnectError, match="gw1: show: 'show'"):
            run_commands(device.model_copy(update={"connection": slow}), None, ["show"])


def test_nobody_there_is_an_error_that_names_the_device(tmp_path: Path) -> None:
    with console(tmp_path, {}) as (device, _):
        pass
    with pytest.raises(ConnectError, match="gw1: show: 'show' on port"):
        run_commands(device, None, ["show"])
