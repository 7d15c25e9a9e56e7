"""Dialects asked for by many threads at once, as when a mixed fleet is read for the first time."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, threading
sys.setswitchinterval(1e-6)
from secloop_ai.dialects import dialect, known
ready, failed = threading.Barrier(3 * len(known())), []
def ask(name):
    ready.wait()
    try:
        dialect(name)
    except Exception as error:
        failed.append(repr(error))
threads = [threading.Thread(target=ask, args=(name,)) for name in known() * 3]
[t.start() for t in threads], [t.join() for t in threads]
sys.exit("; ".join(failed) or 0)
"""


def test_they_do_not_wait_for_one_another() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stderr) == (0, "")
