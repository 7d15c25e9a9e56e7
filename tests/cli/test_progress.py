"""The bar: on a terminal only, with the failed devices named."""

from __future__ import annotations

import io
import subprocess
import sys

from secloop_ai.cli.progress import bar
from secloop_ai.netconf.progress import Unwatched, watcher


class Terminal(io.StringIO):
    """A stream that says it is one."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_phase_and_who_failed() -> None:
    out = Terminal()
    with bar(out):
        watching = watcher()
        watching.begin("edit", 3)
        watching.step("gw1", failed=False)
        watching.step("gw2", failed=True)
        watching.step("[bold]gw3", failed=False)
        watching.end(("gw2", "[bold]gw3"))
    said = out.getvalue()
    assert "edit" in said
    assert "3/3" in said
    assert "edit: failed on gw2, [bold]gw3" in said
    assert isinstance(watcher(), Unwatched)


def test_one_device_needs_no_bar() -> None:
    out = Terminal()
    with bar(out):
        watcher().begin("edit", 1)
        watcher().step("gw1", failed=False)
        watcher().end(())
    assert "edit" not in out.getvalue()


def test_what_is_piped_stays_clean() -> None:
    out = io.StringIO()
    with bar(out):
        assert isinstance(watcher(), Unwatched)
        watcher().begin("edit", 3)
        watcher().end(("gw1",))
    assert out.getvalue() == ""


def test_the_netconf_room_needs_no_rich() -> None:
    program = "import sys, secloop_ai.netconf; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
