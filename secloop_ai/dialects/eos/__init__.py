"""The ``eos`` dialect: OpenConfig as Arista EOS deviates from it.

An entry accepts or drops, never rejects; addresses may carry a mask instead of a length; sequence ids start at 1; the
default network instance is called ``default`` and has one instance of the static protocol, ``STATIC``; a static route
has no description, so that its mark stands in the index of its next hop, which means nothing else.
"""

from __future__ import annotations

from secloop_ai.dialects.compose import TreeDialect
from secloop_ai.dialects.numbered import NumberedFilters
from secloop_ai.dialects.openconfig.filters import OpenConfigAcls
from secloop_ai.dialects.openconfig.links import Links
from secloop_ai.dialects.openconfig.routes import Routes

from .names import ABSENT, ACTIONS, NEEDS, READ_FILTER

__all__ = ["DIALECT"]

DIALECT = TreeDialect(
    name="eos",
    tag_place=(
        "filters: the description of each entry (sl-<mitigation>-<rank>-<number>); discard routes: the index of the "
        "next hop (secloop <mitigation> ...); port state: no place on the device, tag and prior state are in the "
        "ledger only"
    ),
    filter_xml=READ_FILTER,
    sections=(NumberedFilters(OpenConfigAcls(actions=ACTIONS)), Links(), Routes(tag_in_index=True)),
    needs=NEEDS,
    absent=ABSENT,
)
