#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Commit a plan on all its devices, verify, and confirm or undo."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secloop_commit
short_description: Commit a plan on all its devices, verify it, and confirm or undo
version_added: "0.1.0"
description:
  - One network-wide NETCONF transaction. All devices lock, edit and validate before any commits; the commit is a
    confirmed one; it is confirmed only after the effect was read back, the management path answered and the
    declared services served their clients. Anything else undoes it everywhere, and the task fails with the reason.
  - Settles first what an earlier controller left behind.
  - Refuses a plan whose files or whose devices have changed since it was written.
options:
  plan_dir:
    description: The folder that C(secloop_plan) wrote.
    type: path
    required: true
  decision_dir:
    description: Folder of the decision of the same run, to save reading the inventory again.
    type: path
    default: ""
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
    description:
      - Seconds after which the devices undo an unconfirmed commit by themselves.
      - On a device without a confirmed commit a watchdog process on this machine does, a few seconds later.
    type: float
  max_failed:
    description:
      - A change goes on while at most so many devices have failed before it had an effect anywhere. They are left
        as they were, and named in RV(report) and in a warning. A removal is for all devices or none.
      - The default, unless E(SECLOOP_MAX_FAILED) says otherwise, is 0, all or nothing.
    type: int
  serial:
    description:
      - How many devices commit first, and next, and so on, as numbers or shares such as C(10%); the last one is
        repeated.
      - Every batch is verified before the next one commits. None is confirmed before the last is verified, so that
        the change still is on all devices or on none; O(confirm_timeout_s) has to be long enough for all of them.
      - The default, unless E(SECLOOP_SERIAL) says otherwise, is all devices at once.
    type: list
    elements: str
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
- name: Commit
  secloop_commit:
    plan_dir: "{{ planned.plan_dir }}"
    inventory: "{{ ansible_inventory_sources }}"

- name: Commit on one device, then on a tenth, then on all; up to three may be down
  secloop_commit:
    plan_dir: "{{ planned.plan_dir }}"
    inventory: "{{ ansible_inventory_sources }}"
    serial: ["1", "10%", "100%"]
    max_failed: 3
    confirm_timeout_s: 600
"""

RETURN = r"""
outcome:
  description: C(unchanged), C(confirmed), C(undone) or C(in_doubt).
  returned: success
  type: str
  sample: confirmed
report:
  description: The transaction, by device and probe, with milliseconds.
  returned: success
  type: dict
  sample: {"outcome": "confirmed"}
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
            "plan_dir": {"type": "path", "required": True},
            "decision_dir": {"type": "path", "default": ""},
            "inventory": {"type": "list", "elements": "str", "required": True},
            "ansible_config": {"type": "path", "default": ""},
            "confirm_timeout_s": {"type": "float"},
            "max_failed": {"type": "int"},
            "serial": {"type": "list", "elements": "str"},
            "run_dir": {"type": "path", "default": ""},
            "ledger_url": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        from secloop_ai.loop.module import run
    except ImportError as error:
        module.fail_json(msg=missing_required_lib("secloop"), exception=error)
        return
    run(module, "commit_step")


if __name__ == "__main__":
    main()
