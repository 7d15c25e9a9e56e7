"""The parts of NETCONF messages that we build or read ourselves: pure, so that each can be printed without a device."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import parse_qs

from lxml import etree

BASE = "urn:ietf:params:xml:ns:netconf:base:1.0"
CAPABILITY = "urn:ietf:params:netconf:capability:"
MESSAGE_LIMIT = 400
_CONTROL = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


class RpcErrorLike(Protocol):
    """What we read of one rpc-error (RFC 6241 section 4.3)."""

    severity: str | None
    tag: str | None
    message: str | None
    app_tag: str | None
    path: str | None


def uri(name: str) -> str:
    """The capability URI of a short name such as ``confirmed-commit:1.1``."""
    return name if ":params:" in name else CAPABILITY + name.removeprefix(":")


def has(capabilities: Iterable[str], name: str) -> bool:
    """Whether a hello's capabilities hold `name`; without a version in `name`, any version will do."""
    wanted = uri(name)
    plain = {c.partition("?")[0] for c in capabilities}
    return wanted in plain or any(c.startswith(wanted + ":") for c in plain)


def missing(capabilities: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` that the capabilities lack."""
    known = tuple(capabilities)
    return tuple(n for n in names if not has(known, n))


def defaults_mode(capabilities: Iterable[str]) -> str | None:
    """``explicit``, where a device that fills in defaults announces that it can leave them out (RFC 6243)."""
    for capability in capabilities:
        plain, _, query = capability.partition("?")
        if plain == uri("with-defaults:1.0"):
            given = parse_qs(query)
            basic = given.get("basic-mode", [""])[0]
            also = given.get("also-supported", [""])[0].split(",")
            return "explicit" if basic != "explicit" and "explicit" in also else None
    return None


_PARSER = etree.XMLParser(resolve_entities=False, huge_tree=True)


def subtree_filter(children: str) -> etree._Element:
    """``<filter type="subtree">`` around the given children."""
    return _wrap("filter", children, ' type="subtree"')


def config(body: str) -> etree._Element:
    """``<config>`` around an edit."""
    return _wrap("config", body, "")


def _wrap(tag: str, body: str, attributes: str) -> etree._Element:
    # A prefix, not a default namespace: children that name none must not be drawn into NETCONF's own.
    text = f'<nc:{tag} xmlns:nc="{BASE}"{attributes}>{body}</nc:{tag}>'
    return etree.fromstring(text.encode(), _PARSER)


def first_error(errors: Sequence[RpcErrorLike]) -> tuple[str, str] | None:
    """The error-tag of the first real error and one line for a person; None where there are only warnings."""
    real = [e for e in errors if (e.severity or "error").strip() != "warning"]
    if not real:
        return None
    return (real[0].tag or "").strip(), "; ".join(describe(e) for e in real)[:MESSAGE_LIMIT]


def describe(error: RpcErrorLike) -> str:
    """One line for a person, without control characters: the text comes from the device."""
    text = error.message or error.app_tag or error.tag or "the device gave no reason"
    where = f" (at {error.path.strip()})" if error.path and error.path.strip() else ""
    return one_line(text + where)


def one_line(text: str) -> str:
    """The text on one line, whitespace and control characters folded, of bounded length."""
    return _CONTROL.sub(" ", text).strip()[:MESSAGE_LIMIT]
