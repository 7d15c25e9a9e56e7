"""The ``srlinux`` dialect: Nokia SR Linux's own models, as of release 25.3 (``acl-filter`` by name and type)."""

from __future__ import annotations

from secloop_ai.dialects.compose import TreeDialect
from secloop_ai.dialects.numbered import NumberedFilters

from .filters import Filters
from .links import LINKS
from .names import NEEDS, READ_FILTER
from .routes import Routes

__all__ = ["DIALECT"]

DIALECT = TreeDialect(
    name="srlinux",
    tag_place=(
        "filters: the description of each entry (sl-<mitigation>-<rank>-<number>); discard routes: the name of their "
        "next-hop group (secloop <mitigation> ...); port state: no place on the device, tag and prior state are in the "
        "ledger only"
    ),
    filter_xml=READ_FILTER,
    sections=(NumberedFilters(Filters()), LINKS, Routes()),
    needs=NEEDS,
)
