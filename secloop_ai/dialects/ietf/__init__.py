"""The ``ietf`` dialect: RFC 8519 ACLs, RFC 8343 interfaces, RFC 8349 static routes, and a rate limit of our own."""

from __future__ import annotations

from secloop_ai.dialects.compose import TreeDialect

from .filters import Filters
from .links import Links
from .names import NEEDS, READ_FILTER
from .routes import Routes
from .rules import acl_to_xml

__all__ = ["DIALECT", "acl_to_xml"]

DIALECT = TreeDialect(
    name="ietf",
    tag_place=(
        "filters: the name of each entry (sl-<mitigation>-<rank>-<number>); discard routes: the description "
        "(secloop <mitigation> ...); port state: no place on the device, tag and prior state are in the ledger only"
    ),
    filter_xml=READ_FILTER,
    sections=(Filters(), Links(), Routes()),
    needs=NEEDS,
)
