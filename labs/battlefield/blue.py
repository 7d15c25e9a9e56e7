"""The blue team's hands: a strategy onto gateways and hosts, by the loop's own draft, plan, guard and commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import SecretStr

from secloop_ai.contracts import (
    AlertSummary,
    CommitReport,
    Decision,
    Environment,
    GuardRefusal,
    HostRunner,
    MitigationState,
    Outcome,
    Strategy,
    incident_id,
    sha256_json,
)
from secloop_ai.guard import review
from secloop_ai.ledger import open_ledger
from secloop_ai.loop.commit import commit_plan
from secloop_ai.loop.context import EXPIRER, Context, now
from secloop_ai.loop.decide import build_request
from secloop_ai.loop.devices import on_path, read_running, with_offers
from secloop_ai.loop.draft import draft
from secloop_ai.loop.folder import PlanFolder
from secloop_ai.loop.hosts import AnsibleHosts
from secloop_ai.loop.plan import plan_response
from secloop_ai.loop.undo import EVERYTHING, Removal, roll_back

LIFE_S = 86400.0
"""Nothing expires on a battlefield: it goes as a whole. Longer than any of them stands."""


class FieldContext(Context):
    """The loop's context on one battlefield: its own ledger and run folder, and no inventory to read.

    Args:
        environment: the battlefield's.
        folder: for the ledger and the runs.
        logins: host → Ansible's connection variables.
    """

    def __init__(self, environment: Environment, folder: Path, logins: Mapping[str, Mapping[str, str]]) -> None:
        url = f"sqlite:///{folder / 'ledger.db'}"
        super().__init__({"ledger_url": url, "run_dir": str(folder / "runs")})
        self._environment, self._logins = environment, logins

    def environment(self) -> Environment:
        """The battlefield's own."""
        return self._environment

    def passwords(self, environment: Environment) -> Mapping[str, SecretStr]:  # noqa: ARG002 - keys alone
        """None: the gateways take the controller's key."""
        return {}

    def host_runner(self) -> HostRunner:
        """Roles on the battlefield's hosts, over their SSH doors."""
        return AnsibleHosts(self._logins, timeout_s=self.settings.host_timeout_s, concurrency=self.settings.concurrency)


class Blue:
    """Applies strategies and takes them away again."""

    def __init__(self, environment: Environment, folder: Path, logins: Mapping[str, Mapping[str, str]]) -> None:
        folder.mkdir(mode=0o700)
        self._context = FieldContext(environment, folder, logins)
        self._context._ledger = open_ledger(self._context.settings.ledger_url)  # noqa: SLF001 - open once, here
        self._context.ledger.heartbeat(EXPIRER, interval_s=LIFE_S, now=now())

    def apply(self, strategy: Strategy, summaries: Sequence[AlertSummary]) -> CommitReport:
        """Draft, guard, plan and commit.

        Raises:
            GuardRefusal: the guard does not allow the strategy for these alerts.
            PlanError: an action does not fit this environment.
            TransactionFailed: the change was undone, or is in doubt.
        """
        context = self._context
        content = self._decide(strategy, summaries)
        incident = content.incident_id
        active = context.ledger.mitigations(states=(MitigationState.ACTIVE,))
        made = draft(strategy, incident, context.environment(), active)
        wanted = sorted({*made.operations(), *on_path(summaries, context.environment())} if made.operations() else ())
        running, failed = read_running(
            [d for d in context.environment().devices if d.name in wanted], {}, concurrency=context.settings.concurrency
        )
        for error in failed.values():
            raise error
        plan = plan_response(incident, made, with_offers(context.environment(), running), running, now())
        context.ledger.record_plan(plan, now=now())
        folder = PlanFolder(plan, content, tuple(summaries))
        runner = context.host_runner() if plan.hosts else None
        return commit_plan(folder, context.environment(), {}, context.ledger, context.settings, hosts=runner)

    def _decide(self, strategy: Strategy, summaries: Sequence[AlertSummary]) -> Decision:
        """The decision this strategy would be, kept in the ledger whether allowed or not."""
        request = build_request(summaries, self._context.environment())
        verdict = review(strategy, request)
        decision = Decision(
            incident_id=incident_id(request.summaries),
            strategy=strategy,
            verdict=verdict,
            candidates=(),
            prompt_sha256=request.prompt_digest(),
            policy_sha256=sha256_json(strategy.policy),
            seed=0,
            pointers=request.pointers,
        )
        self._context.ledger.record_decision(decision, request, now=now())
        if not verdict.allowed:
            reasons = "; ".join(f"[{r.rule}] {r.reason}" for r in verdict.refusals)
            raise GuardRefusal(f"the guard refused the strategy: {reasons}", verdict=decision)
        return decision

    def environ(self) -> dict[str, str]:
        """Environment variables under which a playbook keeps its books where this team does."""
        settings = self._context.settings
        return {"SECLOOP_LEDGER_URL": settings.ledger_url, "SECLOOP_RUN_DIR": settings.run_dir}

    def undo(self) -> Removal:
        """Take every mitigation off the gateways and hosts again.

        Raises:
            TransactionFailed: it was undone; everything is as before.
        """
        return roll_back(self._context, EVERYTHING)

    def close(self) -> None:
        """Close the ledger."""
        self._context.ledger.close()


__all__ = ["Blue", "FieldContext", "Outcome", "Removal"]
