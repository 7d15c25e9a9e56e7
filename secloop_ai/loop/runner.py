"""A run of respond.yml through ansible-runner, and the Feedback its events hold."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from secloop_ai.contracts import CommitReport, Feedback, InputError

Event = dict[str, Any]
PLAYBOOK = Path("playbooks/respond.yml")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
ERROR = "[ERROR]:"


class Run(NamedTuple):
    """A finished run: what ansible-runner said, and the record made of it.

    Attributes:
        failure: why it did not end well, in a sentence; empty when it did.
        diff: lines of the documents that a run with ``--check`` would change.
    """

    feedback: Feedback
    story: tuple[str, ...]
    failure: str
    diff: tuple[str, ...] = ()


def project_dir(given: str | None = None) -> Path:
    """The checkout that holds playbooks/ and ansible.cfg: given, ``SECLOOP_PROJECT``, here, or where the code lies.

    Raises:
        InputError: none of them holds playbooks/respond.yml.
    """
    code = Path(__file__).resolve().parents[2]
    named = given or os.environ.get("SECLOOP_PROJECT")
    places = [Path(named)] if named else [Path.cwd(), code]
    for place in places:
        if (place / PLAYBOOK).is_file():
            return place.resolve()
    raise InputError(f"{places[0]}: no {PLAYBOOK} there: give the checkout with --project")


def respond(
    alert_file: Path,
    *,
    project: Path,
    inventory: Sequence[str],
    extra: Mapping[str, str] | None = None,
    environ: Mapping[str, str] | None = None,
    check: bool = False,
    timeout_s: float = 600.0,
    on_event: Callable[[Event], None] | None = None,
) -> Run:
    """Run respond.yml on an alert file and collect what really happened.

    The alert file's path is the only thing of it that becomes a variable.

    Args:
        alert_file: Suricata EVE file.
        project: checkout with playbooks/ and ansible.cfg.
        inventory: sources; empty means what ansible.cfg names.
        extra: more playbook variables.
        environ: more environment variables.
        check: run with ``--check --diff``.
        timeout_s: seconds until the run is ended.
        on_event: called with every runner event as it comes.
    """
    import ansible_runner

    events: list[Event] = []

    def keep(event: Event) -> bool:
        events.append(event)
        if on_event:
            on_event(event)
        return True  # without it ansible-runner keeps no events

    config = project / "ansible.cfg"
    private = tempfile.mkdtemp(prefix="secloop-run-")  # 0700, gone afterwards: runner writes the environment there
    began = time.monotonic()
    try:
        result = ansible_runner.run(
            private_data_dir=private,
            project_dir=str(project),
            playbook=str(PLAYBOOK),
            inventory=[str(Path(i).resolve()) if Path(i).exists() else i for i in inventory] or None,
            envvars={
                "PATH": own_path(),
                "ANSIBLE_CONFIG": os.environ.get("ANSIBLE_CONFIG") or str(config),
                **(environ or {}),
            },
            extravars={"alert_file": str(alert_file.resolve()), **(extra or {})},
            cmdline="--check --diff" if check else None,
            ident=uuid.uuid4().hex,
            suppress_env_files=True,
            timeout=int(timeout_s),
            quiet=True,
            event_handler=keep,
        )
        return collect(events, status=result.status, rc=result.rc, seconds=time.monotonic() - began)
    finally:
        shutil.rmtree(private, ignore_errors=True)


def own_path() -> str:
    """``PATH`` with the programs beside this interpreter first: Ansible's, also where no environment was activated."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def collect(events: Sequence[Event], *, status: str, rc: int, seconds: float) -> Run:
    """Make the Feedback of a run's events.

    rs_exe is the share of the strategy's tool calls that executed without error: all of them once the
    transaction is confirmed (it is all or nothing), none when it was undone or refused.
    """
    done = {_module(e): e["event_data"] for e in events if e.get("event") in {"runner_on_ok", "runner_on_failed"}}
    results = {name: data.get("res") or {} for name, data in done.items()}
    failed = tuple(e["event_data"].get("task", "") for e in events if e.get("event") == "runner_on_failed")
    report = _report(results.get("secloop_commit", {}))
    decided, committed = results.get("secloop_decide", {}), results.get("secloop_commit", {})
    feedback = Feedback(
        run_id=uuid.uuid4().hex,
        incident_id=decided.get("incident_id"),
        strategy_sha256=str(decided.get("strategy_sha256") or ""),
        status=status,
        rc=rc,
        changed=bool(committed.get("changed")),
        rs_exe=_rs_exe(results, failed=bool(failed)),
        rs_service=_rs_service(report),
        outcome=report.outcome.value if report else None,
        task_seconds={name: round(float(data.get("duration") or 0.0), 3) for name, data in done.items()},
        failed_tasks=failed,
        seconds=round(seconds, 3),
    )
    story = tuple(committed.get("story") or results.get("secloop_plan", {}).get("story") or ())
    diff = tuple(line for part in _diffs(committed) for line in part.splitlines())
    return Run(feedback, story, "" if rc == 0 else _why(events, status, seconds), diff)


def _diffs(committed: Mapping[str, Any]) -> list[str]:
    parts = committed.get("diff") or []
    return [str(p.get("prepared", "")) for p in (parts if isinstance(parts, list) else [parts])]


def _why(events: Sequence[Event], status: str, seconds: float) -> str:
    """The failed module's message; where no task came to run, what ansible-playbook said."""
    if status == "timeout":
        return f"respond.yml was ended: it had not finished after {seconds:.0f} s"
    failed = (e["event_data"].get("res") or {} for e in events if e.get("event") == "runner_on_failed")
    if message := next((str(r["msg"]) for r in failed if r.get("msg")), ""):
        return message
    return said_errors(events) or f"ansible-playbook ended with status '{status}' and gave no reason"


def said_errors(events: Sequence[Mapping[str, Any]]) -> str:
    """What ansible-playbook itself complained of, where it came to run no task."""
    said = (ANSI.sub("", str(e.get("stdout", ""))) for e in events)
    return "; ".join(
        line.removeprefix(ERROR).strip() for text in said for line in text.splitlines() if line.startswith(ERROR)
    )


def _module(event: Event) -> str:
    return str(event["event_data"].get("task_action", "")).rsplit(".", 1)[-1]


def _report(committed: Mapping[str, Any]) -> CommitReport | None:
    raw = committed.get("report")
    return CommitReport.model_validate(raw) if raw else None


def _rs_exe(results: Mapping[str, Mapping[str, Any]], *, failed: bool) -> float | None:
    if "secloop_decide" not in results:
        return None
    return 0.0 if failed else 1.0


def _rs_service(report: CommitReport | None) -> float | None:
    tries = sum(p.tries for p in report.probes) if report else 0
    if report is None or tries == 0:
        return None
    return 1.0 - sum(p.failures for p in report.probes) / tries
