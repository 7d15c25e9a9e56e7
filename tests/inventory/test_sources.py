"""Whatever Ansible takes as an inventory, by Ansible's rules."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from secloop_ai.contracts import Environment, InventoryError
from secloop_ai.inventory import load_environment, start
from tests.inventory.tree import GOOD, HOSTS_YML, R1_YML, write

DEVICE = "{dialect: ietf, timeout_s: %s}"


def timeouts(environment: Environment) -> dict[str, float]:
    return {d.name: d.connection.timeout_s for d in environment.devices}


def test_precedence_is_ansibles(tmp_path: Path) -> None:
    files = {
        "hosts.yml": """\
            all:
              children:
                secloop_devices:
                  children:
                    edge:
                      hosts:
                        by_host: {}
                        by_host_folder: {}
                        by_child: {}
                    core:
                      hosts:
                        by_parent: {}
                        by_line: {secloop_device: {dialect: ietf, timeout_s: 6}}
            """,
        "group_vars/all.yml": f"secloop_device: {DEVICE % 1}\n",
        "group_vars/secloop_devices.yml": f"secloop_device: {DEVICE % 2}\n",
        "group_vars/edge/a.yml": f"secloop_device: {DEVICE % 99}\n",
        "group_vars/edge/b.yml": f"secloop_device: {DEVICE % 3}\n",
        "host_vars/by_host.yaml": f"secloop_device: {DEVICE % 4}\n",
        "host_vars/by_host_folder/x.yml": f"secloop_device: {DEVICE % 5}\n",
    }
    found = timeouts(load_environment([write(tmp_path, files)]))
    assert found == {"by_host": 4, "by_host_folder": 5, "by_child": 3, "by_parent": 2, "by_line": 6}


def test_templates_see_what_ansible_templates_see(tmp_path: Path) -> None:
    files = {
        **GOOD,
        "group_vars/all.yml": """\
            patience: 7
            inside: 198.51.100
            device_defaults: {dialect: ietf, timeout_s: 3}
            """,
        "host_vars/r1.yml": """\
            secloop_device: "{{ device_defaults | combine({'timeout_s': patience, 'interfaces': ports}) }}"
            ports:
              ge0: {addresses: ["{{ inside }}.1/24"]}
              ge1: {networks: ["{{ hostvars['pc'].ansible_host }}/32"]}
            """,
        "host_vars/web.yml": """\
            secloop_host:
              addresses: ["{{ ansible_host }}"]
              zone: "{{ group_names[0] | replace('_', '-') }}"
              services:
                - name: ssh
                  port: "{{ 20 + 2 }}"
                  clients: "{{ groups['secloop_hosts'] | difference([inventory_hostname]) }}"
            """,
    }
    environment = load_environment([write(tmp_path, files)])
    assert timeouts(environment) == {"r1": 7.0}
    ports = environment.devices[0].interfaces
    assert [(p.name, [str(n) for n in [*p.addresses, *p.networks]]) for p in ports] == [
        ("ge0", ["198.51.100.1/24"]),
        ("ge1", ["203.0.113.7/32"]),
    ]
    web = environment.host("web")
    assert web is not None
    assert (web.zone, web.services[0].port, web.services[0].clients) == ("secloop-hosts", 22, ("pc",))


def test_ini_inventory(tmp_path: Path) -> None:
    text = """\
        [secloop_devices]
        r1 ansible_host=192.0.2.1 secloop_device="{'dialect': 'ietf'}"
        [secloop_devices:vars]
        ansible_port=831
        ansible_user=ops
        [secloop_hosts]
        web ansible_host=192.0.2.2
        """
    environment = load_environment([write(tmp_path, {"hosts.ini": text}) + "/hosts.ini"])
    connection = environment.devices[0].connection
    assert (connection.address, connection.port, connection.user) == ("192.0.2.1", 831, "ops")


def test_dynamic_inventory(tmp_path: Path) -> None:
    answer = {"secloop_devices": {"hosts": ["r1"], "vars": {"secloop_device": {"dialect": "ietf"}}}}
    script = f"#!/bin/sh\necho 'chatter on stderr is no part of the answer' >&2\necho '{json.dumps(answer)}'\n"
    environment = load_environment([write(tmp_path, {"cmdb.sh": script})])
    assert [d.name for d in environment.devices] == ["r1"]


def test_an_inventory_plugin_of_a_collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugin = """\
        DOCUMENTATION = '''
        name: cmdb
        short_description: one device
        options:
          plugin: {required: true, choices: [acme.net.cmdb]}
          size: {type: float, default: 1}
        '''
        from ansible.plugins.inventory import BaseInventoryPlugin
        class InventoryModule(BaseInventoryPlugin):
            NAME = "acme.net.cmdb"
            def parse(self, inventory, loader, path, cache=True):
                super().parse(inventory, loader, path, cache)
                self._read_config_data(path)
                inventory.add_group("secloop_devices")
                inventory.add_host("r1", "secloop_devices")
                device = {"dialect": "ietf", "timeout_s": self.get_option("size")}
                inventory.set_variable("r1", "secloop_device", device)
        """
    write(tmp_path / "collections/ansible_collections/acme/net", {"plugins/inventory/cmdb.py": plugin})
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(tmp_path / "collections"))
    source = write(tmp_path / "inv", {"net.yml": "plugin: acme.net.cmdb\nsize: 9\n"})
    assert timeouts(load_environment([source])) == {"r1": 9.0}


def test_several_sources_are_one_inventory(tmp_path: Path) -> None:
    one = write(tmp_path / "one", GOOD)
    two = write(tmp_path / "two", {"more.yml": "secloop_devices: {hosts: {r2: {secloop_device: {dialect: ietf}}}}\n"})
    assert [d.name for d in load_environment([one, two]).devices] == ["r1", "r2"]


def test_without_sources_those_of_ansible_cfg(tmp_path: Path) -> None:
    write(tmp_path / "inv", GOOD)
    write(tmp_path, {"ansible.cfg": "[defaults]\ninventory = ./inv\n"})
    environment = load_environment([], config=str(tmp_path / "ansible.cfg"))
    assert [d.name for d in environment.devices] == ["r1"]


def test_settings_of_one_load_do_not_stick(tmp_path: Path) -> None:
    write(tmp_path / "inv", GOOD)
    write(tmp_path / "two", {**GOOD, "host_vars/r1.yml": R1_YML.replace("ietf", "second")})
    write(tmp_path, {"a.cfg": "[defaults]\ninventory = ./inv\n", "b.cfg": "[defaults]\ninventory = ./two\n"})
    dialects = [load_environment([], config=str(tmp_path / c)).devices[0].dialect for c in ("a.cfg", "b.cfg", "a.cfg")]
    assert dialects == ["ietf", "second", "ietf"]


def test_a_source_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = f"#!/bin/sh\nsleep 600 &\necho $! > {pid}.new\nmv {pid}.new {pid}\nwait\n"
    reading = start([write(tmp_path / "inv", {"slow.sh": script})])
    assert until(pid.exists)
    with pytest.raises(InventoryError, match=r"inv: a source or variable did not answer within 0\.1 s$"):
        load_environment(reading, timeout_s=0.1)
    assert until(lambda: not alive(int(pid.read_text())))


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_what_ansible_warns_of_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = write(tmp_path, {**GOOD, "hosts.yml": HOSTS_YML + "    pc: {}\n"})  # a group named like a host
    load_environment([source])
    assert "same name" in caplog.text
    assert caplog.records[0].name == "secloop_ai.inventory.source"
