"""What a device's capability list lets a client do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .names import BASE_CAPABILITY, CAPABILITY

DEFAULT_CAPABILITIES = (
    ":base:1.0",
    ":base:1.1",
    ":candidate:1.0",
    ":confirmed-commit:1.1",
    ":validate:1.1",
    ":rollback-on-error:1.0",
)


def expand(capability: str) -> str:
    """A full URI from the usual short form; `:candidate` means `:candidate:1.0`. A URI is left as it is."""
    if not capability.startswith(":"):
        return capability
    name, _, version = capability[1:].partition(":")
    if name == "base":
        return f"{BASE_CAPABILITY}{version or '1.0'}"
    return f"{CAPABILITY}{name}:{version or '1.0'}"


@dataclass(frozen=True, slots=True)
class Features:
    """The optional behaviour of RFC 6241 section 8 that is switched on."""

    base_1_0: bool
    base_1_1: bool
    candidate: bool
    writable_running: bool
    confirmed_commit: bool
    persist: bool
    validate: bool
    rollback_on_error: bool

    @property
    def datastores(self) -> tuple[str, ...]:
        """The datastores that exist."""
        return ("running", "candidate") if self.candidate else ("running",)


def features_of(capabilities: Iterable[str]) -> Features:
    """Read the features off capability URIs.

    Raises:
        ValueError: neither base:1.0 nor base:1.1 is there.
    """
    uris = set(capabilities)

    def has(name: str, *versions: str) -> bool:
        return any(f"{CAPABILITY}{name}:{version}" in uris for version in versions)

    found = Features(
        base_1_0=f"{BASE_CAPABILITY}1.0" in uris,
        base_1_1=f"{BASE_CAPABILITY}1.1" in uris,
        candidate=has("candidate", "1.0"),
        writable_running=has("writable-running", "1.0"),
        confirmed_commit=has("confirmed-commit", "1.0", "1.1"),
        persist=has("confirmed-commit", "1.1"),
        validate=has("validate", "1.0", "1.1"),
        rollback_on_error=has("rollback-on-error", "1.0"),
    )
    if not (found.base_1_0 or found.base_1_1):
        raise ValueError("a NETCONF device needs :base:1.0 or :base:1.1")
    return found
