"""SMB: session set-ups are refused but for the one password that a weak account has."""

from __future__ import annotations

from .base import ServiceOrder, ServiceProgram, config_file, python_server
from .smb_wire import login, refusal, welcome

BRUTE_FORCE = "smb-brute-force"
USER, PASSWORD = "office", "winter-2019"


class Smb(ServiceProgram):
    """Knows one frame of SMB 2, the session set-up."""

    kind = "smb"

    def command(self, order: ServiceOrder) -> list[str]:
        """The server of conversations."""
        return python_server("chat", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """The two answers to a session set-up."""
        turns: list[tuple[str, ...]] = [("*", "", refusal().decode("latin-1"), "start")]
        if (canary := order.loot().get(BRUTE_FORCE)) is not None:
            right = login(USER, PASSWORD).decode("latin-1")
            turns.insert(0, ("start", right, welcome(canary).decode("latin-1"), "start", USER))
        return config_file(order, hello="", ends="", turns=turns)
