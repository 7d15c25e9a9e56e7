"""Inside a real Ansible module's process, where `ansible` is a zip that holds module_utils only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secloop_ai.contracts import Environment
from secloop_ai.inventory import load_environment, start
from tests.inventory.tree import GOOD, R1_YML, WEB_YML, ansible, write

MODULE = """\
#!/usr/bin/python
DOCUMENTATION = "{}"
import sys
from ansible.module_utils.basic import AnsibleModule
from secloop_ai.contracts import InventoryError
from secloop_ai.inventory import load_with_secrets

def main():
    module = AnsibleModule({"sources": {"type": "list", "elements": "str"}, "config": {"type": "path"}})
    zipped = [p for p in sys.path if p.endswith(".zip") and "payload" in p]
    try:
        loaded = load_with_secrets(module.params["sources"], config=module.params["config"])
    except InventoryError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        environment=loaded.environment.model_dump(mode="json"),
        digest=loaded.environment.digest(),
        passwords=sorted(loaded.secrets),
        zipped=bool(zipped),
    )

main()
"""
PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  tasks:
    - probe_inventory:
        sources: "{{ ansible_inventory_sources }}"
        config: "{{ ansible_config_file }}"
      register: found
      ignore_errors: true
    - copy: {content: "{{ found | to_json }}", dest: "{{ answer }}"}
"""
CONFIG = "[defaults]\nlibrary = ./library\ninventory = ./inv\nvault_password_file = ./password\nroles_path = ./roles\n"


def run(folder: Path) -> dict[str, Any]:
    """What the module answers when a playbook in a folder of its own calls it."""
    write(
        folder, {"library/probe_inventory.py": MODULE, "play/p.yml": PLAYBOOK, "ansible.cfg": CONFIG, "password": "x"}
    )
    answer = folder / "answer.json"
    ansible("ansible-playbook", "play/p.yml", "-e", f"answer={answer}", cwd=str(folder))
    found: dict[str, Any] = json.loads(answer.read_text())
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a vaulted inventory, and a role."""
    folder = tmp_path / "project"
    write(folder, {"password": "x", "roles/stop_process/tasks/main.yml": "[]"})
    word = ansible(
        "ansible-vault",
        "encrypt_string",
        "--vault-password-file",
        f"{folder}/password",
        "--name",
        "ansible_password",
        "y",
    )
    access = "  access: {actions: [stop_process], processes: [nginx]}\n"
    write(folder / "inv", {**GOOD, "host_vars/r1.yml": R1_YML + word, "host_vars/web.yml": WEB_YML + access})
    return folder


def test_a_module_loads_what_the_command_line_loads(project: Path) -> None:
    found = run(project)
    here = load_environment([str(project / "inv")], config=str(project / "ansible.cfg"))
    assert found["zipped"] is True  # it ran as AnsiballZ does
    assert found["digest"] == here.digest()
    assert found["passwords"] == ["r1"]
    assert "stop_process" in here.offered_actions()
    assert Environment.model_validate(found["environment"]).devices == here.devices


def test_a_module_tells_what_is_wrong(project: Path) -> None:
    write(project / "inv", {"host_vars/r1.yml": "secloop_device:\n  dialct: ietf\n"})
    found = run(project)
    assert found["failed"] is True
    file = project / "inv" / "host_vars" / "r1.yml"
    assert f"{file}:2: r1: secloop_device.dialct: unknown key" in found["msg"]


def test_reading_leaves_no_ansible_in_this_process(tmp_path: Path) -> None:
    child = """\
        import sys
        from secloop_ai.inventory import load_environment
        load_environment(sys.argv[1:])
        print([m for m in sys.modules if m.split(".")[0] == "ansible"])
        """
    script = write(tmp_path / "s", {"child.py": child}) + "/child.py"
    assert ansible("python", script, write(tmp_path / "inv", GOOD)).strip() == "[]"


def test_starting_to_read_needs_no_pydantic(tmp_path: Path) -> None:
    child = """\
        import sys
        from secloop_ai.inventory import start
        reading = start(sys.argv[1:])
        print("pydantic" in sys.modules)
        print([h.name for h in reading.result(60.0).hosts])
        """
    script = write(tmp_path / "s", {"child.py": child}) + "/child.py"
    said = ansible("python", script, write(tmp_path / "inv", GOOD)).splitlines()
    assert said == ["False", "['r1', 'web', 'pc']"]


def test_a_reading_tells_hosts_and_where_things_are(tmp_path: Path) -> None:
    source = write(tmp_path, GOOD)
    raw = start([source]).result(60.0)
    assert raw.by_name["web"].marks["secloop_host", "services", 0, "port"] == (f"{source}/host_vars/web.yml", 5)
