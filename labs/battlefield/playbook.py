"""The same answer through Ansible: respond.yml on a battlefield, run by ansible-runner, with the Feedback it leaves."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from secloop_ai.contracts.errors import LabError
from secloop_ai.loop.runner import Run, project_dir
from secloop_ai.loop.runner import respond as run_playbook

from . import inventory

if TYPE_CHECKING:
    from .field import Battlefield

TIMEOUT_S = 300.0


def respond(
    field: Battlefield,
    *,
    policy: str = "playbook",
    candidates: int = 1,
    check: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Run:
    """Run respond.yml on what the battlefield's sensor has seen so far, as an operator would.

    It uses the battlefield's own ledger, so that :meth:`Battlefield.undo` takes the change away again.

    Side effects: those of the playbook, on gateways and hosts of the battlefield alone.

    Args:
        field: it is up, and its sensor was started.
        policy: as ``SECLOOP_POLICY`` names it.
        candidates: that it is asked for; the guard's first is taken.
        check: with ``--check --diff``: nothing is altered.
        timeout_s: seconds until the run is ended.

    Raises:
        LabError: the sensor has written nothing.
        InputError: there is no checkout with the playbook.
    """
    if not field.eve_path.is_file():
        raise LabError(f"{field.case.case_id}: there is no event log: start the sensor first")
    folder = field.run_dir / "inventory"
    if not folder.exists():
        logins = {node.name: field.login(node.name).variables() for node in field.atlas.hosts()}
        inventory.write(field.environment, logins, folder)
    seen = (
        field.run_dir / "seen.eve.json"
    )  # the log lies in the sensor's own memory: no path of this machine leads there
    shutil.copyfile(field.eve_path, seen)
    return run_playbook(
        seen,
        project=project_dir(),
        inventory=[str(folder)],
        extra={"policy": policy},
        environ={**field.team().environ(), "SECLOOP_CANDIDATES": str(candidates)},
        check=check,
        timeout_s=timeout_s,
    )
