"""A rehearsal knows the request alone, and still tells the right answer from the heavy hand and from looking away."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from labs.rehearsal.policy import SURE, RehearsedPolicy
from labs.rehearsal.score import AlertRehearsal
from labs.rehearsal.twin import hypotheses, links, twin
from labs.scenario import Case, Kind, Split, Suite
from labs.simulator import FastField
from labs.suites import cases
from labs.validator import baseline
from labs.validator.harness import evaluate_on
from secloop_ai.contracts import (
    TTLS_S,
    ActionCall,
    Candidate,
    IsolateHost,
    Observe,
    ObserveReason,
    Policy,
    PolicyError,
    PolicyRequest,
    Rehearsal,
    Strategy,
)
from secloop_ai.contracts.errors import LabError
from secloop_ai.loop.decide import build_request, judge
from secloop_ai.policies import load_policy

OBSERVE = Strategy(actions=(Observe(ttl_s=300, reason=ObserveReason.INFORMATIONAL),), evidence=(), policy="test")


def drawn(split: Split, kind: Kind | None = None) -> Iterator[tuple[Case, PolicyRequest]]:
    for suite in Suite:
        for case in cases(suite, split, [100]):
            if kind in {None, case.kind}:
                yield case, build_request(FastField(case).alerts(), case.environment)


def answered(case: Case, request: PolicyRequest) -> Strategy | None:
    """A right answer, where the expert has one among its candidates."""
    field = FastField(case)
    judged = (judge(c, request, "test") for c in baseline("expert-table").propose(request, n=16, seed=0))
    return next((s for s, verdict in judged if verdict.allowed and field.evaluate(s).correct), None)


def test_it_is_what_the_contracts_call_a_rehearsal() -> None:
    rehearsal: Rehearsal = AlertRehearsal()
    policy: Policy = RehearsedPolicy(baseline("no-op"), candidates=1, rehearsal=rehearsal)
    assert isinstance(policy, Policy)


@pytest.mark.parametrize("split", [Split.TRAIN, Split.VALIDATION])
def test_the_cables_are_read_off_the_devices_addresses(split: Split) -> None:
    for case, _ in drawn(split):
        found = {frozenset({(k.one, k.one_port), (k.other, k.other_port)}) for k in links(case.environment)}
        assert found == {frozenset({(k.one, k.one_port), (k.other, k.other_port)}) for k in case.links}


def test_nothing_but_the_request_is_in_the_twin() -> None:
    for case, request in drawn(Split.VALIDATION, Kind.ATTACK):
        found = hypotheses(request)
        made, means = twin(request, found, returns=True)
        named = {a for s in request.summaries for a in (s.source, s.destination)}
        hidden = {p.address for p in case.attackers} - named
        stages = {a for s in made.stages for a in (s.source, s.target)}
        assert stages <= named
        assert hidden.isdisjoint(stages)
        assert set(means) == {s.means for s in made.stages} == {f"alert-{n}" for n in range(len(found))}
        assert made.environment == request.environment


def test_every_exchange_that_alerts_tell_of_gets_through_when_nobody_does_anything() -> None:
    reached = tried = 0
    for _, request in drawn(Split.VALIDATION, Kind.ATTACK):
        made, means = twin(request, hypotheses(request), returns=False)
        stages = FastField(made, means.__getitem__).undefended().stages
        tried += len(stages)
        reached += sum(s.succeeded for s in stages)
    assert reached / tried > 0.9


def test_the_right_answer_beats_looking_away_and_cutting_the_target_off() -> None:
    won = asked = 0
    for case, request in drawn(Split.VALIDATION, Kind.ATTACK):
        right = answered(case, request)
        target = case.stages[-1].target_host
        if right is None or target is None:
            continue
        heavy = OBSERVE.model_copy(update={"actions": (IsolateHost(ttl_s=300, host=target),)})
        best, away, heavy_hand = AlertRehearsal().score(request, [right, OBSERVE, heavy])
        asked += 1
        won += best > max(away, heavy_hand)
    assert asked >= 15
    assert won / asked > 0.85


def test_where_all_alerts_are_explained_to_observe_is_best() -> None:
    explained = [r for _, r in drawn(Split.TRAIN, Kind.FALSE_ALARM) if all(h.explained for h in hypotheses(r))]
    assert explained
    for request in explained:
        named = [h.stage.target_host for h in hypotheses(request) if h.stage.target_host]
        acting = [OBSERVE.model_copy(update={"actions": (IsolateHost(ttl_s=300, host=n),)}) for n in named]
        first, *others = AlertRehearsal().score(request, [OBSERVE, *acting])
        assert all(first > other for other in others)


def test_without_alerts_to_observe_is_best() -> None:
    case, _ = next(drawn(Split.VALIDATION))
    request = build_request((), case.environment)
    heavy = OBSERVE.model_copy(update={"actions": (IsolateHost(ttl_s=300, host=case.environment.hosts[0].name),)})
    quiet, acting = AlertRehearsal().score(request, [OBSERVE, heavy])
    assert quiet == 1.0 > acting


def test_the_same_request_gives_the_same_candidates_and_the_refused_come_last() -> None:
    policy = RehearsedPolicy(baseline("random-valid"), candidates=24)
    for _, request in list(drawn(Split.VALIDATION, Kind.ATTACK))[:4]:
        found = policy.propose(request, n=24, seed=3)
        assert found == policy.propose(request, n=24, seed=3)
        allowed = [judge(c, request, "test")[1].allowed for c in found]
        assert allowed == sorted(allowed, reverse=True)
        scores = [c.score for c, ok in zip(found, allowed, strict=True) if ok]
        assert scores == sorted(scores, reverse=True)
        assert policy.propose(request, n=2, seed=3) == found[:2]


def test_rehearsed_the_expert_is_right_more_often() -> None:
    plain, rehearsed = baseline("expert-table"), RehearsedPolicy(baseline("expert-table"), candidates=16)
    fields = [FastField(case) for case, _ in drawn(Split.VALIDATION)]
    right = [sum(evaluate_on(p, f).correct for f in fields) for p in (plain, rehearsed)]
    assert right[1] > right[0]


class Undecided:
    """Would rather do nothing, but has something to do at hand."""

    name = "undecided/1"

    def __init__(self, *tools: Candidate) -> None:
        self._answers = tools

    def digest(self) -> str:
        return "0" * 64

    def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:  # noqa: ARG002 - the same answers to all
        return self._answers[:n]


def test_whether_to_act_at_all_is_the_policys_to_say() -> None:
    case, request = next(drawn(Split.VALIDATION, Kind.ATTACK))
    right = answered(case, request)
    assert right
    acting = next(
        c
        for c in baseline("expert-table").propose(request, n=16, seed=0)
        if judge(c, request, "test")[0].actions == right.actions
    )
    nothing = ActionCall(tool="observe", params={"reason": "false_alarm"}, ttl_s=300)
    calm = Candidate(calls=(nothing,))
    kept = RehearsedPolicy(Undecided(calm, acting), candidates=2).propose(request, n=2, seed=0)
    assert kept == (calm, acting)
    first = RehearsedPolicy(Undecided(acting, calm), candidates=2).propose(request, n=1, seed=0)
    assert first[0].calls == acting.calls


class Certain(Undecided):
    """Knows how sure it is: as the scores of its answers say."""

    def probability(self, candidate: Candidate) -> float:
        return candidate.score


@pytest.mark.parametrize(("probability", "kept"), [(SURE, True), (SURE - 0.01, False)])
def test_a_policy_that_is_sure_is_taken_at_its_word(probability: float, kept: bool) -> None:
    class Favourite:
        """Rehearses the last answer best."""

        def score(self, request: PolicyRequest, strategies: Sequence[Strategy]) -> tuple[float, ...]:  # noqa: ARG002 - the same answer to all
            return tuple(float(n) for n, _ in enumerate(strategies))

    for _, request in drawn(Split.VALIDATION, Kind.ATTACK):
        allowed = [
            c for c in baseline("random-valid").propose(request, n=16, seed=0) if judge(c, request, "")[1].allowed
        ]
        acting = [c.model_copy(update={"score": probability}) for c in allowed if c.calls[0].tool != "observe"]
        if len(acting) > 1:
            break
    policy = RehearsedPolicy(Certain(*acting), candidates=len(acting), rehearsal=Favourite())
    (first,) = policy.propose(request, n=1, seed=0)
    assert (first.calls == acting[0].calls) is kept


def test_what_the_guard_refuses_is_rehearsed_however_sure_the_policy_is() -> None:
    for _, request in drawn(Split.VALIDATION, Kind.ATTACK):
        proposed = baseline("random-valid").propose(request, n=32, seed=0)
        refused = [c for c in proposed if not judge(c, request, "")[1].allowed]
        allowed = [c for c in proposed if judge(c, request, "")[1].allowed]
        if refused and allowed:
            break
    sure = refused[0].model_copy(update={"score": 1.0})
    found = RehearsedPolicy(Certain(sure, allowed[0]), candidates=2).propose(request, n=2, seed=0)
    assert [c.calls for c in found] == [allowed[0].calls, sure.calls]


def test_a_sure_policy_needs_no_simulator() -> None:
    code = "import sys, labs.rehearsal.policy; assert 'labs.simulator' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_it_can_be_had_by_name_and_a_wrong_one_is_told() -> None:
    assert load_policy("rehearse:4:playbook").name.startswith("best-of-4/")
    for wrong in ("rehearse", "rehearse:x:playbook", "rehearse:4"):
        with pytest.raises(PolicyError, match=r"write rehearse:G:POLICY|no policy ''"):
            load_policy(wrong)


def test_its_name_and_digest_say_what_is_rehearsed() -> None:
    few, many = (RehearsedPolicy(baseline("no-op"), candidates=n) for n in (2, 3))
    assert few.name == "best-of-2/no-op/1"
    assert few.digest() != many.digest()


def test_too_few_candidates_are_an_error() -> None:
    with pytest.raises(PolicyError, match="at least one"):
        RehearsedPolicy(baseline("no-op"), candidates=0)
    _, request = next(drawn(Split.VALIDATION))
    with pytest.raises(PolicyError, match="asked for 0"):
        RehearsedPolicy(baseline("no-op"), candidates=2).propose(request, n=0, seed=0)


class Red:
    """A red team that may do nothing."""

    def address(self) -> str:
        return "the red team's place"


def test_a_guess_is_no_tool() -> None:
    _, request = next(drawn(Split.VALIDATION, Kind.ATTACK))
    found = hypotheses(request)[0]
    with pytest.raises(LabError, match="cannot be run"):
        found.means.run(Red(), found.stage)  # type: ignore[arg-type]  # it asks for nothing but the address


def test_ttl_is_no_matter() -> None:
    """Of two strategies that differ in their lifetime alone neither is better here: what lasts is not rehearsed."""
    _, request = next(drawn(Split.VALIDATION, Kind.ATTACK))
    proposed = baseline("block-source").propose(request, n=1, seed=0)[0]
    longer = Candidate(calls=tuple(c.model_copy(update={"ttl_s": TTLS_S[-1]}) for c in proposed.calls))
    one, other = (judge(c, request, "test")[0] for c in (proposed, longer))
    first, second = AlertRehearsal().score(request, [one, other])
    assert first == second
