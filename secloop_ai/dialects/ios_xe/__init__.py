"""The ``ios_xe`` dialect: Cisco IOS-XE's native models, as of release 17.12.

What a device promises its hello says: running alone is writable unless the candidate datastore has been switched on,
and no release announces a confirmed commit.
"""

from __future__ import annotations

from secloop_ai.dialects.compose import TreeDialect

from .filters import Filters
from .links import Links
from .names import NEEDS, READ_FILTER
from .routes import Routes

__all__ = ["DIALECT"]

DIALECT = TreeDialect(
    name="ios_xe",
    tag_place=(
        "filters: the remark of each entry (sl-<mitigation>-<rank>-<number>), in an IPv6 list a remark entry before "
        "it; rate limits: the names of class map and access list too; discard routes: the name "
        "(secloop,<mitigation>,...); port state: no place on the device, tag and prior state are in the ledger only"
    ),
    filter_xml=READ_FILTER,
    sections=(Filters(), Links(), Routes()),
    needs=NEEDS,
)
