"""The fast model: a case's battlefield without packets, with the interface of the live one.

It needs no root and no second definition of anything: cases come from labs/scenario, actions become operations in
secloop_ai.loop.compile, packets meet the AclModels of secloop_ai.contracts, and the verdict is labs/validator's.
"""

from __future__ import annotations

from functools import cached_property

from labs.attacks.base import Means
from labs.scenario import Case, LegitFlow
from labs.validator.chain import obstacle
from labs.validator.judge import UNDEFENDED, Execution, Run, Use, judge
from labs.validator.measurement import Measurement, StageOutcome
from secloop_ai.contracts import Action, AlertSummary, Strategy
from secloop_ai.loop.intent import meant_to_fail
from secloop_ai.loop.watch import Check

from .effects import Combined, Effect, combine, effect_of
from .journeys import Journeys
from .paths import Paths
from .script import Attempt, FlowScript, MeansSource, Sending, StageScript, write_script
from .throttle import Load, load

EFFECTS_KEPT = 4_096
"""Actions whose effect is remembered per case."""
TCP = 6
NOTHING = Combined(0, (), 0)


def registered(name: str) -> Means:
    """The plugin of labs/attacks.

    Raises:
        LabError: there is no such means.
    """
    from labs.attacks.registry import means

    return means(name)


class FastField:
    """One case, ready for any number of strategies; the same strategy always gets the same answer.

    Args:
        case: of labs/scenario.
        means: where the attack plugins come from; by default all that labs/attacks has.

    Raises:
        LabError: a stage's means is not known.
    """

    def __init__(self, case: Case, means: MeansSource = registered) -> None:
        self.case = case
        self.paths = Paths(case)
        self.script = write_script(case, means, Journeys(self.paths))
        self._means = tuple(s.means for s in self.script.stages)
        self._effects: dict[Action, Effect] = {}
        self._outcomes: dict[tuple[int, bool, bool, str], StageOutcome] = {}

    def alerts(self) -> tuple[AlertSummary, ...]:
        """What the sensor makes of the undefended twin."""
        from .alerts import alerts_of  # with all of the ingest: a rehearsal in a short process has no use for it

        attempted = [s for s, o in zip(self.script.stages, self._twin.stages, strict=True) if o.attempted]
        return alerts_of(self.case, attempted, self.paths)

    def undefended(self) -> Measurement:
        """The case when nobody does anything."""
        return judge(self.case, "fast", UNDEFENDED, self._twin, self._twin)

    def evaluate(self, strategy: Strategy) -> Measurement:
        """What a strategy would do, applied before the attack is replayed.

        The guard is not asked here. All of a strategy is executed or none of it, as the transaction would: the loop
        undoes a change that takes a service from a client whom no action means to cut off.
        """
        effects = [self.effect(a) for a in strategy.actions]
        quiet = not any(e.dead or e.gates or e.countered for e in effects)
        combined = NOTHING if quiet else combine(effects)
        fault = next((e.fault for e in effects if e.fault is not None), "") or self._damage(strategy, combined.dead)
        calls = len(effects)
        execution = Execution(quiet=strategy.quiet, done=0 if fault else calls, calls=calls, fault=fault)
        run = self._twin if quiet or fault else self.play(combined)
        return judge(self.case, "fast", execution, run, self._twin)

    def _damage(self, strategy: Strategy, dead: int) -> str:
        """What the loop's service checks would find broken, in words; on a battlefield every TCP service has one."""
        for flow, check in self._checked:
            if flow.journeys & dead and not meant_to_fail(check, strategy.actions):
                return f"service {check.server.name}/{check.service.name} is lost for {check.client.name}"
        return ""

    @cached_property
    def _checked(self) -> tuple[tuple[FlowScript, Check], ...]:
        """The flows that the loop's checks try, with their checks; what is lost anyway is no damage."""
        lost = self.script.journeys.lost
        tried = (f for f in self.script.flows if f.flow.packet.protocol == TCP and not f.journeys & lost)
        return tuple((f, check) for f in tried if (check := self._check(f.flow)))

    def _check(self, flow: LegitFlow) -> Check | None:
        client, server = (self.case.environment.host(name) for name in (flow.client, flow.server))
        service = next((s for s in server.services if s.name == flow.service), None) if server else None
        if client is None or server is None or service is None:
            return None
        return Check(client, server, service, str(flow.packet.destination))

    def effect(self, action: Action) -> Effect:
        """What one action does here; remembered."""
        if (known := self._effects.get(action)) is not None:
            return known
        if len(self._effects) >= EFFECTS_KEPT:
            self._effects.clear()
        found = effect_of(action, self.case, self.script.journeys, self._means)
        return self._effects.setdefault(action, found)

    def play(self, defence: Combined) -> Run:
        """Replay the chain with the clients at work."""
        dead = defence.dead | self.script.journeys.lost
        outcomes: list[StageOutcome] = []
        succeeded: set[int] = set()
        sent: list[tuple[Sending, ...]] = []
        for scripted in self.script.stages:
            tried, found = self._try(scripted, defence, dead, succeeded)
            if found.succeeded:
                succeeded.add(found.index)
            outcomes.append(found)
            sent.append(tried.sendings if tried else ())
        return Run(tuple(outcomes), tuple(self._uses(defence, dead, succeeded, sent)))

    @cached_property
    def _twin(self) -> Run:
        return self.play(NOTHING)

    def _try(
        self, scripted: StageScript, defence: Combined, dead: int, succeeded: set[int]
    ) -> tuple[Attempt | None, StageOutcome]:
        """A stage, from one address after another until it succeeds."""
        if missing := obstacle(self.case, scripted.stage, scripted.means.needs, succeeded):
            return None, self._outcome(scripted, attempted=False, detail=missing)
        detail = "no way through"
        last = scripted.attempts[0]
        for last in scripted.attempts:
            if last.journeys & dead:
                continue
            if not scripted.able:
                return last, self._outcome(scripted, detail="refused: the target has no such weakness")
            if defence.countered >> scripted.stage.index & 1:
                return last, self._outcome(scripted, detail="stopped on the host")
            if not defence.limits or self._enough(last, defence, dead):
                return last, self._outcome(scripted, succeeded=True)
            detail = "throttled"
        return last, self._outcome(scripted, detail=detail)

    def _enough(self, attempt: Attempt, defence: Combined, dead: int) -> bool:
        full = load(defence.limits, self.script.flows, dead, attempt.sendings)
        return all(full.enough(s) for s in attempt.sendings)

    def _outcome(
        self, scripted: StageScript, *, attempted: bool = True, succeeded: bool = False, detail: str = ""
    ) -> StageOutcome:
        key = (scripted.stage.index, attempted, succeeded, detail)
        if key not in self._outcomes:
            self._outcomes[key] = StageOutcome(
                index=key[0], means=scripted.stage.means, attempted=attempted, succeeded=succeeded, detail=detail
            )
        return self._outcomes[key]

    def _uses(self, defence: Combined, dead: int, succeeded: set[int], sent: list[tuple[Sending, ...]]) -> list[Use]:
        """The clients' tries: before the attack, during each of its stages, and after it."""
        parts = [(), *sent, ()]
        loads = [load(defence.limits, self.script.flows, dead, s) if defence.limits else Load() for s in parts]
        denied = self._denied(succeeded, len(parts))
        uses = []
        for number, f in enumerate(self.script.flows):
            served = 0.0
            if not f.journeys & dead:
                served = sum(
                    f.tries * full.served(f.opening)
                    for full, gone in zip(loads, denied, strict=True)
                    if number not in gone
                )
            uses.append(Use(f.flow.client, f"{f.flow.server}/{f.flow.service}", f.tries * len(parts), served))
        return uses

    def _denied(self, succeeded: set[int], parts: int) -> list[set[int]]:
        """For each part of the run, the flows whose service the attack has taken away."""
        gone: list[set[int]] = [set() for _ in range(parts)]
        for number, scripted in enumerate(self.script.stages, 1):
            if scripted.stage.index in succeeded:
                gone[number].update(scripted.denied)
        return gone
