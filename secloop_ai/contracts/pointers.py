"""Which slot of a request stands for which entity: the only names a policy can utter."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from .alerts import IPAddress, Port
from .base import Frozen, Name
from .errors import PointerError


class Role(StrEnum):
    """What kind of entity a slot stands for; the value is the slot's prefix."""

    SOURCE = "src"
    HOST = "host"
    SERVICE = "svc"
    DEVICE = "dev"
    INTERFACE = "if"
    PORT = "port"
    ACCOUNT = "acct"
    PROCESS = "proc"
    PACKAGE = "pkg"
    NAME = "name"


CAPS = {
    Role.SOURCE: 8, Role.HOST: 32, Role.SERVICE: 32, Role.DEVICE: 8, Role.INTERFACE: 32,
    Role.PORT: 16, Role.ACCOUNT: 8, Role.PROCESS: 16, Role.PACKAGE: 8, Role.NAME: 8,
}  # fmt: skip
"""How many slots of a role a request may have; what does not fit is counted in `PointerTable.left_out`."""


class Slot(Frozen):
    """One slot and its entity; which fields are set follows from the role.

    Attributes:
        address: of a source; of a host, the one the alerts name, else its first.
        host: owner of a service, account, process or package; the host itself.
        device: owner of an interface; the device itself.
        value: name of the service, interface, account, process, package or domain.
        protocol, port: of a port slot.
    """

    slot: Annotated[str, Field(pattern=r"^@[a-z]+\d+$")]
    role: Role
    address: IPAddress | None = None
    host: Name | None = None
    device: Name | None = None
    value: str | None = None
    protocol: Literal["tcp", "udp"] | None = None
    port: Port | None = None


class PointerTable(Frozen):
    """The slots of one request, in canonical order by role."""

    version: Literal[1] = 1
    slots: tuple[Slot, ...] = ()
    left_out: dict[str, int] = Field(default_factory=dict)

    def resolve(self, slot: str, roles: tuple[str, ...]) -> Slot:
        """The entity behind a slot.

        Raises:
            PointerError: no such slot in this request, or one of another role.
        """
        found = next((s for s in self.slots if s.slot == slot), None)
        if found is None:
            raise PointerError(f"slot {slot!r} is not in this request")
        if found.role.value not in roles:
            raise PointerError(
                f"slot {slot} stands for a {found.role.name.lower()}, not for one of: {', '.join(roles)}"
            )
        return found

    def of(self, *roles: Role) -> tuple[Slot, ...]:
        """The slots of these roles, in order."""
        return tuple(s for s in self.slots if s.role in roles)
