from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.framing import Decoder, FramingError, frame

messages = st.lists(st.binary(min_size=1, max_size=60).filter(lambda m: b"]" not in m), max_size=5)


def decoded(data: bytes, *, chunked: bool, step: int) -> list[bytes]:
    decoder = Decoder()
    decoder.chunked = chunked
    found = []
    for start in range(0, len(data), step):
        decoder.feed(data[start : start + step])
        while (message := decoder.take()) is not None:
            found.append(message)
    return found


@given(messages, st.booleans(), st.integers(1, 50))
def test_what_was_framed_comes_out_whatever_the_pieces(sent: list[bytes], chunked: bool, step: int) -> None:
    wire = b"".join(frame(message, chunked=chunked) for message in sent)
    assert decoded(wire, chunked=chunked, step=step) == sent


def test_a_message_in_several_chunks() -> None:
    assert decoded(b"\n#4\n<rpc\n#1\n \n#3\n/>\n\n##\n", chunked=True, step=2) == [b"<rpc />\n"]


@pytest.mark.parametrize("wire", [b"<rpc/>", b"\n#0\nx", b"\n#x\n", b"\n##\n", b"\n#99999999999\n", b"\n#4"])
def test_bad_chunks_end_the_session(wire: bytes) -> None:
    decoder = Decoder()
    decoder.chunked = True
    decoder.feed(wire + b"<rpc/>" * 3)
    with pytest.raises(FramingError, match="chunk"):
        decoder.take()


def test_half_a_header_waits() -> None:
    decoder = Decoder()
    decoder.chunked = True
    decoder.feed(b"\n#1")
    assert decoder.take() is None


def test_a_message_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labs.framing.LIMIT_BYTES", 100)
    with pytest.raises(FramingError, match="100 bytes"):
        Decoder().feed(b"x" * 101)
