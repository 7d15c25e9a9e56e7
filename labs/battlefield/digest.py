"""What a host's roles could have left behind, as one number. It is run on the host, where it stands in no file.

The number covers /etc (but for the backups that usermod always leaves), the folders and logs of host roles, the packet
filter, the settings of the network, and which processes are stopped. What the kernel counts along the way is left out.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

TREES = ("/etc", "/var/lib", "/var/log", "/usr/local")
BACKUPS = ("/etc/passwd-", "/etc/shadow-", "/etc/group-", "/etc/gshadow-")
SETTINGS = "/proc/sys/net"
RESTLESS = ("nf_conntrack_count", "/neigh/", "tcp_fastopen_key")
STOPPED = "Tt"
NFT_S = 10.0


def files() -> Iterator[list[object]]:
    """Path, kind and mode, owners, content."""
    for tree in TREES:
        for folder, folders, names in os.walk(tree):
            folders.sort()
            for name in sorted([*folders, *names]):
                path = Path(folder, name)
                if str(path) not in BACKUPS:
                    about = path.lstat()
                    yield [str(path), about.st_mode, about.st_uid, about.st_gid, content(path, about.st_mode)]


def content(path: Path, mode: int) -> str:
    """A file's digest, a link's target."""
    if stat.S_ISLNK(mode):
        return str(path.readlink())
    return hashlib.sha256(path.read_bytes()).hexdigest() if stat.S_ISREG(mode) else ""


def settings() -> Iterator[list[object]]:
    """Those of the network that can be read."""
    for folder, _, names in os.walk(SETTINGS):
        for name in names:
            path = Path(folder, name)
            if any(word in str(path) for word in RESTLESS):
                continue
            try:
                yield [str(path), path.read_text(encoding="utf-8", errors="replace")]
            except OSError:
                continue


def stopped() -> Iterator[list[object]]:
    """Processes that are."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = path.read_text(encoding="utf-8", errors="replace").rpartition(")")
        except OSError:
            continue
        fields = tail.split()
        if fields[0] in STOPPED:
            yield [head, fields[19]]


def filter_rules() -> str:
    """The packet filter without its counters."""
    listing = ["nft", "-s", "list", "ruleset"]
    return subprocess.run(listing, capture_output=True, text=True, check=True, timeout=NFT_S).stdout


def main() -> None:
    """Print the number, or with ``-v`` what it is made of."""
    found = {
        "files": list(files()),
        "filter": filter_rules(),
        "settings": sorted(settings(), key=str),
        "stopped": sorted(stopped(), key=str),
    }
    text = json.dumps(found, sort_keys=True, indent=1)
    sys.stdout.write(text if "-v" in sys.argv else hashlib.sha256(text.encode()).hexdigest())


if __name__ == "__main__":
    main()
