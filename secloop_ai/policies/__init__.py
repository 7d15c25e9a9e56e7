"""Policies: what writes strategies."""

from __future__ import annotations

from .ends import rank
from .pointers import build_pointers
from .registry import load_policy
from .resolve import Problem, Resolution, resolve
from .schema import Choices, choices, strategy_schema

__all__ = [
    "Choices",
    "Problem",
    "Resolution",
    "build_pointers",
    "choices",
    "load_policy",
    "rank",
    "resolve",
    "strategy_schema",
]
