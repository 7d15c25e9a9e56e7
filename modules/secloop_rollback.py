#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Take mitigations off the network again."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secloop_rollback
short_description: Take mitigations off the network
version_added: "0.1.0"
description:
  - Removes exactly what SecLoop put on the devices for an incident, or for every mitigation whose time is up, in
    the same kind of transaction as C(secloop_commit). What others changed since stays.
options:
  incident:
    description: The incident to roll back, or C(all) for every mitigation (the kill switch).
    type: str
  expired:
    description: Remove the mitigations whose time is up.
    type: bool
    default: false
  within_s:
    description: With O(expired), also remove what would leave within this many seconds.
    type: float
    default: 0.0
  inventory:
    description: Ansible inventory sources. The playbooks pass their own, C(ansible_inventory_sources).
    type: list
    elements: str
    required: true
  ansible_config:
    description: The ansible.cfg in force, for vault and roles; the playbooks pass C(ansible_config_file).
    type: path
    default: ""
  confirm_timeout_s:
    description: Seconds after which the devices undo an unconfirmed commit by themselves.
    type: float
  run_dir:
    description: Directory for the files of a run. The default is the user's state directory.
    type: path
    default: ""
  ledger_url:
    description: SQLAlchemy URL of the ledger. The default is an SQLite file in the user's state directory.
    type: str
    default: ""
attributes:
  check_mode:
    description: Can run in check mode.
    support: full
  diff_mode:
    description: Shows the document and the traffic that change.
    support: full
requirements:
  - secloop
author:
  - SecLoop contributors (@secloop)
"""

EXAMPLES = r"""
- name: Roll an incident back
  secloop_rollback:
    incident: 3fa2b1c4d5
    inventory: "{{ ansible_inventory_sources }}"

- name: Expire what is overdue
  secloop_rollback:
    expired: true
    inventory: "{{ ansible_inventory_sources }}"
"""

RETURN = r"""
removed:
  description: Ids of the mitigations that are off the network.
  returned: success
  type: list
  elements: str
  sample: ["3fa2b1c4d5-0"]
story:
  description: The result in lines for a person.
  returned: success
  type: list
  elements: str
  sample: ["gw1: confirmed and verified"]
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "incident": {"type": "str"},
            "expired": {"type": "bool", "default": False},
            "within_s": {"type": "float", "default": 0.0},
            "inventory": {"type": "list", "elements": "str", "required": True},
            "ansible_config": {"type": "path", "default": ""},
            "confirm_timeout_s": {"type": "float"},
            "run_dir": {"type": "path", "default": ""},
            "ledger_url": {"type": "str", "default": ""},
        },
        mutually_exclusive=[("incident", "expired")],
        supports_check_mode=True,
    )
    try:
        from secloop_ai.loop.module import run
    except ImportError as error:
        module.fail_json(msg=missing_required_lib("secloop"), exception=error)
        return
    run(module, "rollback_step")


if __name__ == "__main__":
    main()
