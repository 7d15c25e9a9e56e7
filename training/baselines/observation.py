"""A prompt of the embedded policy as a vector of zeros and ones: the same facts, and nothing else.

Entities stand at the place of their slot, alerts in the prompt's order; what finds no place is not seen. A word such as
``worth:high/vital`` becomes one mark per part, a slot one mark among the slots that the templates can name. Bytes, not
floats, so that a replay buffer of some thousand fits into memory; the learners read them as floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from secloop_ai.contracts import sha256_json
from secloop_ai.policies.embedded import features

Bits = npt.NDArray[np.uint8]
VERSION = 2
EMPTY = ("<nothing>", "<nobody>")
ELSEWHERE = "@elsewhere"
_COUNTS = {"src": 4, "host": 4, "svc": 4, "dev": 3, "if": 4, "port": 3, "name": 1}
_SLOTS = (*(f"@{role}{n}" for role, count in _COUNTS.items() for n in range(count)), ELSEWHERE)


class Block(NamedTuple):
    """A kind of entity in the prompt.

    Attributes:
        mark: the word it begins with.
        places: how many of it are seen.
        groups: the features it may have, in any order.
        slots: how many slots it may name, the first of them its own where it has a role.
        role: its places are the slots of this role; without one they are in the prompt's order.
    """

    mark: str
    places: int
    groups: tuple[str, ...]
    slots: int = 0
    role: str = ""


BLOCKS = (
    Block("<alerts>", 1, ("all", "from", "hidden")),
    Block("<source>", 4, ("source",), 2, "src"),
    Block("<host>", 4, ("role", "worth", "place", "client"), 3, "host"),
    Block("<service>", 4, ("users", "for"), 3, "svc"),
    Block(
        "<alert>",
        5,
        (
            *("times", "class", "tactic", "technique", "app", "for", "flow", "seen", "rate", "ports"),
            *("up", "down", "ends", "use"),
        ),
        5,
    ),
)


@cache
def _groups() -> Mapping[str, Mapping[tuple[int, str], int]]:
    """Feature group → (number of the part, its value) → the mark's number in the group."""
    found: dict[str, dict[tuple[int, str], int]] = {}
    for word in features.words():
        name, colon, values = word.partition(":")
        if colon:
            parts = found.setdefault(name, {})
            for part in enumerate(values.split("/")):
                parts.setdefault(part, len(parts))
    return found


class _Layout(NamedTuple):
    """Where a block's marks are.

    Attributes:
        start: of its first place.
        stride: marks of a place; the first says that it is taken, then its slots, then its features.
        features: group → start of its marks in the place.
    """

    block: Block
    start: int
    stride: int
    features: Mapping[str, int]


@cache
def _layouts() -> Mapping[str, _Layout]:
    found: dict[str, _Layout] = {}
    start = 0
    for block in BLOCKS:
        at = 1 + block.slots * len(_SLOTS)
        begins = {}
        for name in block.groups:
            begins[name] = at
            at += len(_groups()[name])
        found[block.mark] = _Layout(block, start, at, begins)
        start += block.places * at
    return found


@cache
def width() -> int:
    """Marks of an observation."""
    return sum(at.block.places * at.stride for at in _layouts().values())


@cache
def digest() -> str:
    """SHA-256 (hex) of what each mark means: a learner's input fits one alone."""
    return sha256_json([VERSION, _SLOTS, BLOCKS, {name: list(parts) for name, parts in _groups().items()}])


def see(prompt: Sequence[str]) -> Bits:
    """The vector (`width`) of a prompt."""
    found = np.zeros(width(), dtype=np.uint8)
    taken = dict.fromkeys(_layouts(), 0)
    for mark, words in _entities(prompt):
        at = _layouts()[mark]
        place = _number(words[0], at.block.role) if at.block.role else taken[mark]
        taken[mark] += 1
        if place < at.block.places:
            start = at.start + place * at.stride
            found[[start, *(start + n for n in _marks(words, at))]] = 1
    return found


def _entities(prompt: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Each block's mark with the words up to the next; what the reflex says is told by the board."""
    begins = [n for n, word in enumerate(prompt) if word in _layouts() or word == features.CALLS]
    for begin, end in zip(begins, [*begins[1:], len(prompt)], strict=True):
        if prompt[begin] in _layouts():
            yield prompt[begin], list(prompt[begin + 1 : end])


def _number(slot: str, role: str) -> int:
    return int(slot.removeprefix(f"@{role}"))


def _marks(words: Sequence[str], at: _Layout) -> Iterator[int]:
    slots = [w for w in words if w.startswith("@") or w in EMPTY]
    for n, slot in enumerate(slots[: at.block.slots]):
        if slot not in EMPTY:
            yield 1 + n * len(_SLOTS) + _SLOTS.index(slot if slot in _SLOTS else ELSEWHERE)
    for word in words:
        group, _, values = word.partition(":")
        if group in at.features:
            yield from (at.features[group] + _groups()[group][part] for part in enumerate(values.split("/")))
