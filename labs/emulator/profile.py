"""How a vendor's NETCONF server behaves, from `profiles/DIALECT.yaml`; one without a file keeps to RFC 6241."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import ValidationError

from secloop_ai.contracts.base import Frozen

from .features import DEFAULT_CAPABILITIES

PROFILES = Path(__file__).parent / "profiles"


class Quirks(Frozen):
    """Departures from RFC 6241.

    Attributes:
        lock_while_pending: whether other sessions may lock the candidate while a confirmed commit is pending.
        any_commit_confirms: any session's plain `<commit/>` confirms a pending commit that has no persist token.
        junos_spellings: edits may use Junos's own attributes and namespaces, commits its `<commit-configuration>`.
    """

    lock_while_pending: bool = True
    any_commit_confirms: bool = False
    junos_spellings: bool = False


class ErrorShape(Frozen):
    """What the vendor's rpc-errors look like.

    Attributes:
        path: the error-path as an instance path (`xpath`) or as a configuration banner (`edit`).
        padded: line breaks stand around the texts.
        info: XML that stands in every error-info.
    """

    path: Literal["xpath", "edit"] = "xpath"
    padded: bool = False
    info: str = ""


class ReplyShape(Frozen):
    """What the vendor's replies look like.

    Attributes:
        prefixed: data stand under their modules' prefixes, not under default namespaces.
        bindings: namespaces by prefix that every `<rpc-reply>` declares.
        stamps: attributes of every top-level element that tell when the configuration changed last, in UNIX seconds.
    """

    prefixed: bool = False
    bindings: Mapping[str, str] = {}
    stamps: tuple[str, ...] = ()


class Variant(Frozen):
    """Another way the same vendor's server is set up."""

    capabilities: tuple[str, ...]


class Profile(Frozen):
    """One vendor's server.

    Attributes:
        capabilities: protocol capabilities of its hello, URIs or short forms.
        announces: capabilities that only stand in the hello; nothing here acts on them.
        variants: other sets of capabilities by name.
        ports: role of the embedded network's port (`outside`, `access`, ...) to the name of the interface; no
            `management` where that port is not in the configuration.
        yang: the vendor's folder among YANG modules; empty is the dialect's own name.
    """

    capabilities: tuple[str, ...] = DEFAULT_CAPABILITIES
    announces: tuple[str, ...] = ()
    variants: Mapping[str, Variant] = {}
    ports: Mapping[str, str] = {}
    yang: str = ""
    quirks: Quirks = Quirks()
    errors: ErrorShape = ErrorShape()
    reply: ReplyShape = ReplyShape()

    def offered(self, variant: str | None) -> tuple[str, ...]:
        """The protocol capabilities of a variant; None is the usual set.

        Raises:
            ValueError: there is no such variant.
        """
        if variant is None:
            return self.capabilities
        if variant not in self.variants:
            known = ", ".join(self.variants) or "none"
            raise ValueError(f"no such variant: {variant!r} (there are: {known})")
        return self.variants[variant].capabilities


@cache
def load_profile(dialect: str) -> Profile:
    """The profile of a dialect.

    Raises:
        ValueError: its file is wrong.
    """
    path = PROFILES / f"{dialect}.yaml"
    if not path.is_file():
        return Profile()
    try:
        return Profile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    except (ValidationError, yaml.YAMLError) as error:
        raise ValueError(f"{path.name}: {error}") from error
