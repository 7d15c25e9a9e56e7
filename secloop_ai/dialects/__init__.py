"""Vendor dialects: pure render and parse, one folder each.

``dialect("ietf")`` gives the :class:`secloop_ai.contracts.ports.Dialect` of that name; a folder in here that is a
package with a ``DIALECT`` is one more. :func:`traffic_diff` and :func:`document_diff` compare what two states do and
say, whatever the dialect.
"""

from __future__ import annotations

from .diff import document_diff, traffic_diff
from .registry import dialect, known

__all__ = ["dialect", "document_diff", "known", "traffic_diff"]
