#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Turn a decision into a plan of device changes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secloop_plan
short_description: Turn a decision into a plan of device changes
version_added: "0.1.0"
description:
  - Renders every action of the decision into the edit of each device, with its inverse, the digest of every
    touched subtree, and what traffic changes.
  - Writes the plan as a folder of files with a manifest of their SHA-256. C(secloop_commit) refuses the folder
    once a file or a device's base has moved.
  - Touches no device.
options:
  decision_dir:
    description: The folder that C(secloop_decide) wrote.
    type: path
    required: true
  plan_dir:
    description: Where to write the plan. The default is a folder in the decision's.
    type: path
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
notes:
  - In check mode the plan is written all the same, since the commit step reads it.
"""

EXAMPLES = r"""
- name: Plan
  secloop_plan:
    decision_dir: "{{ decided.decision_dir }}"
  register: planned
"""

RETURN = r"""
plan_dir:
  description: The plan's folder.
  returned: success
  type: str
  sample: /var/lib/secloop/runs/3fa2b1c4d5/plan
plan_id:
  description: Digest of the plan.
  returned: success
  type: str
  sample: 0f1e2d3c4b5a6978
needed:
  description: Whether any device would change.
  returned: success
  type: bool
  sample: true
traffic:
  description: What traffic changes, by device.
  returned: success
  type: dict
  sample: {"gw1": ["ge0 ingress: 203.0.113.66/32 -> any: permit -> drop"]}
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
            "decision_dir": {"type": "path", "required": True},
            "plan_dir": {"type": "path", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        from secloop_ai.loop.module import run
    except ImportError as error:
        module.fail_json(msg=missing_required_lib("secloop"), exception=error)
        return
    run(module, "plan_step")


if __name__ == "__main__":
    main()
