"""What others published and what we set out to reach: the figures that results stand beside.

The published ones are those of arXiv 2512.09485, measured there on other battlefields and with a model of 7 billion
parameters: they stand beside ours to be seen, not because the two were run on the same cases.
"""

from __future__ import annotations

from typing import NamedTuple

from secloop_ai.settings import DEFAULT_POLICY

ACCURACY = 0.9271
"""The method's accuracy on a server's GPU."""
SHIPPED = DEFAULT_POLICY
"""Label of the policy that ships: what the loop asks where nobody chose another."""
ALONE = "embedded"
"""The same weights without a rehearsal."""
OURS = "sa-grpo"
"""Label of the method with the small budget that its rivals have."""
ABLATION = "ablation:"
"""Labels of ablations begin with it."""
WEAK = "weak:"
"""Labels of what started from a checkpoint that had learned little, so that there was something left to learn."""
EARLIER = "earlier:"
"""Labels of weights that another training from nothing left, by the same command."""
APART = (ABLATION, WEAK, EARLIER)
"""Labels that begin with one of these have tables of their own."""
GAINS = {"grpo": 0.103, "kto": 0.147, "ppo": 0.186, "ddqn": 0.227, "dqn": 0.267, "untuned": 0.304}
"""Label → the method's published gain over it."""
LOSSES = {"no-exec-eval": 0.269, "no-penalty": 0.100, "no-format": 0.031}
"""Ablation → what the method is published to lose by it."""
BASELINES = ("no-op", "block-all", "block-source", "random-valid", "expert-table", "reflex")
LEARNED = (OURS, "sft", "kto", "grpo", "ppo", "dqn", "ddqn", "untuned")
REHEARSED = "rehearse:16:expert-table"


class Goal(NamedTuple):
    """A figure to be reached.

    Attributes:
        source: where it is read: ``fast`` or ``live`` (the mean over suites), ``suite`` (the worst fast one), or
            the name of a figure on the fast model.
        at_least: whether more is better.
    """

    name: str
    source: str
    wanted: float
    at_least: bool = True


GOALS = (
    Goal("accuracy on the fast model, mean over suites", "fast", 0.95),
    Goal("accuracy live, mean over suites", "live", ACCURACY),
    Goal("accuracy on the fast model, worst suite", "suite", 0.90),
    Goal("restraint", "restraint", 0.98),
    Goal("false blocks", "false blocks", 0.01, at_least=False),
)
