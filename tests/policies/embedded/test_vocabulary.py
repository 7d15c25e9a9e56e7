"""The vocabulary is closed: it follows from the catalogue and the features, and never from an alert."""

from __future__ import annotations

import re

import pytest

from secloop_ai.contracts import CAPS, CATALOGUE, RESERVED_TOOL_SLOTS, TTLS_S, PolicyRequest
from secloop_ai.policies.embedded import encode
from secloop_ai.policies.embedded.vocabulary import SPECIAL, digest, ids, tool_word, ttl_word, words
from secloop_ai.policies.resolve import takes_slots

HARMLESS = re.compile(r"[@<]?[A-Za-z0-9_.=:/>-]{1,60}")


def test_every_word_of_an_answer_is_there() -> None:
    found = ids()
    assert all(tool_word(tool) in found for tool in CATALOGUE)
    assert all(ttl_word(ttl) in found for ttl in TTLS_S)
    assert all(f"@{role.value}{n}" in found for role, cap in CAPS.items() for n in range(cap))
    for kind in CATALOGUE.values():
        for name, values in kind.spec.params.items():
            assert takes_slots(values) or all(f"{name}={v}" in found for v in values)


def test_words_are_kept_for_actions_to_come() -> None:
    assert RESERVED_TOOL_SLOTS >= 16
    assert sum(w.startswith("do:reserved") for w in words()) == RESERVED_TOOL_SLOTS


def test_no_word_means_anything_to_a_shell_or_a_template() -> None:
    assert [w for w in words() if not HARMLESS.fullmatch(w)] == []
    assert words()[: len(SPECIAL)] == SPECIAL


def test_the_digest_holds_every_word_and_its_place() -> None:
    turned = (*words()[:-2], words()[-1], words()[-2])
    assert len({digest(), digest(words()[:-1]), digest(turned), digest((*words(), "one:more"))}) == 4
    assert digest() == digest(words())


@pytest.mark.parametrize("part", range(4))
def test_prompts_are_made_of_it(all_requests: list[PolicyRequest], part: int) -> None:
    for request in all_requests[part::4]:
        assert set(encode(request).words) <= set(ids())
