#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Hold the devices to the ledger, and repair what drifted."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secloop_verify
short_description: Hold the devices to the ledger, and repair what drifted
version_added: "0.1.0"
description:
  - Reads every device with active mitigations and reports each mitigation whose rule is missing, changed, moved,
    shadowed by a foreign rule or detached, whose port is up again or whose discard route is gone; entries of ours that
    the ledger does not know; and devices that could not be read.
  - Changes nothing unless O(fix) is set. Then what drifted is applied again, each incident in the same kind of
    transaction as C(secloop_commit); mitigations keep the time they end.
options:
  fix:
    description: Apply again what drifted.
    type: bool
    default: false
  orphans:
    description: With O(fix), also remove entries of ours that no active mitigation stands behind.
    type: bool
    default: false
  every_device:
    description: Read every device of the inventory, not only those with active mitigations.
    type: bool
    default: false
  counters:
    description:
      - Also ask the devices by show command, over SSH, how often the mitigations' entries have matched.
      - Needs the packages of the extra C(cli).
    type: bool
    default: false
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
- name: Report drift
  secloop_verify:
    inventory: "{{ ansible_inventory_sources }}"

- name: Repair it, and remove what nobody knows
  secloop_verify:
    fix: true
    orphans: true
    inventory: "{{ ansible_inventory_sources }}"
"""

RETURN = r"""
drifted:
  description: Whether a device departs from the ledger still, after any repair.
  returned: success
  type: bool
  sample: false
findings:
  description: Every departure found, before any repair.
  returned: success
  type: list
  elements: dict
  contains:
    device:
      description: Inventory name of the device.
      type: str
      sample: gw1
    kind:
      description:
        - V(missing), V(changed), V(moved), V(shadowed), V(detached), V(re-enabled), V(unrouted), V(orphan),
          V(unreachable) or V(unreadable).
      type: str
      sample: missing
    mitigation_id:
      description: The mitigation; none where a whole device is concerned.
      type: str
      sample: 3fa2b1c4d5-0
    where:
      description: Interface and direction, port or prefix.
      type: str
      sample: ge0 ingress
    detail:
      description: What is there, and what should be.
      type: str
      sample: "'drop ip 203.0.113.66/32 -> any' is gone"
remaining:
  description: The findings that are left after the repair; in check mode those that a repair would leave.
  returned: success
  type: list
  elements: dict
  sample: []
told:
  description: The remaining findings as sentences.
  returned: success
  type: list
  elements: str
  sample: []
checked:
  description: Devices that were read.
  returned: success
  type: list
  elements: str
  sample: [gw1]
repaired:
  description: Ids of the mitigations that were applied again or removed; in check mode those that would be.
  returned: success
  type: list
  elements: str
  sample: ["3fa2b1c4d5-0"]
counters:
  description: How often each entry has matched, where O(counters) is set; V(none) where the device does not count.
  returned: success
  type: list
  elements: dict
  sample: [{"device": "gw1", "mitigation_id": "3fa2b1c4d5-0", "acl": "secloop-ge0-in-v4", "entry": "10", "packets": 42}]
story:
  description: The result in lines for a person.
  returned: success
  type: list
  elements: str
  sample: ["1 active mitigations, 1 devices read", "no drift"]
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "fix": {"type": "bool", "default": False},
            "orphans": {"type": "bool", "default": False},
            "every_device": {"type": "bool", "default": False},
            "counters": {"type": "bool", "default": False},
            "inventory": {"type": "list", "elements": "str", "required": True},
            "ansible_config": {"type": "path", "default": ""},
            "confirm_timeout_s": {"type": "float"},
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
    run(module, "verify_step")


if __name__ == "__main__":
    main()
