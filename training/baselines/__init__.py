"""Learners that SA-GRPO is set against, on the same cases, with the same reward and the same seconds.

    python -m training.baselines --algorithm ppo --seed 0 --budget-s 300 --out var/baselines/ppo-0

PPO, DQN and double DQN pick from a fixed list of calls (:mod:`.templates`) in a Gymnasium environment (:mod:`.env`);
KTO trains the embedded model. Plain GRPO is a preset of :mod:`training.config`.
"""
