"""The expert table's schema, and reading it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from secloop_ai.contracts import (
    RATES_BYTES_PER_S,
    AlertSummary,
    Frozen,
    ObserveReason,
    PolicyError,
    Port,
    Slug,
    Technique,
)

from .ends import End

Tool = Literal[
    "block_ip", "block_flow", "rate_limit", "isolate_host", "restrict_service", "blackhole_route", "shutdown_port",
    "secure_sshd", "harden_kernel", "close_port", "dns_sinkhole",
]  # fmt: skip
AT_AN_END = ("block_ip", "isolate_host", "blackhole_route", "shutdown_port")
BUILT_IN = Path(__file__).with_name("table.yaml")


class Move(Frozen):
    """One action of a response, on an end of the alert's flow.

    ``block_flow`` goes from the client to the server's port; ``rate_limit`` and ``restrict_service`` hold for the
    server's service; host actions are for the server's host, ``dns_sinkhole`` for the client's resolver; the others
    act `at` the end they name. `rate` is in bytes per second.
    """

    do: Tool
    at: End | None = None
    rate: int | None = None

    @model_validator(mode="after")
    def _complete(self) -> Move:
        if (self.at is not None) != (self.do in AT_AN_END):
            raise ValueError(f"{self.do} {'needs' if self.do in AT_AN_END else 'takes no'} 'at'")
        if (self.rate is not None) != (self.do == "rate_limit"):
            raise ValueError("'rate' goes with rate_limit, and only there")
        if self.rate is not None and self.rate not in RATES_BYTES_PER_S:
            raise ValueError(f"rate must be one of {', '.join(map(str, RATES_BYTES_PER_S))}")
        return self


class Features(Frozen):
    """What a summary must show; an empty list asks for nothing."""

    classifications: tuple[Slug, ...] = ()
    app_protocols: tuple[Slug, ...] = ()
    port_classes: tuple[Slug, ...] = ()

    @model_validator(mode="after")
    def _asks(self) -> Features:
        if not (self.classifications or self.app_protocols or self.port_classes):
            raise ValueError("asks for nothing: it would match every alert")
        return self

    def fit(self, summary: AlertSummary, port_classes: frozenset[str]) -> bool:
        """Whether a summary shows all of it."""
        return (
            (not self.classifications or summary.classification in self.classifications)
            and (not self.app_protocols or summary.app_protocol in self.app_protocols)
            and (not self.port_classes or not port_classes.isdisjoint(self.port_classes))
        )


class Quiet(Frozen):
    """Alerts that are no reason to act.

    Attributes:
        classifications: any of these; empty: whatever the classification.
        min_severity: only at this figure or above (4 is the least severe).
        max_count: only up to so many alerts.
        unless_technique: not where the sensor names an ATT&CK technique.
    """

    classifications: tuple[Slug, ...] = ()
    min_severity: int = Field(default=1, ge=1, le=4)
    max_count: int | None = Field(default=None, ge=1)
    unless_technique: bool = False
    reason: ObserveReason

    def fit(self, summary: AlertSummary) -> bool:
        """Whether the summary is one of them."""
        return (
            (not self.classifications or summary.classification in self.classifications)
            and summary.severity >= self.min_severity
            and (self.max_count is None or summary.count <= self.max_count)
            and not (self.unless_technique and summary.techniques)
        )


class Entry(Frozen):
    """What to do about one kind of attack.

    Attributes:
        techniques: ATT&CK ids; an id stands for its sub-techniques too, and the longest one that fits wins.
        features: without a technique, any of these.
        rows: responses, best first; the first that can be made is taken.
        also: what is done on hosts after it, each by itself where it can be made.
        otherwise: why nothing is done when none can.
        actor: the end that acts; nothing is done where that is one of us.
        forged: its sources are forged as a rule, so that a source which is one of us means nothing.
    """

    name: Slug
    why: Annotated[str, Field(min_length=1, max_length=300)]
    techniques: tuple[Technique, ...] = ()
    features: tuple[Features, ...] = ()
    ttl_s: Literal[300, 900, 3600, 14400, 86400] = 3600
    rows: tuple[Annotated[tuple[Move, ...], Field(min_length=1)], ...] = ()
    also: tuple[Move, ...] = ()
    otherwise: ObserveReason = ObserveReason.NO_SAFE_ACTION
    actor: Literal["client", "source"] = "client"
    forged: bool = False


class Table(Frozen):
    """The whole table."""

    version: Literal[1]
    port_classes: dict[Slug, tuple[Port, ...]]
    quiet: tuple[Quiet, ...]
    entries: Annotated[tuple[Entry, ...], Field(min_length=1)]
    default: Slug

    @model_validator(mode="after")
    def _hangs_together(self) -> Table:
        names = [e.name for e in self.entries]
        if twice := sorted({n for n in names if names.count(n) > 1}):
            raise ValueError(f"entry {twice[0]!r} stands twice")
        if self.default not in names:
            raise ValueError(f"default: no entry {self.default!r}")
        for entry in self.entries:
            unknown = {c for f in entry.features for c in f.port_classes} - set(self.port_classes)
            if unknown:
                raise ValueError(f"entry {entry.name!r}: port_classes: {min(unknown)!r} is not defined")
        return self

    def entry_for(self, summary: AlertSummary) -> Entry:
        """The entry for a summary: by technique, else by features, else the default."""
        best = max(
            ((len(t), e) for e in self.entries for t in e.techniques if _under(t, summary.techniques)),
            key=lambda found: found[0],
            default=None,
        )
        if best:
            return best[1]
        ports = frozenset(c for c, known in self.port_classes.items() if summary.destination_port in known)
        fits = (e for e in self.entries if any(f.fit(summary, ports) for f in e.features))
        return next(fits, None) or next(e for e in self.entries if e.name == self.default)

    def quiet_for(self, summary: AlertSummary) -> ObserveReason | None:
        """Why nothing is to be done about a summary, if so."""
        return next((q.reason for q in self.quiet if q.fit(summary)), None)


def _under(technique: str, seen: tuple[str, ...]) -> bool:
    return any(s == technique or s.startswith(technique + ".") for s in seen)


def load_table(path: Path = BUILT_IN) -> tuple[Table, str]:
    """The table of a file and the SHA-256 (hex) of its bytes.

    Raises:
        PolicyError: unreadable, not YAML, or against the schema; names file, entry and key.
    """
    try:
        content = path.read_bytes()
        raw = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except (OSError, yaml.YAMLError) as error:
        raise PolicyError(f"{path}: cannot be read: {' '.join(str(error).split())}") from None
    try:
        return Table.model_validate(raw), hashlib.sha256(content).hexdigest()
    except ValidationError as error:
        first = error.errors()[0]
        raise PolicyError(f"{path}: {_place(first['loc'], raw)}{first['msg'].removeprefix('Value error, ')}") from None


def _place(loc: tuple[int | str, ...], raw: Any) -> str:
    """Where it is wrong: the entry by its name, then the key."""
    keys = list(loc)
    head = ""
    if keys[:1] == ["entries"] and len(keys) > 1:
        entry = raw["entries"][keys[1]]
        name = entry.get("name") if isinstance(entry, dict) else None
        head = f"entry {name!r}: " if name else f"entry number {int(keys[1]) + 1}: "
        keys = keys[2:]
    return head + (".".join(map(str, keys)) + ": " if keys else "")
