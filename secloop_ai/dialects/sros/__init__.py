"""The ``sros`` dialect: Nokia SR OS's model-driven configuration; the worked example of ``docs/dialects.md``."""

from __future__ import annotations

from secloop_ai.dialects.admin_state import AdminStates
from secloop_ai.dialects.compose import TreeDialect
from secloop_ai.dialects.numbered import NumberedFilters

from . import names as n
from .filters import Filters, interfaces
from .routes import Routes

__all__ = ["DIALECT"]

DIALECT = TreeDialect(
    name="sros",
    tag_place=(
        "filters: the description of each entry (sl-<mitigation>-<rank>-<number>); discard routes: the description "
        "(secloop <mitigation> ...); port state: no place on the device, tag and prior state are in the ledger only"
    ),
    filter_xml=n.READ_FILTER,
    sections=(
        NumberedFilters(Filters()),
        AdminStates(
            interfaces, n.STATE, "/configure/router[router-name='Base']/interface[interface-name='{}']", (n.TABLE,)
        ),
        Routes(),
    ),
    needs=n.NEEDS,
)
