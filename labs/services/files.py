"""FTP: logins, one page each, uploads that are counted and forgotten."""

from __future__ import annotations

from .base import ServiceOrder, ServiceProgram, config_file, python_server

RIGHTFUL = ("house", "house-key")
"""The login of rightful clients."""
GUESSED = ("backup", "autumn2024")
"""What ftp-brute-force finds: a name everybody tries, a password of every list."""
LEAKED = ("m.weber", "Tr0ub4dor-3")
"""What credential-stuffing and valid-accounts bring along."""
UPLOADS = {
    "lateral-tool-transfer": "incoming/tool",
    "exfil-ftp": "incoming/data",
    "authorized-keys": ".ssh/authorized_keys",
}
"""Where the uploads of each means go."""
NEEDS_BYTES = 1000


class Ftp(ServiceProgram):
    """An FTP server without a file system."""

    kind = "ftp"

    def command(self, order: ServiceOrder) -> list[str]:
        """Our own server."""
        return python_server("ftp", order)

    def files(self, order: ServiceOrder) -> dict[str, str]:
        """Accounts exist only where a weakness needs them."""
        loot = order.loot()
        accounts, pages = dict([RIGHTFUL]), {}
        for (name, password), means in (
            (GUESSED, ("ftp-brute-force",)),
            (LEAKED, ("credential-stuffing", "valid-accounts")),
        ):
            if found := [loot[m] for m in means if m in loot]:
                accounts[name] = password
                pages[name] = "".join(f"{canary}\n" for canary in found)
        takes = {path: loot[means] for means, path in UPLOADS.items() if means in loot}
        if takes:
            accounts["anonymous"] = "guest@"
        return config_file(order, accounts=accounts, pages=pages, takes=takes, needs_bytes=NEEDS_BYTES)
