"""What a split is, as a number: committed before anything is trained, recomputed by a test."""

from __future__ import annotations

import json
from pathlib import Path

from labs.scenario import Scenario, Split, Suite
from secloop_ai.contracts import sha256_json

from .load import HERE, SuiteError, load_suite

DIGESTS = HERE / "digests.json"
Digests = dict[str, dict[str, str]]
"""Suite → split → SHA-256 (hex)."""


def digests(root: Path = HERE) -> Digests:
    """The digests of the files as they are now.

    Raises:
        SuiteError: a file that cannot be used.
    """
    return {s.value: {p.value: _digest(load_suite(s, root), p) for p in Split} for s in Suite}


def committed(path: Path = DIGESTS) -> Digests:
    """The digests as they were committed.

    Raises:
        SuiteError: the file cannot be read.
    """
    try:
        found: Digests = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SuiteError(f"{path}: {error}") from None
    return found


def write(path: Path = DIGESTS) -> None:
    """Write the digests of the files as they are now. Results of before and after do not compare."""
    path.write_text(json.dumps(digests(), indent=2) + "\n", encoding="utf-8")


def _digest(scenarios: tuple[Scenario, ...], split: Split) -> str:
    """Over what the scenarios say, each with its network in it; a default that is spelled out changes nothing."""
    content = [s.model_dump(mode="json", exclude_defaults=True) for s in scenarios if s.split is split]
    return sha256_json(content)
