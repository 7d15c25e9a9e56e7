"""NETCONF message framing over a byte stream: end-of-message (RFC 4742) and chunked (RFC 6242)."""

from __future__ import annotations

import re

END_OF_MESSAGE = b"]]>]]>"
LIMIT_BYTES = 64 * 2**20
_CHUNK = re.compile(rb"\n#([1-9][0-9]{0,9})\n")
_END_OF_CHUNKS = b"\n##\n"
_LONGEST_HEADER = 13


class FramingError(Exception):
    """The peer broke the framing; the session has to end (RFC 6242 section 4.2)."""


def frame(message: bytes, *, chunked: bool) -> bytes:
    """The message as it goes over the wire."""
    if chunked:
        return b"\n#%d\n%b%b" % (len(message), message, _END_OF_CHUNKS)
    return message + END_OF_MESSAGE


class Decoder:
    """Cuts a stream into messages. Set `chunked` between two messages, once both hellos are known."""

    def __init__(self) -> None:
        self.chunked = False
        self._buffer = bytearray()
        self._message = bytearray()

    def feed(self, data: bytes) -> None:
        """Take in bytes from the wire.

        Raises:
            FramingError: more than `LIMIT_BYTES` wait for the end of a message.
        """
        self._buffer += data
        if len(self._buffer) + len(self._message) > LIMIT_BYTES:
            raise FramingError(f"a message of more than {LIMIT_BYTES} bytes")

    def take(self) -> bytes | None:
        """The next whole message, or None until more bytes arrive.

        Raises:
            FramingError: the bytes are no chunk.
        """
        return self._take_chunked() if self.chunked else self._take_plain()

    def _take_plain(self) -> bytes | None:
        end = self._buffer.find(END_OF_MESSAGE)
        if end < 0:
            return None
        message = bytes(self._buffer[:end])
        del self._buffer[: end + len(END_OF_MESSAGE)]
        return message

    def _take_chunked(self) -> bytes | None:
        while self._buffer:
            if self._message and self._buffer.startswith(_END_OF_CHUNKS):
                message = bytes(self._message)
                self._message.clear()
                del self._buffer[: len(_END_OF_CHUNKS)]
                return message
            if not self._take_chunk():
                return None
        return None

    def _take_chunk(self) -> bool:
        header = _CHUNK.match(self._buffer)
        if header is None:
            head = bytes(self._buffer[:_LONGEST_HEADER])
            if len(head) == _LONGEST_HEADER or not re.fullmatch(rb"\n?|\n#([1-9][0-9]{0,9}|#)?", head):
                raise FramingError(f"no chunk header: {head!r}")
            return False
        end = header.end() + int(header[1])
        if len(self._buffer) < end:
            return False
        self._message += self._buffer[header.end() : end]
        del self._buffer[:end]
        return True
