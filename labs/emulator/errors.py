"""The rpc-error (RFC 6241 section 4.3) as an exception and as XML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from .names import BASE
from .profile import ErrorShape

ERROR_TAGS = frozenset(
    {
        "in-use",
        "invalid-value",
        "too-big",
        "missing-attribute",
        "bad-attribute",
        "unknown-attribute",
        "missing-element",
        "bad-element",
        "unknown-element",
        "unknown-namespace",
        "access-denied",
        "lock-denied",
        "resource-denied",
        "rollback-failed",
        "data-exists",
        "data-missing",
        "operation-not-supported",
        "operation-failed",
        "malformed-message",
    }
)
RFC_SHAPE = ErrorShape()
_PREDICATES = re.compile(r"\[.*\]")
_PREFIX = re.compile(r"[/\[]([A-Za-z_][\w.-]*):")


class RpcError(Exception):
    """What the device answers instead of doing what was asked.

    Attributes:
        tag: one of `ERROR_TAGS`.
        kind: the error-type: `transport`, `rpc`, `protocol` or `application`.
        app_tag: the error-app-tag of RFC 7950 section 15, or empty.
        severity: `error`, or `warning` beside an `<ok/>`.
        info: name to value of what goes into error-info.
        steps: the instance path, outermost first; filled while the exception climbs out of the tree.
    """

    def __init__(
        self,
        tag: str,
        message: str,
        *,
        kind: str = "application",
        app_tag: str = "",
        info: Mapping[str, str] | None = None,
        severity: str = "error",
    ) -> None:
        super().__init__(message)
        self.tag = tag
        self.message = message
        self.kind = kind
        self.app_tag = app_tag
        self.info = dict(info or {})
        self.severity = severity
        self.steps: list[str] = []

    def within(self, step: str) -> RpcError:
        """The same error, seen from one level further out; returns itself."""
        self.steps.insert(0, step)
        return self

    @property
    def path(self) -> str:
        """The error-path, or empty."""
        return "/" + "/".join(self.steps) if self.steps else ""

    def to_xml(self, prefixes: Mapping[str, str], shape: ErrorShape = RFC_SHAPE) -> str:
        """The `<rpc-error>` element as the vendor shapes it; `prefixes` binds those that the path uses."""
        parts = [
            f"<error-type>{self.kind}</error-type>",
            f"<error-tag>{self.tag}</error-tag>",
            f"<error-severity>{self.severity}</error-severity>",
        ]
        if self.app_tag:
            parts.append(f"<error-app-tag>{escape(self.app_tag)}</error-app-tag>")
        if self.steps:
            parts.append(self._path_xml(prefixes, shape))
        pad = "\n" if shape.padded else ""
        parts.append(f'<error-message xml:lang="en">{pad}{escape(self.message)}{pad}</error-message>')
        inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in self.info.items()) + shape.info
        if inside:
            parts.append(f"<error-info>{inside}</error-info>")
        return f'<rpc-error xmlns="{BASE}">{"".join(parts)}</rpc-error>'

    def _path_xml(self, prefixes: Mapping[str, str], shape: ErrorShape) -> str:
        if shape.path == "edit":
            words = " ".join(_PREDICATES.sub("", step).rpartition(":")[2] for step in self.steps[:-1])
            return f"<error-path>\n[edit {escape(words)}]\n</error-path>"
        used = sorted(set(_PREFIX.findall(self.path)) & set(prefixes))
        bound = "".join(f" xmlns:{p}={quoteattr(prefixes[p])}" for p in used)
        return f"<error-path{bound}>{escape(self.path)}</error-path>"


def not_supported(name: str, why: str) -> RpcError:
    """`operation-not-supported` for the element `name`."""
    return RpcError("operation-not-supported", why, kind="protocol", info={"bad-element": name})


def invalid(name: str, why: str) -> RpcError:
    """`invalid-value` for the parameter `name`."""
    return RpcError("invalid-value", why, kind="protocol", info={"bad-element": name})
