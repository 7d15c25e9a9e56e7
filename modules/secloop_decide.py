#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Decide on a strategy that the guard allows."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secloop_decide
short_description: Decide on a defence strategy that the guard allows
version_added: "0.1.0"
description:
  - Builds the Environment from the inventory and the live state of the devices on the alerts' path (one NETCONF
    session each, C(get-config) only).
  - Asks the policy for candidates and takes the first one that the guard allows. A refused strategy fails the
    task and names the guard's rules.
  - The incident id follows from the alerts, so the same file gives the same incident.
options:
  summaries_file:
    description: The file that C(secloop_alerts) wrote.
    type: path
    required: true
  inventory:
    description: Ansible inventory sources. The playbooks pass their own, C(ansible_inventory_sources).
    type: list
    elements: str
    required: true
  ansible_config:
    description: The ansible.cfg in force, for vault and roles; the playbooks pass C(ansible_config_file).
    type: path
    default: ""
  policy:
    description:
      - Policy back end. The default is C(rehearse:6:embedded), the model that ships, its candidates rehearsed where it
        is in doubt; C(playbook) is the expert table.
    type: str
    default: ""
  candidates:
    description: How many strategies to ask for.
    type: int
  seed:
    description: Seed of the policy.
    type: int
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
    description: Has nothing to compare.
    support: none
requirements:
  - secloop
author:
  - SecLoop contributors (@secloop)
"""

EXAMPLES = r"""
- name: Decide
  secloop_decide:
    summaries_file: "{{ seen.summaries_file }}"
    inventory: "{{ ansible_inventory_sources }}"
  register: decided
"""

RETURN = r"""
incident_id:
  description: Ten hex digits that follow from the evidence.
  returned: success
  type: str
  sample: 3fa2b1c4d5
decision_dir:
  description: Private folder with decision, evidence, Environment and device snapshots.
  returned: success
  type: str
  sample: /var/lib/secloop/runs/3fa2b1c4d5
actions:
  description: The strategy's actions with their parameters.
  returned: success
  type: list
  elements: dict
  sample: [{"kind": "block_ip", "source": "203.0.113.66/32", "ttl_s": 3600}]
quiet:
  description: Whether the strategy is to do nothing.
  returned: success
  type: bool
  sample: false
strategy_sha256:
  description: Digest of the strategy, by which what comes of it is found again in the ledger.
  returned: success
  type: str
  sample: 5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "summaries_file": {"type": "path", "required": True},
            "inventory": {"type": "list", "elements": "str", "required": True},
            "ansible_config": {"type": "path", "default": ""},
            "policy": {"type": "str", "default": ""},
            "candidates": {"type": "int"},
            "seed": {"type": "int"},
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
    run(module, "decide_step")


if __name__ == "__main__":
    main()
