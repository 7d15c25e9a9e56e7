"""Finding the file where Ansible's own tags do not say it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from secloop_ai.inventory.findings import key_text, place_of
from secloop_ai.inventory.source import KeyPath, RawHost, start
from tests.inventory.tree import GOOD, HOSTS_YML, write


def untagged(source: str, name: str) -> RawHost:
    """A host as an Ansible without origin tags would give it."""
    return replace(start([source]).result(60.0).by_name[name], marks={}, key_marks={})


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"host_vars/r1.yml": "x: 1\nsecloop_device: {dialect: ietf}\n"}, ("host_vars/r1.yml", 2)),
        (
            {"host_vars/r1/b.yml": "secloop_device: {dialect: ietf}\n", "host_vars/r1/a.yml": "x: 1\n"},
            ("host_vars/r1/b.yml", 1),
        ),
        ({"host_vars/r1": "secloop_device: {dialect: ietf}\n"}, ("host_vars/r1", 1)),
        (
            {"group_vars/secloop_devices.yml": "\n\nsecloop_device: {dialect: ietf}\n"},
            ("group_vars/secloop_devices.yml", 3),
        ),
        (
            {"hosts.yml": HOSTS_YML.replace("{ansible_host: 192.0.2.250}", "{secloop_device: {dialect: a}}")},
            ("hosts.yml", 5),
        ),
    ],
)
def test_the_search_finds_the_line(tmp_path: Path, files: dict[str, str], place: tuple[str, int]) -> None:
    source = write(tmp_path / "inv", {"hosts.yml": HOSTS_YML, **files})
    host = untagged(source, "r1")
    assert place_of(host, ("secloop_device", "interfaces")) == (f"{source}/{place[0]}", place[1])


def test_a_host_that_does_not_have_the_variable_is_named_by_its_source(tmp_path: Path) -> None:
    source = write(tmp_path / "inv", GOOD)
    assert place_of(untagged(source, "pc"), ("secloop_host", "addresses")) == (f"{source}/hosts.yml", 0)


def test_a_value_from_a_script_is_named_by_the_script(tmp_path: Path) -> None:
    script = '#!/bin/sh\necho \'{"secloop_devices": {"hosts": ["r1"], "vars": {"secloop_device": {}}}}\'\n'
    source = write(tmp_path / "inv", {"cmdb.sh": script})
    assert place_of(untagged(source, "r1"), ("secloop_device",)) == (f"{source}/cmdb.sh", 2)
    tagged = place_of(start([source]).result(60.0).by_name["r1"], ("secloop_device",))
    assert f"{source}/cmdb.sh" in tagged.file


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("secloop_device", "interfaces", "ge0", "addresses", 1), "secloop_device.interfaces.ge0.addresses[1]"),
        (("a", "ge-0/0/1"), "a.ge-0/0/1"),
        (("a", "ge.7", "b"), "a['ge.7'].b"),
        ((), ""),
    ],
)
def test_key_paths_as_people_write_them(path: KeyPath, text: str) -> None:
    assert key_text(path) == text
