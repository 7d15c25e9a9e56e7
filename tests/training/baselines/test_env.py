"""The Gymnasium environment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from labs.scenario import Kind
from labs.validator.measurement import Measurement
from training.baselines.env import SecLoopEnv
from training.baselines.templates import MOST_CALLS, stop
from training.rewards import NotScoredError
from training.scoring import Answered, Scorer
from training.tasks import Task

from .world import of_kind, source, tasks


def play(env: SecLoopEnv, index: int, actions: Sequence[int]) -> tuple[float, bool]:
    """Reward and correctness of an episode; every reward before the end is 0."""
    env.reset(options={"index": index})
    for action in actions[:-1]:
        _, reward, done, _, _ = env.step(np.int64(action))
        assert (reward, done) == (0.0, False)
    _, reward, done, truncated, told = env.step(np.int64(actions[-1]))
    assert done
    assert not truncated
    return reward, told["correct"]


def test_gymnasium_accepts_it() -> None:
    check_env(SecLoopEnv(source()), skip_render_check=True)


def test_to_stop_at_once_is_right_on_a_false_alarm_and_wrong_under_attack() -> None:
    env = SecLoopEnv(source())
    assert play(env, of_kind(Kind.FALSE_ALARM)[0], [stop()]) == (3.0, True)
    reward, correct = play(env, of_kind(Kind.ATTACK)[0], [stop()])
    assert reward < 3.0
    assert not correct


def test_some_template_is_right_under_attack_and_gets_more_than_to_stop() -> None:
    env = SecLoopEnv(source())
    index, _ = of_kind(Kind.ATTACK)
    env.reset(options={"index": index})
    open_to = [int(n) for n in np.flatnonzero(env.board.mask(())) if n != stop()]
    right = [(r, n) for n in open_to if (r := play(env, index, [n, stop()]))[1]]
    assert right
    assert max(right)[0][0] > play(env, index, [stop()])[0]


def test_the_reward_is_sa_grpos() -> None:
    env = SecLoopEnv(source())
    index, task = of_kind(Kind.ATTACK)
    env.reset(options={"index": index})
    said = [int(n) for n in np.flatnonzero(env.board.mask(()))[:MOST_CALLS]]
    (score,) = Scorer().score([Answered(task, env.board.answer(said))])
    assert score.reward is not None
    assert play(env, index, said) == (score.reward.total, score.measurement is not None and score.measurement.correct)


def test_what_the_mask_forbids_is_a_failure_of_format() -> None:
    env = SecLoopEnv(source())
    env.reset(options={"index": 0})
    forbidden = int(np.flatnonzero(env.board.mask(()) == 0)[0])
    assert play(env, 0, [forbidden]) == (-1.0, False)


def test_equal_seeds_draw_equal_incidents() -> None:
    drawn = [[env.reset(seed=3)[1]["index"], *(env.reset()[1]["index"] for _ in range(5))] for env in two()]
    assert drawn[0] == drawn[1]
    assert len(set(drawn[0])) > 1


def two() -> tuple[SecLoopEnv, SecLoopEnv]:
    return SecLoopEnv(source()), SecLoopEnv(source())


class Futile:
    """A field whose attack does not work even undefended."""

    def __init__(self, task: Task) -> None:
        self._found = task.field.undefended()

    def undefended(self) -> Measurement:
        return self._found.model_copy(update={"valid": False})


class Futilities:
    def __len__(self) -> int:
        return 1

    def task(self, index: int) -> Task:
        task = tasks()[index]
        return task._replace(field=Futile(task))  # type: ignore[arg-type]  # half a field is all that is asked


def test_a_source_of_nothing_but_futile_attacks_teaches_nothing() -> None:
    with pytest.raises(NotScoredError, match="nothing can be learned"):
        SecLoopEnv(Futilities()).reset(seed=0)
