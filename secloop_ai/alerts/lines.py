"""Lines of an alert file, plain or gzip, in bounded memory."""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from secloop_ai.contracts import AlertFileError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE_BYTES = 4 * 1024 * 1024
"""A longer line is refused: it is read past in pieces and never held."""

BUFFER_BYTES = 1024 * 1024
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


def read_lines(path: Path | str) -> Iterator[bytes | str]:
    """Every line of a file: its bytes, or a ``str`` that says why it cannot be used.

    Gzip is told by its magic bytes, not by the name. Where gzip data is damaged, every line before the damage is kept,
    the damage counts as one unusable line and reading ends there.

    Raises:
        AlertFileError: missing, not permitted, neither a regular file nor a pipe, a read error, or gzip data that
            is damaged before its first whole line.
    """
    try:
        with _opened(path) as (stream, unpacked):
            seen = False
            for line in _split(stream):
                if unpacked is not None and unpacked.damaged and isinstance(line, bytes) and not line.endswith(b"\n"):
                    break
                yield line.removeprefix(_BOM) if not seen and isinstance(line, bytes) else line
                seen = True
            if unpacked is not None and unpacked.damaged:
                if not seen:
                    raise AlertFileError(f"{path}: the gzip data is damaged from its start")
                yield "the gzip data is damaged or cut off here; the rest of the file is lost"
    except OSError as error:
        raise AlertFileError(f"{path}: {error.strerror or 'read error'}") from None


class _Unpacked(io.RawIOBase):
    """Gzip data unpacked up to its end or its damage, whichever comes first; no byte before it is lost.

    Attributes:
        damaged: the end was not the end.
    """

    def __init__(self, packed: BinaryIO) -> None:
        self._gzip = gzip.GzipFile(fileobj=packed)
        self.damaged = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer, at least in part; 0 at the end."""
        view = memoryview(buffer).cast("B")
        try:
            data = self._gzip.read1(len(view))
        except (gzip.BadGzipFile, EOFError, zlib.error):
            self.damaged = True
            return 0
        view[: len(data)] = data
        return len(data)


@contextmanager
def _opened(path: Path | str) -> Iterator[tuple[BinaryIO, _Unpacked | None]]:
    """The file as a stream of plain bytes, and the unpacker where there is one."""
    _refuse_special(path)
    with io.BufferedReader(io.FileIO(path), BUFFER_BYTES) as raw:
        if raw.peek(2).startswith(_GZIP_MAGIC):
            unpacked = _Unpacked(raw)
            yield io.BufferedReader(unpacked, BUFFER_BYTES), unpacked
        else:
            yield raw, None


def _refuse_special(path: Path | str) -> None:
    """Only regular files and pipes: a device may never end."""
    try:
        mode = Path(path).stat().st_mode
    except ValueError:
        raise AlertFileError(f"{str(path)!r}: not a path") from None
    if stat.S_ISDIR(mode):
        raise AlertFileError(f"{path}: is a directory, not an alert file")
    if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
        raise AlertFileError(f"{path}: neither a file nor a pipe")


def _split(stream: BinaryIO) -> Iterator[bytes | str]:
    """Lines, none longer than :data:`MAX_LINE_BYTES`."""
    read = stream.readline
    while line := read(MAX_LINE_BYTES + 1):
        if len(line) <= MAX_LINE_BYTES or line.endswith(b"\n"):
            yield line
            continue
        while (rest := read(BUFFER_BYTES)) and not rest.endswith(b"\n"):
            pass
        yield f"longer than {MAX_LINE_BYTES} bytes"
