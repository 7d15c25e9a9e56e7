from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from secloop_ai.contracts import Direction
from secloop_ai.dialects.marks import Mark, is_own_acl, mark_of, own_acl, tags_in, text_with

tags = st.from_regex(r"[0-9a-f]{10}-[0-9]{1,2}", fullmatch=True)


@given(st.integers(0, 9), tags, st.integers(0, 9999))
def test_a_mark_survives_its_name(rank: int, tag: str, number: int) -> None:
    mark = Mark(rank, tag, number)
    assert mark_of(str(mark)) == mark
    assert len(str(mark)) <= 64


@given(st.text(max_size=30))
def test_other_names_carry_no_mark(name: str) -> None:
    assert mark_of(name) is None
    assert mark_of(f"x{Mark(0, '3fa2b1c4d5-0', 1)}") is None


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}", fullmatch=True), st.sampled_from(Direction))
def test_an_own_acl_fits_its_name_and_is_known_again(interface: str, direction: Direction) -> None:
    name = own_acl(interface, direction, 6)
    assert len(name) <= 64
    assert is_own_acl(name)
    assert name != own_acl(interface, direction, 4)


def test_long_interface_names_with_one_beginning_get_acls_of_their_own() -> None:
    one, two = ("x" * 60 + end for end in "ab")
    assert own_acl(one, Direction.INGRESS, 4) != own_acl(two, Direction.INGRESS, 4)
    assert own_acl("ge0", Direction.INGRESS, 4) == "secloop-ge0-in-v4"


@given(st.lists(tags, min_size=1, max_size=4))
def test_tags_survive_a_free_text(held: list[str]) -> None:
    assert tags_in(text_with(held)) == tuple(held)


def test_free_text_of_others_carries_no_tag() -> None:
    assert tags_in(None) == ()
    assert tags_in("secloop") == ()
    assert tags_in("see secloop 3fa2b1c4d5-0") == ()
