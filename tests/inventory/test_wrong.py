"""Inventories that break the schema: every message word for word, with its file, line, host and key.

A folder below ``cases/`` holds the files that differ from a good inventory, and ``expected.txt``: all the lines that
the error shows.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from secloop_ai.contracts import InventoryError
from secloop_ai.inventory import load_environment
from tests.inventory.tree import GOOD, HOSTS_YML, R1_YML, write

CASES = Path(__file__).parent / "cases"
MANAGEMENT = "    mgmt: {management: true, addresses: [%s], networks: [203.0.113.0/24]}\n"


def problems(folder: Path, files: dict[str, str]) -> list[str]:
    """The lines of the error that loading the files raises, paths from the inventory's folder on."""
    source = write(folder / "inv", files)
    with pytest.raises(InventoryError) as error:
        load_environment([source], known_dialects=["ietf"])
    lines = str(error.value).replace(source + "/", "").splitlines()
    if len(lines) == 1:
        return [lines[0].removeprefix("inventory: ")]
    assert lines[0] == f"the inventory has {len(lines) - 1} problems:"
    return [line.removeprefix("  ") for line in lines[1:]]


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda p: p.name)
def test_case(tmp_path: Path, case: Path) -> None:
    given = [f for f in case.rglob("*.yml") if f.is_file()]
    found = problems(tmp_path, {**GOOD, **{str(f.relative_to(case)): f.read_text() for f in given}})
    expected = (case / "expected.txt").read_text().splitlines()
    assert sorted(found) == sorted(expected)
    places = [line.split(":")[:2] for line in found]
    assert places == sorted(places, key=lambda p: (p[0], int(p[1])))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("secloop_device: ietf\n", "1: r1: secloop_device: must be a mapping, not 'ietf'"),
        ("a: 1\nsecloop_device:\n", "2: r1: secloop_device: must be a mapping, not empty"),
        ("secloop_device:\n  dialect: 5\n", "2: r1: secloop_device.dialect: must be text (put it in quotes), not 5"),
        (R1_YML + "  timeout_s: .inf\n", "9: r1: secloop_device.timeout_s: must be a finite number, not inf"),
        (R1_YML + "  timeout_s: soon\n", "9: r1: secloop_device.timeout_s: must be a number, not 'soon'"),
        (R1_YML + "ansible_user: 5\n", "9: r1: ansible_user: must be text (put it in quotes), not 5"),
        (
            R1_YML.replace("ietf", "itf"),
            "2: r1: secloop_device.dialect: unknown dialect 'itf' (known: ietf; did you mean 'ietf'?)",
        ),
    ],
)
def test_one_wrong_value_of_a_device(tmp_path: Path, text: str, says: str) -> None:
    assert problems(tmp_path, {"hosts.yml": HOSTS_YML, "host_vars/r1.yml": text}) == [f"host_vars/r1.yml:{says}"]


def test_templates_that_do_not_resolve(tmp_path: Path) -> None:
    files = {
        **GOOD,
        "host_vars/r1.yml": """\
            secloop_device:
              dialect: "{{ nowhere }}"
              timeout_s: "{{ 1 / 0 }}"
              interfaces:
                ge0:
                  zone: "{{ open"
            """,
        "host_vars/web.yml": 'secloop_host: {zone: "{{ hostvars.pc.nothing }}"}\n',
        "group_vars/all.yml": 'unused: "{{ nowhere }}"\n',
    }
    found = problems(tmp_path, files)
    assert [line.split(": ")[:3] for line in found] == [
        ["host_vars/r1.yml:2", "r1", "secloop_device.dialect"],
        ["host_vars/r1.yml:3", "r1", "secloop_device.timeout_s"],
        ["host_vars/r1.yml:6", "r1", "secloop_device.interfaces.ge0.zone"],
        ["host_vars/web.yml:1", "web", "secloop_host.zone"],
    ]
    assert "'nowhere' is undefined" in found[0]
    assert "division by zero" in found[1]


def test_a_wrong_value_from_a_template_names_the_variable_that_used_it(tmp_path: Path) -> None:
    files = {
        **GOOD,
        "group_vars/all.yml": "a: 1\ninside: 198.51.100.999\n",
        "host_vars/web.yml": 'secloop_host:\n  addresses: [198.51.100.10, "{{ inside }}"]\n',
    }
    says = "web: secloop_host.addresses[1]: '198.51.100.999' is not an IP address"
    assert problems(tmp_path, files) == [f"host_vars/web.yml:2: {says}"]


def test_text_of_any_length_is_cut_and_of_any_kind_is_quoted(tmp_path: Path) -> None:
    zone = 'secloop_host:\n  zone: "a\\e[31m' + "b" * 500 + '"\n'
    (found,) = problems(tmp_path, {**GOOD, "host_vars/web.yml": zone})
    assert "\x1b" not in found
    assert len(found) < 300


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(
            {"host_vars/r1.yml": R1_YML + MANAGEMENT % "192.0.2.250/24"}, id="traffic never enters by management"
        ),
        pytest.param(
            {
                "host_vars/r1.yml": R1_YML.replace("198.51.100.1/24", "fe80::1/64").replace(
                    "203.0.113.1/24", "fe80::1/64"
                )
            },
            id="link-local addresses are the same everywhere",
        ),
        pytest.param(
            {
                "hosts.yml": HOSTS_YML.replace("192.0.2.250", "127.0.0.1"),
                "host_vars/r1.yml": R1_YML + MANAGEMENT % "192.0.2.251/24",
            },
            id="a tunnel to the device",
        ),
        pytest.param(
            {
                "hosts.yml": HOSTS_YML.replace("192.0.2.250", "r1.example.net"),
                "host_vars/r1.yml": R1_YML + MANAGEMENT % "192.0.2.251/24",
            },
            id="a device reached by name",
        ),
        pytest.param(
            {"host_vars/r1.yml": R1_YML + "      networks: [203.0.113.0/24]\n"}, id="a port's own prefix named again"
        ),
    ],
)
def test_what_is_no_contradiction(tmp_path: Path, changed: dict[str, str]) -> None:
    load_environment([write(tmp_path / "inv", {**GOOD, **changed})])
