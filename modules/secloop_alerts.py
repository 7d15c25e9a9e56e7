#!/usr/bin/python
# Copyright: SecLoop contributors
# SPDX-License-Identifier: Apache-2.0
"""Read an IDS alert file and summarise it."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secloop_alerts
short_description: Read and summarise the alerts of an IDS
version_added: "0.1.0"
description:
  - Streams a Suricata EVE file (plain or gzip) and groups its alerts by signature, source and destination
    within 30 seconds.
  - Takes the PATH of the file. Alert text never becomes a playbook variable, where ansible-core would treat it
    as a template.
  - Writes the summaries into a private file of the run directory; nothing else changes.
options:
  alert_file:
    description: Path of the EVE file.
    type: path
    required: true
  run_dir:
    description: Directory for the files of a run. The default is the user's state directory.
    type: path
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
- name: Read the alerts
  secloop_alerts:
    alert_file: /var/log/suricata/eve.json
  register: seen
"""

RETURN = r"""
summaries_file:
  description: Where the summaries were written.
  returned: success
  type: str
  sample: /var/lib/secloop/runs/summaries-3fa2b1c4d5e6.json
summaries:
  description: How many summaries there are.
  returned: success
  type: int
  sample: 1
alerts:
  description: How many alert events were read.
  returned: success
  type: int
  sample: 12
report:
  description: Lines, events of other types, unreadable lines with their numbers, late alerts, summaries left out.
  returned: success
  type: dict
  sample: {"lines": 20, "alerts": 12, "bad": 1}
"""

from ansible.module_utils.basic import AnsibleModule, missing_required_lib


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "alert_file": {"type": "path", "required": True},
            "run_dir": {"type": "path", "default": ""},
        },
        supports_check_mode=True,
    )
    try:
        from secloop_ai.loop.module import run
    except ImportError as error:
        module.fail_json(msg=missing_required_lib("secloop"), exception=error)
        return
    run(module, "alerts_step")


if __name__ == "__main__":
    main()
