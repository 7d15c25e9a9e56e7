"""Policies by the names that `secloop eval` takes."""

from __future__ import annotations

import re
from typing import NamedTuple

from labs.rehearsal.policy import RehearsedPolicy, candidates_of
from labs.validator.baselines import BASELINES, baseline
from secloop_ai.contracts import Policy
from secloop_ai.contracts.errors import InputError
from secloop_ai.policies import load_policy
from secloop_ai.policies.reflex import ReflexPolicy

REHEARSE, LEARNED, REFLEX = "rehearse", "rl", "reflex"
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:+/-]{0,63}")


class Named(NamedTuple):
    """A policy as it was asked for.

    Attributes:
        label: what tables call it; by default its name. ``method/run`` makes it one run of several of a method.
        spec: what it is: see `policy_of`.
    """

    label: str
    spec: str


def named(text: str) -> tuple[Named, ...]:
    """Policies from ``SPEC``, or ``LABEL=SPEC``, with commas between.

    Raises:
        InputError: none, one twice, or a label that is none.
    """
    found = tuple(_named(part.strip()) for part in text.split(",") if part.strip())
    labels = [n.label for n in found]
    if not found:
        raise InputError("no policy named: give one or several with commas between")
    if twice := next((label for label in labels if labels.count(label) > 1), None):
        raise InputError(f"policy {twice}: named twice")
    return found


def policy_of(spec: str) -> Policy:
    """The policy behind a name: see the list.

    - a baseline of labs/validator (``no-op``, ``expert-table``, ...);
    - a back end of secloop_ai (``embedded:FOLDER``, ``openai:MODEL@URL``, ...);
    - ``reflex``, what the apprentice tries first;
    - ``rl:FOLDER``, a learned baseline of training/baselines;
    - ``rehearse:G:POLICY``, the best of G candidates of any of these, by rehearsal.

    Raises:
        PolicyError: there is none, or it cannot start.
    """
    if spec in BASELINES:
        return baseline(spec)
    if spec == REFLEX:
        return ReflexPolicy()
    scheme, _, rest = spec.partition(":")
    if scheme == LEARNED:
        from training.baselines.policy import load  # noqa: PLC0415 - of no use to who asks for another

        return load(rest)
    if scheme != REHEARSE:
        return load_policy(spec)
    number, _, inner = rest.partition(":")
    return RehearsedPolicy(policy_of(inner), candidates=candidates_of(number, inner))


def _named(part: str) -> Named:
    label, equals, spec = part.partition("=")
    if not equals:
        return Named(part, part)
    if not _LABEL.fullmatch(label) or not spec:
        raise InputError(f"policy {part!r}: not LABEL=POLICY with a label of letters, digits and . _ : + / -")
    return Named(label, spec)
