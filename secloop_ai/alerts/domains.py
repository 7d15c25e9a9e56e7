"""The names an alert's traffic asks for or names: DNS questions, the server name of TLS, the host of HTTP.

The attacker wrote them, so they count only where they parse as a name, letter for letter. A leading label of many
characters is data and no host's name (a tunnel puts its freight there): it is left out, so that what remains is the
name such a channel stands or falls with.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import msgspec

from .wire import EventWire

MOST = 4
"""Names read of one event."""
FREIGHT = 24
"""Characters from which on a leading label is taken for data (our choice: host names are shorter, as a rule)."""
SHARED = 3
"""A second-level label of so few characters may be a registry's (``co.uk``): such a parent is nobody's own."""

_LONGEST = 253
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII)
_LEAST_LABELS = 2


class _Record(msgspec.Struct, gc=False):
    rrname: str = ""


class _Dns(msgspec.Struct, gc=False):
    """Suricata 5 to 7 write `query`, 8 `queries`; some events have the name itself."""

    query: list[_Record] = []
    queries: list[_Record] = []
    rrname: str = ""


class _Tls(msgspec.Struct, gc=False):
    sni: str = ""


class _Http(msgspec.Struct, gc=False):
    hostname: str = ""


_DNS: msgspec.json.Decoder[_Dns] = msgspec.json.Decoder(_Dns)
_TLS: msgspec.json.Decoder[_Tls] = msgspec.json.Decoder(_Tls)
_HTTP: msgspec.json.Decoder[_Http] = msgspec.json.Decoder(_Http)
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def domains_of(event: EventWire) -> tuple[str, ...]:
    """The names of an event, at most `MOST`; a member of another form than Suricata's has none."""
    if not (event.dns or event.tls or event.http):
        return ()
    found = (domain(text) for text in _texts(event)[:MOST])
    return tuple(dict.fromkeys(name for name in found if name))


@lru_cache(maxsize=1024)
def domain(text: str) -> str | None:
    """The name that a text is, in lower case and without freight; None for everything else."""
    name = text.lower().removesuffix(".")
    if len(name) > _LONGEST or not _DOMAIN.fullmatch(name):
        return None
    labels = name.split(".")
    while len(labels[0]) >= FREIGHT and len(labels) > _LEAST_LABELS + (len(labels[-2]) <= SHARED):
        del labels[0]
    return ".".join(labels)


def _texts(event: EventWire) -> list[str]:
    found = [*_dns(event.dns), *_one(event.tls, _TLS, "sni"), *_one(event.http, _HTTP, "hostname")]
    return [text for text in found if text]


def _dns(raw: msgspec.Raw) -> list[str]:
    try:
        dns = _DNS.decode(raw) if raw else _Dns()
    except _UNREADABLE:
        return []
    return [dns.rrname, *(r.rrname for r in (*dns.query, *dns.queries))]


def _one(raw: msgspec.Raw, decoder: msgspec.json.Decoder[Any], field: str) -> list[str]:
    try:
        return [getattr(decoder.decode(raw), field)] if raw else []
    except _UNREADABLE:
        return []
