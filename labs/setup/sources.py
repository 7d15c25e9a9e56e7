"""Reads apt's sources: which mirror a machine already uses, in both of apt's file formats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ETC = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
_ONE_LINE = re.compile(
    r"^\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s*(?P<components>[^#]*)"
)


class Source(NamedTuple):
    """One suite of one mirror; `signed_by` is empty where apt's own keyrings decide."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str = ""


def from_list(text: str) -> Iterator[Source]:
    """Sources of a one-line-style file (``sources.list``)."""
    for line in text.splitlines():
        found = _ONE_LINE.match(line)
        if found:
            options = dict(o.split("=", 1) for o in (found["options"] or "").split() if "=" in o)
            components = tuple(found["components"].split())
            yield Source(found["uri"], found["suite"], components, options.get("signed-by", ""))


def from_deb822(text: str) -> Iterator[Source]:
    """Sources of a deb822-style file (``*.sources``)."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in {"no", "false"}:
            continue
        signed_by = fields.get("signed-by", "")
        path = signed_by if signed_by.startswith("/") else ""  # a key spelled out in the file stays with its file
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield Source(uri, suite, tuple(fields.get("components", "").split()), path)


def _fields(stanza: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace() and name:
            found[name] += f" {line.strip()}"
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            found[name] = value.strip()
    return found


def configured(etc: Path = ETC) -> tuple[Source, ...]:
    """Every source that apt reads on this machine."""
    found: list[Source] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        if path.is_file():
            found.extend(from_list(path.read_text(encoding="utf-8", errors="replace")))
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        found.extend(from_deb822(path.read_text(encoding="utf-8", errors="replace")))
    return tuple(found)


def codename(os_release: Path = OS_RELEASE) -> str:
    """The release's code name (``bookworm``); empty where the file does not say."""
    try:
        text = os_release.read_text(encoding="utf-8")
    except OSError:
        return ""
    found = re.search(r'^VERSION_CODENAME="?([a-z]+)"?$', text, re.MULTILINE)
    return found[1] if found else ""


def backports(sources: Iterable[Source], release: str) -> Source | None:
    """The backports suite of `release` on the mirror that serves the release itself.

    None when it is configured already, or when no configured mirror serves the release.
    """
    known = tuple(sources)
    wanted = f"{release}-backports"
    if not release or any(s.suite == wanted for s in known):
        return None
    for source in known:
        if source.suite == release and "main" in source.components:
            return Source(source.uri, wanted, ("main",), source.signed_by)
    return None


def as_line(source: Source) -> str:
    """The source in one-line style."""
    options = f"[signed-by={source.signed_by}] " if source.signed_by else ""
    return f"deb {options}{source.uri} {source.suite} {' '.join(source.components)}\n"
