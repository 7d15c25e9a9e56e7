"""Hit counters out of the text of show commands. Pure: text in, counters out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from io import StringIO
from typing import Any, NamedTuple

from secloop_ai.contracts import Family, InputError

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,254}")
"""What may stand in a command: nothing a command line would read as more than a name."""


class Hits(NamedTuple):
    """How often an entry has matched.

    Attributes:
        entry: its number, or the name of its counter.
        packets: None where the device does not count them.
    """

    acl: str
    entry: str
    packets: int | None


class Show(NamedTuple):
    """How one kind of device is asked, and how its configuration marks an entry.

    Attributes:
        commands: by family; ``{acl}`` is the ACL's name.
        number: leaf with the number the CLI calls an entry by; None where that is the mark itself.
        mark: leaf that carries the mark.
        ntc: platform and command of an ntc-templates template that fits the IPv4 command.
    """

    commands: Mapping[Family, str]
    number: str | None
    mark: str
    ntc: tuple[str, str] | None = None


SHOWS: Mapping[str, Show] = {
    "ios_xe": Show(
        {4: "show ip access-lists {acl}", 6: "show ipv6 access-list {acl}"},
        number="sequence",
        mark="remark",
        ntc=("cisco_ios", "show ip access-lists"),
    ),
    "eos": Show(
        {4: "show ip access-lists {acl}", 6: "show ipv6 access-lists {acl}"}, number="sequence-id", mark="description"
    ),
    "junos": Show({4: "show firewall filter {acl}", 6: "show firewall filter {acl}"}, number=None, mark="name"),
    "srlinux": Show(
        {
            4: "info from state acl acl-filter {acl} type ipv4",
            6: "info from state acl acl-filter {acl} type ipv6",
        },
        number="sequence-id",
        mark="description",
    ),
}
"""Dialect → its commands. A dialect that is not here has none that we know to read."""


def command(dialect: str, acl: str, family: Family) -> str:
    """The command that shows an ACL's counters.

    Raises:
        InputError: the ACL's name is not one that can be put into a command.
    """
    if not PLAIN_NAME.fullmatch(acl):
        raise InputError(f"ACL {acl!r}: a name of that form is not put into a show command")
    return SHOWS[dialect].commands[family].format(acl=acl)


def read_hits(dialect: str, family: Family, text: str) -> tuple[Hits, ...]:
    """The counters in a command's output; none where it shows none.

    Raises:
        InputError: the extra ``cli`` is not installed.
    """
    show = SHOWS[dialect]
    rows = _from_ntc(show.ntc, text) if show.ntc and family == 4 else None  # noqa: PLR2004 - IPv4
    found = rows if rows is not None else _from_own(dialect, text)
    counts_always = "counted" not in next(iter(found), {"counted": ""})
    return tuple(_hits(row, counts_always=counts_always) for row in found)


def _hits(row: Mapping[str, str], *, counts_always: bool) -> Hits:
    silent = 0 if counts_always or row.get("counted") else None
    return Hits(row["acl"], row["entry"], int(row["packets"]) if row["packets"] else silent)


def _from_own(dialect: str, text: str) -> list[dict[str, str]]:
    template = (files(__package__) / "templates" / f"{dialect}.textfsm").read_text(encoding="utf-8")
    machine = _textfsm().TextFSM(StringIO(template))
    names = [name.lower() for name in machine.header]
    return [dict(zip(names, row, strict=True)) for row in machine.ParseText(text)]


def _from_ntc(known: tuple[str, str], text: str) -> list[dict[str, str]] | None:
    """By the template of ntc-templates; None where it does not understand a line of the text."""
    machine = _textfsm()
    from ntc_templates.parse import ParsingException, parse_output

    platform, name = known
    try:
        rows: list[dict[str, str]] = parse_output(platform=platform, command=name, data=text)
    except (ParsingException, machine.TextFSMError):
        return None
    return list(_renamed(rows))


def _renamed(rows: Iterable[Mapping[str, str]]) -> Iterator[dict[str, str]]:
    for row in rows:
        if row["line_num"]:
            yield {"acl": row["acl_name"], "entry": row["line_num"], "packets": row["matches"]}


def _textfsm() -> Any:
    try:
        import ntc_templates
        import textfsm
    except ImportError as error:
        raise InputError(f"counters: {error.name} is not installed here: pip install 'secloop[cli]'") from None
    del ntc_templates
    return textfsm
