"""Packet filters whose entries carry sequence numbers, whatever the vendor: one engine, a small adapter for each.

The engine (:class:`NumberedFilters`, a section of a dialect) decides where our entries go, which numbers they get,
what is removed, and what the neutral model says. An adapter (a subclass of :class:`Adapter`) knows nothing of that: it
finds, reads and writes ACLs, entries and attachments in one vendor's XML. To write a dialect:

1. ``names.py``: tags in Clark notation, tables (``Node``), the read filter, and what the hello must offer, as data.
   Give the list of entries ``Node(ENTRY, keys=(NUMBER,), children=(Node(NUMBER),), whole=True)``: an entry is replaced
   as one. The ACL around it and the interface that is attached to are ``shared=True`` lists, so that a careful undo
   (``tidy=False``) deletes no more than our entries and our attachment.
2. ``filters.py``: ``class MyAdapter(Adapter)``. All methods get the ``<data>`` element and work on it in place. Read
   the docstrings of :class:`Adapter`; ``openconfig/filters.py`` is the example to copy. What matters:

   - *Numbers*: ``numbers`` (the range the YANG allows), ``rest`` (a high one: our closing permit), ``step``, and
     ``span``: how many an entry of ours uses up. Where a tag has no place in the entry itself and goes into a remark
     before it (IOS-XE), ``span`` is 2: ``write`` gets the lower number for the remark and puts the rule at ``number +
     1``; ``entries`` gives the two back as ONE :class:`Entry` whose ``number`` is the remark's and whose ``elements``
     are both. Remarks of others are entries that mean no rules.
   - *Tags*: ``write`` is handed a ``label`` and stores it verbatim; ``entries`` returns it as ``Entry.label``. Labels
     of ours are those :func:`secloop_ai.dialects.marks.mark_of` understands and the two ``RESTS``; any other text may
     be returned as it is.
   - *Families*: an ACL looks at one family, 4 or 6; one that looks at something else (MAC, mixed) gets None: it is
     noted and left alone. Same names in both families are fine: the model then calls them ``name/v4``, ``name/v6``.
   - *What nothing matches*: ``unmatched(acl, entries)`` says what the device does with a packet that none of THESE
     entries matches (IOS-XE: permit when there is none, else drop; SR OS: the filter's default-action). From it the
     engine adds the implicit deny to the model, and our explicit permit where our entries would change it.
   - *Several filters at one place*: ``chained = True`` where the vendor evaluates them in order and falls through;
     then ours go in front instead of failing. Only with permit as the default.
   - *Something beside the entry* (a policer, a prefix list): make it in ``write``, delete it in ``erase`` when no other
     entry uses it, resolve it in ``meaning``, name it in ``extras`` for the digests, and put its table in ``tables``.
     Where a rate limit is no part of an ACL at all (IOS-XE), return False from ``takes`` for such operations and do
     them in a section of your own.
   - *Reading*: collect an entry's conditions in a :class:`Found`, unreadable ones in ``found.unread``, and return
     ``found.meaning(name)``: it never lets a packet pass in the model that the device might stop.

3. ``__init__.py``: ``DIALECT = TreeDialect(..., sections=(NumberedFilters(MyAdapter()), Links(), Routes()))``.
4. Tests: a generator of foreign configurations for ``tests/dialects/properties.py``, golden files for
   ``tests/dialects/golden_files.py``.
"""

from __future__ import annotations

from .adapter import IMPLICIT_DENY, RESTS, Acl, Adapter, Attached, Entry, Place
from .engine import NumberedFilters
from .found import Found, Meaning

__all__ = [
    "IMPLICIT_DENY",
    "RESTS",
    "Acl",
    "Adapter",
    "Attached",
    "Entry",
    "Found",
    "Meaning",
    "NumberedFilters",
    "Place",
]
