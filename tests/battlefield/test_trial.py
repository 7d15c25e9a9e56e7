"""Strategies judged live, and the fast model's word on the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from labs.attacks.persistence import attempts
from labs.battlefield import Battlefield, pulse, standing
from labs.battlefield.clients import Clients
from labs.battlefield.replay import TrialTimeoutError
from labs.battlefield.services import Place, Serving, servings
from labs.battlefield.trial import LiveField, refuse_lost
from labs.scenario import Case, draw
from labs.simulator import FastField
from labs.validator import Measurement, baseline
from labs.validator.harness import evaluate_on
from secloop_ai.contracts import Strategy
from secloop_ai.contracts.errors import LabError
from tests.battlefield.support import eventually, needs_lab, office

pytestmark = [*needs_lab, pytest.mark.slow, pytest.mark.timeout(240)]
SEED = next(n for n in count() if len(draw(office(), n).stages) == 1)
"""Of a case whose only stage is the guessing of passwords."""
SSH_BRUTE_FORCE = 9000001
CLOSED = "table inet t {\nchain c {\ntype filter hook input priority 0;\ntcp dport 22 drop\n}\n}\n"


@pytest.fixture(scope="module")
def live() -> Iterator[LiveField]:
    """The office, whose undefended twin is run once; no clone of it is left behind."""
    yield LiveField.of(office(), SEED)
    assert not ours()


def ours() -> list[str]:
    """Battlefields of this process that stand, whoever else has some."""
    return [r.case_id for r in standing() if r.owner == os.getpid()]


@pytest.fixture(scope="module")
def fast(live: LiveField) -> FastField:
    """The fast model of the same case."""
    return FastField(live.case)


def measured(live: LiveField, fast: FastField, policy: str) -> tuple[Measurement, Measurement]:
    """What becomes of the policy's strategy, live and fast."""
    return (evaluate_on(baseline(policy), live).measurement, evaluate_on(baseline(policy), fast).measurement)


def test_undefended_the_attack_succeeds_and_is_seen(live: LiveField) -> None:
    found = live.undefended()
    assert found.valid
    assert found.rs_attack == 1.0
    assert found.served
    assert found.sensor_alive
    assert found.tries >= 20
    assert found.tries == sum(live.spread.values())
    assert min(live.spread.values()) >= 1  # before, during and after the attack
    assert {"clone_s", "attack_s", "probe_s", "destroy_s"} <= found.phases_s.keys()
    assert SSH_BRUTE_FORCE in {s.signature_id for s in live.alerts() if s.source == live.case.stages[0].source}


def test_doing_nothing_stops_nothing(live: LiveField, fast: FastField) -> None:
    real, model = measured(live, fast, "no-op")
    assert real.executed
    assert real.quiet_strategy
    assert real.rs_attack == model.rs_attack == 1.0
    assert not real.correct
    assert not model.correct


def test_the_expert_table_stops_it_and_everybody_is_served(live: LiveField, fast: FastField) -> None:
    real, model = measured(live, fast, "expert-table")
    assert real.rs_attack == 0.0
    assert real.served
    assert real.tries >= 20
    assert real.rollback_exact
    assert real.correct
    assert model.correct


def test_blocking_everything_is_refused_or_breaks_services(live: LiveField, fast: FastField) -> None:
    real, model = measured(live, fast, "block-all")
    assert real.refusals or not real.served
    assert not real.correct
    assert not model.correct


def test_what_the_guard_refuses_is_not_executed(live: LiveField) -> None:
    block = {"kind": "block_ip", "source": "198.51.100.9/32", "ttl_s": 900}
    found = live.evaluate(Strategy.model_validate({"actions": [block], "evidence": [], "policy": "by hand"}))
    assert found.refusals
    assert not found.executed
    assert found.rs_attack == 1.0


def test_whoever_is_met_in_mid_attack_comes_again_and_fails(live: LiveField) -> None:
    met = live.respond(baseline("block-source"))
    assert met.executed
    assert met.time_to_contain_s is not None
    assert met.served
    assert met.phases_s["first_alert_s"] < met.phases_s["attack_s"]
    assert live.health.alive
    left = live.respond(baseline("no-op"))
    assert left.time_to_contain_s is None
    assert left.rs_attack == 1.0


@contextmanager
def with_a_full_log(case: Case, kinds: Mapping[Place, Serving]) -> Iterator[Battlefield]:
    """A clone whose sensor has no room left for what it sees."""
    with Battlefield(case, kinds) as field:
        about = os.statvfs(field.start_sensor())
        with field.eve_path.with_name("fill").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, about.f_bavail * about.f_frsize)
        yield field


def test_nothing_is_correct_while_the_sensor_is_blind(live: LiveField, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "SEEN_S", 0.5)
    blind = LiveField(live.case, servings(office(), SEED), clone=with_a_full_log)
    blind.__dict__["_twin"] = live._twin
    found = evaluate_on(baseline("block-source"), blind).measurement
    assert (found.rs_attack, found.served, found.rollback_exact) == (0.0, True, True)
    assert not found.sensor_alive
    assert not found.correct
    assert str(blind.health) == "sensor: log full"


def test_a_lost_service_is_found_by_its_clients_alone() -> None:
    with Battlefield.clone(office(), SEED) as field, Clients(field, servings(office(), SEED)) as clients:
        clients.before()
        assert all(u.served == u.tries for u in clients.uses())
        jump = field.case.names["jump"]
        assert field.exec(jump, ["nft", "-f", "-"], rights="admin", stdin=CLOSED).returncode == 0
        clients.after()
        lost = {u.service for u in clients.uses() if u.served < u.tries}
    assert lost == {f"{jump}/ssh"}


def test_out_of_time_is_no_verdict_and_leaves_nothing() -> None:
    with pytest.raises(TrialTimeoutError, match="ssh-brute-force"):
        LiveField.of(office(), SEED, limit_s=0.05).undefended()
    assert not ours()


def test_a_clone_that_has_lost_a_node_gives_no_verdict() -> None:
    with Battlefield.clone(office(), SEED, host_services=False) as field:
        refuse_lost(field)
        jump = field.case.names["jump"]
        os.kill(field.nodes.first[jump], signal.SIGKILL)
        assert eventually(lambda: not Path(f"/proc/{field.nodes.first[jump]}/root/proc").exists())
        with pytest.raises(LabError, match=jump):
            refuse_lost(field)
    assert not ours()


def test_a_persistent_attacker_outside_has_more_addresses_to_start_from() -> None:
    case = draw(office(), SEED)
    stage = case.stages[0]
    assert attempts(case, stage) == (stage,)
    back = attempts(case.model_copy(update={"persistent": True}), stage)
    assert back[0] == stage
    assert {s.source for s in back} == {p.address for p in case.attackers}


def test_a_persistent_attacker_gets_round_the_block_of_one_source(live: LiveField) -> None:
    back = LiveField.of(office().model_copy(update={"persistent": True}), SEED)
    real, model = measured(back, FastField(back.case), "block-source")
    assert real.executed
    assert real.rs_attack == model.rs_attack == 1.0
    assert evaluate_on(baseline("block-source"), live).measurement.rs_attack == 0.0
