"""The ``junos`` dialect: firewall filters with policers, ``disable``, and static discard routes of Junos 24.4.

Edits are for the candidate: Junos checks references when it commits, so that the order within one edit is no matter of
what exists first.
"""

from __future__ import annotations

from functools import cache

from secloop_ai.dialects.compose import Section, TreeDialect
from secloop_ai.dialects.xml import Element

from .filters import Filters
from .links import Links
from .names import ATTRIBUTES, NEEDS, READ_FILTER, Names, names_for
from .routes import Routes

__all__ = ["DIALECT", "JunosDialect"]


class JunosDialect(TreeDialect):
    """A tree dialect that reads and writes whichever namespace the device answers in."""

    def sections_for(self, root: Element) -> tuple[Section, ...]:
        """The sections in this device's namespace."""
        return _sections(names_for(root))

    def _load(self, data: str) -> Element:
        root = super()._load(data)
        if ATTRIBUTES.strip("{") in data:
            for element in root.iter():
                for name in [a for a in element.attrib if str(a).startswith(ATTRIBUTES)]:
                    del element.attrib[name]
        return root


@cache
def _sections(names: Names) -> tuple[Section, ...]:
    return Filters(names), Links(names), Routes(names)


DIALECT = JunosDialect(
    name="junos",
    tag_place=(
        "filters: the name and counter of each term (sl-<mitigation>-<rank>-<number>); discard routes: the description "
        "(secloop <mitigation> ...); port state: no place on the device, tag and prior state are in the ledger only"
    ),
    filter_xml=READ_FILTER,
    sections=(),
    needs=NEEDS,
)
