"""The loop's own path on a lab, for strategies written by hand: draft, plan, commit, roll back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from labs.lab import Lab
from secloop_ai.contracts import (
    Action,
    AlertSummary,
    ChangePlan,
    CommitReport,
    Decision,
    Environment,
    Mitigation,
    MitigationState,
    Strategy,
    incident_id,
)
from secloop_ai.guard import review
from secloop_ai.loop.commit import commit_plan
from secloop_ai.loop.context import Context, now
from secloop_ai.loop.decide import build_request
from secloop_ai.loop.devices import read_running, with_offers
from secloop_ai.loop.draft import draft
from secloop_ai.loop.folder import PlanFolder
from secloop_ai.loop.plan import Running, plan_response
from secloop_ai.loop.undo import EVERYTHING, Removal, roll_back


class Responder:
    """One ledger and one inventory; every strategy passes the guard on the evidence given with it."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        url = f"sqlite:///{folder / 'ledger.sqlite'}"
        given = {"inventory": [str(lab.inventory_dir)], "ledger_url": url, "run_dir": str(folder / "runs")}
        self.context = Context(given)
        self.environment = self.context.environment()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.ledger.close()

    @property
    def passwords(self) -> Mapping[str, SecretStr]:
        """None: the lab's device takes a key."""
        return self.context.passwords(self.environment)

    def running(self) -> dict[str, Running]:
        """What the device holds, with its hello."""
        found, failed = read_running(self.environment.devices, self.passwords, concurrency=1)
        assert not failed
        return found

    def active(self) -> tuple[Mitigation, ...]:
        """What is on the network, by the ledger."""
        return self.context.ledger.mitigations(states=(MitigationState.ACTIVE,))

    def strategy(self, actions: tuple[Action, ...], summaries: tuple[AlertSummary, ...]) -> Strategy:
        """These actions on this evidence."""
        return Strategy(actions=actions, evidence=tuple(s.summary_id for s in summaries), policy="written by hand")

    def plan(
        self, actions: tuple[Action, ...], summaries: tuple[AlertSummary, ...], environment: Environment | None = None
    ) -> PlanFolder:
        """A guarded plan of these actions against what the device holds now; kept in the ledger."""
        running = self.running()
        request = build_request(summaries, with_offers(environment or self.environment, running))
        strategy = self.strategy(actions, summaries)
        verdict = review(strategy, request)
        assert verdict.allowed, verdict.refusals
        decision = Decision(
            incident_id=incident_id(request.summaries),
            strategy=strategy,
            verdict=verdict,
            candidates=(),
            prompt_sha256=request.prompt_digest(),
            policy_sha256="0" * 64,
            seed=0,
            pointers=request.pointers,
        )
        made = draft(strategy, decision.incident_id, request.environment, self.active())
        plan = plan_response(decision.incident_id, made, request.environment, running, now())
        self.context.ledger.record_decision(decision, request, now=now())
        self.context.ledger.record_plan(plan, now=now())
        return PlanFolder(plan, decision, request.summaries)

    def commit(self, content: PlanFolder, environment: Environment | None = None) -> CommitReport:
        """Onto the device, verified by the environment's service checks."""
        where = environment or self.environment
        return commit_plan(content, where, self.passwords, self.context.ledger, self.context.settings)

    def clear(self) -> None:
        """Everything off the device that is still on it."""
        if self.active():
            roll_back(self.context, EVERYTHING)

    def undo(self, plan: ChangePlan) -> Removal:
        """The plan's incident off the device."""
        return roll_back(self.context, plan.incident_id)
