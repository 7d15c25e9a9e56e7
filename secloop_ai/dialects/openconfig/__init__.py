"""The ``openconfig`` dialect: its ACLs, interfaces, and static routes of network instances."""

from __future__ import annotations

from secloop_ai.dialects.compose import TreeDialect
from secloop_ai.dialects.numbered import NumberedFilters

from .filters import OpenConfigAcls
from .links import Links
from .names import ABSENT, NEEDS, READ_FILTER
from .routes import Routes

__all__ = ["DIALECT"]

DIALECT = TreeDialect(
    name="openconfig",
    tag_place=(
        "filters: the description of each entry (sl-<mitigation>-<rank>-<number>); discard routes: the description "
        "(secloop <mitigation> ...); port state: no place on the device, tag and prior state are in the ledger only"
    ),
    filter_xml=READ_FILTER,
    sections=(NumberedFilters(OpenConfigAcls()), Links(), Routes()),
    needs=NEEDS,
    absent=ABSENT,
)
