"""ATT&CK technique ids out of a rule's metadata and references, in the shapes that rule writers use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

MAX_TECHNIQUES = 16
_CACHED_BYTES = 4096

_ID = re.compile(r"(?<![A-Za-z0-9])T(\d{4})(?:[./_](\d{3}))?(?!\d)", re.ASCII | re.IGNORECASE)
_TELLING = ("mitre", "attack_id", "att&ck", "technique")


def techniques_of(metadata: bytes, references: bytes = b"") -> tuple[str, ...]:
    """Technique ids (``T1110.001``), each once, in order of appearance, at most :data:`MAX_TECHNIQUES`.

    Metadata counts where the key speaks of MITRE or techniques, references where the text does; a value may be a
    string, a list, or several ids in one string.
    """
    if not metadata and not references:
        return ()
    find = _find if len(metadata) + len(references) > _CACHED_BYTES else _find_cached
    return find(metadata, references)


def _find(metadata: bytes, references: bytes) -> tuple[str, ...]:
    """Without the cache: something so long is not a rule's usual metadata and must not stay in memory."""
    found: dict[str, None] = {}
    for text in (*_telling_values(_loaded(metadata)), *_telling_texts(_loaded(references))):
        for match in _ID.finditer(text):
            found[f"T{match[1]}.{match[2]}" if match[2] else f"T{match[1]}"] = None
    return tuple(found)[:MAX_TECHNIQUES]


_find_cached = lru_cache(maxsize=1024)(_find)


def _loaded(raw: bytes) -> Any:
    """The JSON value, or None when it is none."""
    try:
        return msgspec.json.decode(raw) if raw else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _telling_values(metadata: Any) -> Iterator[str]:
    """Texts under keys that speak of techniques."""
    if isinstance(metadata, dict):
        for key, value in metadata.items():
            if any(word in key.lower() for word in _TELLING):
                yield from _texts(value)


def _telling_texts(references: Any) -> Iterator[str]:
    """References that point to ATT&CK."""
    return (text for text in _texts(references) if "attack.mitre.org" in text.lower())


def _texts(value: Any) -> Iterator[str]:
    """Every string in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
