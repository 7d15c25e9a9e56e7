"""As much of SMB 2 as a login needs: the frames that our own server and our own guesser exchange.

The header is that of [MS-SMB2] 2.2.1.2, the body that of 2.2.5 (SESSION_SETUP); in place of an NTLM exchange the token
is the lab's own, so that these frames log in nowhere else.
"""

from __future__ import annotations

import struct

SESSION_SETUP = 1
LOGON_FAILURE = 0xC000006D
RESPONSE = 1
PASSWORD_BYTES = 24


def frame(status: int, flags: int, body: bytes) -> bytes:
    """A frame of the session set-up, with the length in front that TCP transport asks for."""
    header = struct.pack(
        "<4sHHIHHIIQIIQ16s", b"\xfeSMB", 64, 0, status, SESSION_SETUP, 1, flags, 0, 1, 0xFEFF, 0, 0, b""
    )
    return struct.pack(">I", len(header) + len(body)) + header + body


def login(user: str, password: str) -> bytes:
    """A client's session set-up with the lab's token; the password fills a fixed number of bytes."""
    token = b"SECLOOP-LAB\0" + user.encode("latin-1") + b"\0" + password.encode("latin-1").ljust(PASSWORD_BYTES, b"\0")
    return frame(0, 0, struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, len(token), 0) + token)


def refusal() -> bytes:
    """A server's STATUS_LOGON_FAILURE."""
    return frame(LOGON_FAILURE, RESPONSE, struct.pack("<HHHH", 9, 0, 72, 0))


def welcome(canary: str) -> bytes:
    """A server's success, with the canary as its token."""
    token = canary.encode("latin-1")
    return frame(0, RESPONSE, struct.pack("<HHHH", 9, 0, 72, len(token)) + token)
