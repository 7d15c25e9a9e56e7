"""Commands that act: respond, rollback, expire, recover, status, actions."""

from __future__ import annotations

import configparser
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secloop_ai.contracts import InputError, MitigationState, PendingCommit, SecLoopError
from secloop_ai.loop.context import EXPIRER, Context, now
from secloop_ai.loop.runner import Event, project_dir
from secloop_ai.loop.runner import respond as run_respond
from secloop_ai.loop.story import action_target, time_left

from .progress import bar
from .tables import show, text

if TYPE_CHECKING:
    from secloop_ai.loop.undo import Removal

Json = Annotated[bool, typer.Option("--json", help="The same rows as JSON.")]
Inventory = Annotated[
    list[str] | None, typer.Option("--inventory", "-i", help="Ansible inventory source; several may be given.")
]
LedgerUrl = Annotated[str, typer.Option("--ledger", help="SQLAlchemy URL of the ledger.", envvar="SECLOOP_LEDGER_URL")]

EXIT_FAILED = 1


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in (respond, status, rollback, expire, recover, actions):
        app.command(name=command.__name__)(command)


def context(inventory: list[str] | None, ledger: str) -> Context:
    """A Context for a command; without -i, the inventory that ansible.cfg names."""
    config = os.environ.get("ANSIBLE_CONFIG") or project_config()
    return Context({"inventory": inventory or default_inventory(), "ledger_url": ledger, "ansible_config": config})


def project_config() -> str:
    """The project's ansible.cfg, so that vault and roles are the same from every folder; empty where there is none."""
    try:
        path = project_dir() / "ansible.cfg"
    except InputError:
        return ""
    return str(path) if path.is_file() else ""


def default_inventory() -> list[str]:
    """The inventory of the project's ansible.cfg, or of ``ANSIBLE_INVENTORY``.

    Raises:
        InputError: there is neither, or nothing lies where ansible.cfg points.
    """
    if given := os.environ.get("ANSIBLE_INVENTORY"):
        return given.split(",")
    config = project_dir() / "ansible.cfg"
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config)
    named = parser.get("defaults", "inventory", fallback="")
    sources = [(config.parent / part.strip()).resolve() for part in named.split(",") if part.strip()]
    if not sources:
        raise InputError(f"{config}: no inventory there: give one with --inventory")
    for source in sources:
        if not source.exists():
            raise InputError(f"{config}: its inventory {source} is not there: give one with --inventory")
    return [str(source) for source in sources]


def respond(
    alert_file: Annotated[Path, typer.Argument(help="Suricata EVE file, plain or gzip.")],
    inventory: Inventory = None,
    ledger: LedgerUrl = "",
    review: Annotated[bool, typer.Option("--review", help="Stop once the plan is written.")] = False,
    plan_dir: Annotated[str, typer.Option(help="Where to write the plan.")] = "",
    policy: Annotated[str, typer.Option(help="Policy back end.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Change nothing (ansible-playbook --check --diff).")] = False,
    project: Annotated[str | None, typer.Option(help="Checkout with playbooks/ and ansible.cfg.")] = None,
    as_json: Json = False,
    *,
    max_failed: Annotated[int, typer.Option(help="Devices that may fail before anything has an effect.", min=0)] = 0,
    serial: Annotated[str, typer.Option(help="Devices that commit first, and next: as 1,10%,100%.")] = "",
) -> None:
    """Run respond.yml on an alert file through ansible-runner, and keep the Feedback of its events."""
    ctx = Context({"ledger_url": ledger})
    written_to = str(Path(plan_dir).absolute()) if plan_dir else ""  # the playbook runs in a folder of its own
    fleet = {"max_failed": str(max_failed) if max_failed else "", "batches": serial}
    extra = {k: v for k, v in {"plan_dir": written_to, "policy": policy, **fleet}.items() if v}
    run = run_respond(
        alert_file,
        project=project_dir(project),
        inventory=inventory or [],
        extra={**extra, **({"mode": "review"} if review else {})},
        environ={"SECLOOP_LEDGER_URL": ctx.settings.ledger_url},
        check=check,
        on_event=None if as_json else _tell,
    )
    if not check:
        ctx.ledger.record_feedback(run.feedback, now=now())
    if as_json:
        show([run.feedback.model_dump(mode="json")], as_json=True, title="", empty="")
    for line in () if as_json else (*run.story, *run.diff):
        typer.echo(f"  {line}")
    if run.failure:
        typer.echo(f"secloop: {run.failure}", err=True)
    raise typer.Exit(0 if run.feedback.rc == 0 else EXIT_FAILED)


def _tell(event: Event) -> None:
    if event.get("event") == "playbook_on_task_start":
        typer.echo(f"- {event['event_data'].get('name', '')}")


def status(ledger: LedgerUrl = "", as_json: Json = False) -> None:
    """Active mitigations and the time each has left; warns when nothing would expire them."""
    ctx = Context({"ledger_url": ledger})
    present = now()
    states = (MitigationState.ACTIVE, MitigationState.PENDING, MitigationState.IN_DOUBT)
    rows: list[dict[str, Any]] = [
        {
            "mitigation": m.mitigation_id,
            "incident": m.incident_id,
            "action": action_target(m.action),
            "devices": list(m.operations),
            "state": m.state.value,
            "expires_at": m.expires_at,
            "left_s": round(m.left_s(present), 1),
            "left": time_left(m.left_s(present)),
        }
        for m in ctx.ledger.mitigations(states=states)
    ]
    columns = {"mitigation": "mitigation", "action": "action", "devices": "on", "state": "state", "left": "time left"}
    empty = "No mitigation is on the network."
    show(rows, as_json=as_json, title="Mitigations on the network", empty=empty, columns=columns)
    if rows and not ctx.ledger.alive(EXPIRER, now=present):
        typer.echo("warning: no expirer is alive: start `secloop expire --watch` (examples/systemd)", err=True)
    if paused := ctx.ledger.paused():
        typer.echo(f"warning: paused since {text(paused.since)} UTC: {paused.reason}", err=True)
    for pending in ctx.ledger.pending_commits():
        names = ", ".join(pending.devices)
        how = _open_how(pending)
        typer.echo(f"warning: transaction {pending.transaction_id} on {names} is open{how}", err=True)


def _open_how(pending: PendingCommit) -> str:
    """How an open transaction stands: who works on it, or what to do."""
    from secloop_ai.loop.deadman import standing
    from secloop_ai.loop.owner import is_worked_on

    watchdog = f"; {standing(pending.safeguard.watchdog)}" if pending.safeguard.watchdog else ""
    if is_worked_on(pending, now=now()):
        return f": process {pending.safeguard.owner} works on it{watchdog}"
    return f": run `secloop recover`{watchdog}"


def rollback(
    incident: Annotated[str, typer.Argument(help="Incident id, or 'all' for everything (the kill switch).")],
    inventory: Inventory = None,
    ledger: LedgerUrl = "",
    as_json: Json = False,
) -> None:
    """Take an incident's mitigations off the network."""
    from secloop_ai.loop.undo import roll_back

    with bar():
        result = roll_back(context(inventory, ledger), incident)
    _removed(result, as_json=as_json)


def expire(
    watch: Annotated[bool, typer.Option("--watch", help="Go on until interrupted.")] = False,
    every: Annotated[float, typer.Option(help="Seconds between two rounds.", min=1.0)] = 10.0,
    within: Annotated[float, typer.Option(help="Also end what would leave within this many seconds.", min=0.0)] = 0.0,
    inventory: Inventory = None,
    ledger: LedgerUrl = "",
    as_json: Json = False,
) -> None:
    """Take mitigations whose time is up off the network."""
    from secloop_ai.loop.undo import expire_due

    ctx = context(inventory, ledger)
    if watch:
        _watch(ctx, every, within, as_json=as_json)
        return
    ctx.ledger.heartbeat(EXPIRER, interval_s=every, now=now())
    with bar():
        result = expire_due(ctx, within_s=within)
    _removed(result, as_json=as_json)


def _watch(ctx: Context, every: float, within: float, *, as_json: bool) -> None:
    """Expire until SIGTERM or SIGINT; an inventory that is wrong is said at once, not when it is needed."""
    from secloop_ai.loop.undo import expire_due

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    devices = len(ctx.environment().devices)
    typer.echo(f"secloop: expiring every {every:g} s; {devices} devices in the inventory", err=True)
    while not stop.is_set():
        try:
            ctx.ledger.heartbeat(EXPIRER, interval_s=every, now=now())
            ctx.forget_inventory()  # it may have changed since the last round
            result = expire_due(ctx, within_s=within)
            if result.plans or result.failures:
                _tell_removed(result, as_json=as_json)
        except SecLoopError as error:  # a device may be back at the next round
            typer.echo(f"secloop: {error}", err=True)
        stop.wait(every)


def recover(inventory: Inventory = None, ledger: LedgerUrl = "", as_json: Json = False) -> None:
    """Settle what a controller that died left open."""
    from secloop_ai.loop.recover import recover_all

    with bar():
        reports = recover_all(context(inventory, ledger))
    rows = [
        {
            "transaction": r.transaction_id,
            "outcome": r.outcome.value,
            "devices": [d.device for d in r.devices],
            "hosts": [h.host for h in r.hosts],
            "reasons": [*r.reasons, *(f"{d.device}: {d.message}" for d in r.devices if d.message)],
        }
        for r in reports
    ]
    show(rows, as_json=as_json, title="Transactions that were open", empty="Nothing is open.")
    raise typer.Exit(EXIT_FAILED if any(r.outcome == "in_doubt" for r in reports) else 0)


def actions(inventory: Inventory = None, as_json: Json = False) -> None:
    """The action catalogue, and what this network is offered."""
    from secloop_ai.contracts import CATALOGUE

    environment = context(inventory, "").environment()
    refused = environment.not_offered
    rows = [
        {
            "action": name,
            "plane": kind.spec.plane.value,
            "attack_mitigation": kind.spec.mitigation,
            "d3fend": list(kind.spec.d3fend),
            "hosts": [h.name for h in environment.hosts if h.access and name in h.access.actions],
            "offered": name not in refused,
            "reason": refused.get(name, ""),
        }
        for name, kind in CATALOGUE.items()
    ]
    columns = {"action": "action", "plane": "plane", "attack_mitigation": "ATT&CK", "d3fend": "D3FEND"}
    columns["offered"] = "offered"
    show(rows, as_json=as_json, title="Action catalogue", empty="", columns=columns)
    for line in () if as_json else (f"{name}: {reason}" for name, reason in refused.items()):
        typer.echo(line)


def _removed(result: Removal, *, as_json: bool) -> None:
    """Say what was removed; exit 1 when something had to stay."""
    _tell_removed(result, as_json=as_json)
    if result.failures:
        raise typer.Exit(EXIT_FAILED)


def _tell_removed(result: Removal, *, as_json: bool) -> None:
    if as_json:
        rows = [{"mitigation": m, "removed": True, "reason": ""} for m in result.removed]
        for failure in result.failures:
            name, _, reason = failure.partition(": ")
            rows.append({"mitigation": name, "removed": False, "reason": reason})
        show(rows, as_json=True, title="", empty="")
        return
    for line in result.story:
        typer.echo(line)
