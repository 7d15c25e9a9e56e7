"""A case as a live network of namespaces, isolated from this machine and from its neighbours.

with Battlefield.clone(load_scenario(Path("office.yaml")), seed=7) as field:
    field.environment                        # what SecLoop is told, with real connections and probes
    field.red(field.case.stages[0]).run(["nmap", "-Pn", "10.1.2.3"], timeout_s=10)
    field.start_sensor()                     # Suricata, where it is wanted
    field.apply(strategy, summaries)         # the same drafts, plans, guard and commits as respond.yml
    field.undo()
    playbook.respond(field)                  # or respond.yml itself, through ansible-runner
"""

from __future__ import annotations

from .field import Battlefield
from .reaper import reap, standing

__all__ = ["Battlefield", "reap", "standing"]
