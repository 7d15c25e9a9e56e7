"""The outer half of a watchdog: a small process that starts the one which watches, and starts it again if it dies.

`python -m secloop_ai.loop.supervise FOLDER`, what is to be watched on standard input; detached from whoever starts it.
Nothing but the standard library is imported here. What came in, passwords among it, is kept in memory alone.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from secloop_ai.loop import watchfolder

PAUSE_S = 1.0
MOST_STARTS = 1000
WATCHER = "secloop_ai.loop.watchdog"


def main() -> int:
    """Watch over the watcher until it ends well, or its work is settled. SIGTERM: the change is undone now."""
    folder = Path(sys.argv[1])
    charge = sys.stdin.buffer.read()
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: watchfolder.hurry(folder))
    with watchfolder.living(folder):
        for _ in range(MOST_STARTS):
            if _watch(folder, charge) == 0 or watchfolder.is_settled(folder):
                return 0
            time.sleep(PAUSE_S)
    return 1


def _watch(folder: Path, charge: bytes) -> int:
    """One life of the watcher; its exit status."""
    child = subprocess.Popen([sys.executable, "-m", WATCHER, str(folder)], stdin=subprocess.PIPE)
    try:
        child.communicate(charge)
    except BrokenPipeError:
        child.wait()
    return child.returncode


if __name__ == "__main__":
    sys.exit(main())
