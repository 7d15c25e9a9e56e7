"""Inventories that cannot be read at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from secloop_ai.contracts import InventoryError
from secloop_ai.inventory import load_environment
from tests.inventory.tree import GOOD, HOSTS_YML, write

NO_GROUP = "no host is in the group secloop_devices or secloop_hosts"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"hosts.yml": "all:\n  hosts:\n    r1: [\n    r2:\n"}, r"hosts.yml:5: YAML parsing failed: "),
        ({**GOOD, "host_vars/r1.yml": "a: 1\nb: {\nc: 2\n"}, r"host_vars/r1.yml:4: YAML parsing failed: "),
        ({**GOOD, "group_vars/all.yml": "a:\n\tb: 1\n"}, r"group_vars/all.yml:2: YAML parsing failed: .*[Tt]abs"),
        ({**GOOD, "group_vars/all.yml": "- a\n"}, r"group_vars/all.yml"),
        ({"hosts.yml": "all:\n  hosts: [r1]\n"}, r"hosts.yml: Invalid \"hosts\" entry for \"all\" group, .* \"list\""),
        ({"hosts": "[secloop_hosts\nweb\n"}, r"hosts: Failed to parse inventory"),
        ({"cmdb.sh": "#!/bin/sh\nexit 3\n"}, r"cmdb.sh: .*3"),
        ({"cmdb.yml": "plugin: acme.net.cmdb\n"}, r"cmdb.yml: .*acme.net.cmdb"),
        ({"hosts.yml": ""}, r"inv: holds no host$"),
        ({"hosts.yml": "all:\n  hosts:\n    r1:\n"}, r"inv: no host is in the group secloop_devices or secloop_hosts$"),
        ({"hosts.yml": "secloop_device:\n  hosts:\n    r1:\n"}, r"; there is a group 'secloop_device'$"),
        ({}, r"inv: (holds no host|no such inventory file or folder)$"),
    ],
)
def test_unreadable(tmp_path: Path, files: dict[str, str], says: str) -> None:
    source = tmp_path / "inv"
    source.mkdir()
    with pytest.raises(InventoryError, match=says):
        load_environment([write(source, files)])


def test_every_unreadable_source_is_told(tmp_path: Path) -> None:
    source = write(tmp_path, {"a.yml": "a: [\n", "b.yml": "b: {\n", "good.yml": HOSTS_YML})
    with pytest.raises(InventoryError) as error:
        load_environment([source])
    assert [line.split(":")[0] for line in str(error.value).splitlines()[1:]] == [f"  {source}/{f}.yml" for f in "ab"]


def test_absent_sources(tmp_path: Path) -> None:
    with pytest.raises(InventoryError) as error:
        load_environment([str(tmp_path / "no"), str(tmp_path / "nay")])
    assert str(error.value).splitlines() == [
        "the inventory has 2 problems:",
        f"  {tmp_path}/nay: no such inventory file or folder",
        f"  {tmp_path}/no: no such inventory file or folder",
    ]


def test_files_below_the_working_directory_are_named_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "inv", {**GOOD, "host_vars/r1.yml": "secloop_device: {}\n"})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        InventoryError, match=r"^inventory: inv/host_vars/r1.yml:1: r1: secloop_device.dialect: is required$"
    ):
        load_environment(["inv"])


@pytest.mark.parametrize(
    ("config", "says"),
    [
        (
            "[defaults]\nforks = many\n",
            r"inv: Ansible could not be run: Config 'DEFAULT_FORKS' .*ansible.cfg.* 'many'$",
        ),
        ("[defaults]\nno ini line\n", r"inv: Ansible could not be run: .*ansible.cfg.*line\s+2.*no ini line"),
    ],
)
def test_an_ansible_that_cannot_start(tmp_path: Path, config: str, says: str) -> None:
    write(tmp_path, {"ansible.cfg": config})
    with pytest.raises(InventoryError, match=says):
        load_environment([write(tmp_path / "inv", GOOD)], config=str(tmp_path / "ansible.cfg"))
