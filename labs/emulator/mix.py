"""A fleet of mixed dialects, as specs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from secloop_ai.contracts.errors import LabError

from .profile import load_profile
from .schema import DATA
from .spec import DeviceSpec

EVERY = ("ietf", "openconfig", "ios_xe", "junos", "srlinux", "eos")
"""What a fleet is mixed of unless told otherwise."""
ALL = "all"


class Make(NamedTuple):
    """A dialect, and a variant of its vendor's server or None."""

    dialect: str
    variant: str | None = None

    def __str__(self) -> str:
        return f"{self.dialect}:{self.variant}" if self.variant else self.dialect


def parse_mix(text: str) -> tuple[Make, ...]:
    """Read `ietf,ios_xe:candidate`; `all` is `EVERY`.

    Raises:
        LabError: one of them cannot be emulated; says which can.
    """
    words = EVERY if text == ALL else tuple(word.strip() for word in text.split(",") if word.strip())
    makes = []
    for word in words:
        dialect, _, variant = word.partition(":")
        make = Make(dialect, variant or None)
        if dialect not in emulated():
            raise LabError(f"no device to emulate of the dialect {dialect!r}; there are: {', '.join(emulated())}")
        try:
            load_profile(dialect).offered(make.variant)
        except ValueError as error:
            raise LabError(f"{dialect}: {error}") from error
        makes.append(make)
    if not makes:
        raise LabError("a mix of no dialects")
    return tuple(makes)


def emulated() -> tuple[str, ...]:
    """The dialects with a data table and an initial configuration."""
    return tuple(sorted(p.stem for p in DATA.glob("*.yaml") if (DATA / f"{p.stem}-initial.xml").is_file()))


def mixed(count: int, makes: Sequence[Make] | str = ALL) -> tuple[DeviceSpec, ...]:
    """`count` devices gw1, gw2, ... that take turns in their dialects.

    Raises:
        LabError: as `parse_mix`; a count below 1.
    """
    if count < 1:
        raise LabError(f"a fleet of {count} devices")
    turns = parse_mix(makes) if isinstance(makes, str) else tuple(makes)
    chosen = ((n, turns[(n - 1) % len(turns)]) for n in range(1, count + 1))
    return tuple(DeviceSpec(name=f"gw{n}", dialect=make.dialect, variant=make.variant) for n, make in chosen)
