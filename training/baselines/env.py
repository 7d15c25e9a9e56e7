"""The fast model as a Gymnasium environment: an episode is one incident.

The observation is the prompt's facts, what was said so far, and a mask of what may be said next. An action says one
more call, or stops. There is a reward at the end alone: SA-GRPO's.
"""

from __future__ import annotations

from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from secloop_ai.contracts import ActionCall
from training.rewards import NotScoredError, Reward
from training.scoring import Answered, Score, Scorer
from training.sources import TaskSource

from .board import ACTIONS, OBSERVED, Board
from .observation import Bits
from .templates import stop

BOARDS_KEPT, SCORES_KEPT = 4_096, 200_000
DRAWS = 100
"""How often another incident is drawn for one that proves nothing."""


class Memory:
    """What environments side by side share: the tasks, how they look to the learner, and what answers came to.

    Args:
        source: of the tasks.
    """

    def __init__(self, source: TaskSource) -> None:
        self.source = source
        self._scorer = Scorer()
        self._boards: dict[int, Board] = {}
        self._scores: dict[tuple[int, tuple[int, ...]], tuple[float, bool]] = {}
        self._valid: dict[int, bool] = {}

    def valid(self, index: int) -> bool:
        """Whether the task proves anything: its attack works where nobody defends."""
        if index not in self._valid:
            self._valid[index] = self.source.task(index).field.undefended().valid
        return self._valid[index]

    def board(self, index: int) -> Board:
        """A task as the learner meets it."""
        if index not in self._boards:
            if len(self._boards) >= BOARDS_KEPT:
                self._boards.clear()
            task = self.source.task(index)
            self._boards[index] = Board.of(task.prompt, task.request)
        return self._boards[index]

    def score(self, index: int, said: tuple[int, ...]) -> tuple[float, bool]:
        """Reward and correctness; the fast model always gives equal answers equal ones.

        Raises:
            NotScoredError: the answer could not be measured.
        """
        key = (index, said)
        if key not in self._scores:
            if len(self._scores) >= SCORES_KEPT:
                self._scores.clear()
            self._scores[key] = self._measure(index, self.board(index).answer(said))
        return self._scores[key]

    def malformed(self, index: int) -> tuple[float, bool]:
        """The same of what is no answer."""
        return self._measure(index, None)

    def _measure(self, index: int, calls: tuple[ActionCall, ...] | None) -> tuple[float, bool]:
        (found,) = self._scorer.score([Answered(self.source.task(index), calls)])
        return reward_of(found).total, found.measurement is not None and found.measurement.correct


class SecLoopEnv(gym.Env[Bits, np.int64]):
    """Incidents drawn at random from a source of tasks.

    An action outside the mask is a failure of format: the episode ends with the lowest reward, -1.

    Args:
        memory: of the tasks; or a source, which gets a memory of its own.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - gymnasium's own declaration

    def __init__(self, memory: Memory | TaskSource) -> None:
        self.observation_space = cast("spaces.Space[Bits]", spaces.Box(0, 1, (OBSERVED,), dtype=np.uint8))
        self.action_space = spaces.Discrete(ACTIONS)
        self._memory = memory if isinstance(memory, Memory) else Memory(memory)
        self._index = 0
        self._said: list[int] = []

    @property
    def board(self) -> Board:
        """This episode's task as the learner meets it."""
        return self._memory.board(self._index)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Bits, dict[str, Any]]:
        """A new incident, ``options["index"]`` of the source or one drawn at random.

        Raises:
            NotScoredError: no incident that proves anything was drawn.
        """
        super().reset(seed=seed)
        self._index = int((options or {}).get("index", self._draw()))
        self._said = []
        return self.board.observation(self._said), {"index": self._index}

    def _draw(self) -> int:
        for _ in range(DRAWS):
            drawn = int(self.np_random.integers(len(self._memory.source)))
            if self._memory.valid(drawn):
                return drawn
        raise NotScoredError(f"{DRAWS} tasks drawn, and in none does the attack work: nothing can be learned")

    def step(self, action: np.int64) -> tuple[Bits, float, bool, bool, dict[str, Any]]:
        """Say one more call or stop; after the last call that there is room for the episode is over, too.

        Raises:
            NotScoredError: the answer could not be measured.
        """
        chosen = int(action)
        allowed = bool(self.board.mask(self._said)[chosen])
        if allowed and chosen != stop():
            self._said.append(chosen)
            if len(self._said) < self.board.most:
                return self.board.observation(self._said), 0.0, False, False, {}
        told = self._memory.score(self._index, tuple(self._said)) if allowed else self._memory.malformed(self._index)
        return self.board.observation(self._said), told[0], True, False, {"correct": told[1]}


def reward_of(score: Score) -> Reward:
    """The reward of an answer.

    Raises:
        NotScoredError: there is none.
    """
    if score.reward is None:
        raise NotScoredError(score.why)
    return score.reward
