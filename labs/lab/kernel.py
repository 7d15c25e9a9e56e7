"""The gateway's kernel: filter, links and discard routes. Works on the network namespace it runs in."""

from __future__ import annotations

import ctypes
import socket
import subprocess

from secloop_ai.contracts.errors import LabError

from .translate import Enforcement

# our routes carry this routing protocol number, so that they are told from the kernel's and the operator's
ROUTE_PROTOCOL = 140
# behind connected routes (0 in IPv4, 256 in IPv6): a directly connected network wins, as on a router
ROUTE_METRIC = 1024
LIBRARY = "libnftables.so.1"
IP_TIMEOUT_S = 5.0


class Nftables:
    """libnftables in this process: no program is started for a change."""

    def __init__(self) -> None:
        try:
            library = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise LabError(f"{LIBRARY}: {error} (package nftables)") from error
        library.nft_ctx_new.restype = ctypes.c_void_p
        library.nft_ctx_new.argtypes = [ctypes.c_uint32]
        library.nft_ctx_free.argtypes = [ctypes.c_void_p]
        library.nft_ctx_buffer_error.argtypes = [ctypes.c_void_p]
        library.nft_ctx_set_dry_run.argtypes = [ctypes.c_void_p, ctypes.c_bool]
        library.nft_ctx_get_error_buffer.argtypes = [ctypes.c_void_p]
        library.nft_ctx_get_error_buffer.restype = ctypes.c_char_p
        library.nft_run_cmd_from_buffer.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        self._library = library

    def run(self, script: str, *, check_only: bool) -> None:
        """Put the script in force, or with `check_only` have the kernel look at it and leave all as it is.

        Raises:
            LabError: nftables refused it, with what it said.
        """
        context = self._library.nft_ctx_new(0)
        try:
            self._library.nft_ctx_buffer_error(context)
            self._library.nft_ctx_set_dry_run(context, check_only)
            if self._library.nft_run_cmd_from_buffer(context, script.encode()):
                said = (self._library.nft_ctx_get_error_buffer(context) or b"").decode(errors="replace")
                raise LabError(f"nft: {' '.join(said.split())[:500]}")
        finally:
            self._library.nft_ctx_free(context)


class Kernel:
    """Holds one :class:`Enforcement` at a time and changes only what differs from the last."""

    def __init__(self) -> None:
        self._nft = Nftables()
        self._now: Enforcement | None = None

    def check(self, wanted: Enforcement) -> None:
        """Whether the kernel would take it; changes nothing.

        Raises:
            LabError: it would not.
        """
        if self._now is None or self._now.nft != wanted.nft:
            self._nft.run(wanted.nft, check_only=True)

    def apply(self, wanted: Enforcement) -> bool:
        """Put it in force; False when it already was.

        Raises:
            LabError: a part was refused; the next `apply` then starts afresh.
        """
        before, self._now = self._now, None
        if before == wanted:
            self._now = before
            return False
        if before is None or before.nft != wanted.nft:
            self._nft.run(wanted.nft, check_only=False)
        if before is None:
            _forget_routes()
        _batch([*_link_lines(before, wanted), *_route_lines(before, wanted)])
        self._now = wanted
        return True


def _forget_routes() -> None:
    for family in ("-4", "-6"):
        subprocess.run(
            ["ip", family, "route", "flush", "proto", str(ROUTE_PROTOCOL)],
            capture_output=True,
            timeout=IP_TIMEOUT_S,
            check=False,
        )


def _link_lines(before: Enforcement | None, wanted: Enforcement) -> list[str]:
    known = dict(before.links) if before else {}
    changed = [(port, up) for port, up in wanted.links if known.get(port) != up]
    there = {name for _, name in socket.if_nameindex()}  # of this thread's namespace; /sys may show another one
    return [f"link set {port} {'up' if up else 'down'}" for port, up in changed if port in there]


def _route_lines(before: Enforcement | None, wanted: Enforcement) -> list[str]:
    old = set(before.blackholes) if before else set()
    new = set(wanted.blackholes)
    tail = f"metric {ROUTE_METRIC} proto {ROUTE_PROTOCOL}"
    return [
        *(f"route del blackhole {prefix} {tail}" for prefix in sorted(old - new, key=str)),
        *(f"route add blackhole {prefix} {tail}" for prefix in sorted(new - old, key=str)),
    ]


def _batch(lines: list[str]) -> None:
    if not lines:
        return
    done = subprocess.run(
        ["ip", "-force", "-batch", "-"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        timeout=IP_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        raise LabError(f"ip: {' '.join(done.stderr.split())[:500]}")
