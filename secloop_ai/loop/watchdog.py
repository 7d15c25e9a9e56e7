"""The inner half of a watchdog: it waits, and undoes a change on devices that cannot do so themselves.

`python -m secloop_ai.loop.watchdog FOLDER`, its :class:`Charge` as JSON on standard input. It says ``armed`` on
standard output once it watches. It ends without touching a device when the decision in the folder is made before its
time is up; else it decides itself, and goes on trying until every device is back, or somebody has settled it. SIGTERM
is its time being up: whoever ends it wants the change undone rather than left alone.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import SecretStr, ValidationError

from secloop_ai.contracts import Device, DeviceUndo, SecLoopError, Watched
from secloop_ai.contracts.base import Frozen
from secloop_ai.loop import watchfolder

LOOK_S = 0.2
LINGER_S = 5.0
"""A commit that was on its way when time was up may arrive after the first look."""
PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
END_MAKER_S = 120.0
GIVE_UP_S = 7 * 86400.0
AT_ONCE = 50


class Item(Frozen):
    """One device of a charge."""

    device: Device
    password: str | None
    session: str
    undo: DeviceUndo


class Charge(Frozen):
    """What is watched.

    Attributes:
        fires_at: when time is up, on this machine's monotonic clock: no change of the date moves it.
    """

    fires_at: float
    items: tuple[Item, ...]


def main() -> int:
    """Wait, and undo if it has to be."""
    folder = Path(sys.argv[1])
    try:
        charge = Charge.model_validate_json(sys.stdin.buffer.read())
    except ValidationError as error:
        sys.stderr.write(f"the charge is damaged: {error.error_count()} fields are wrong\n")
        return 1
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: watchfolder.hurry(folder))
    _say_armed()
    import secloop_ai.dialects
    import secloop_ai.netconf  # noqa: F401 - while there is time; whoever arms us need not wait for it

    while time.monotonic() < charge.fires_at and not watchfolder.decision_of(folder):
        if watchfolder.is_hurried(folder):
            break
        time.sleep(LOOK_S)
    if watchfolder.decide(folder, watchfolder.FIRED) == watchfolder.FIRED:
        _undo(folder, [Watched(i.device, _secret(i.password), i.session, i.undo) for i in charge.items])
    return 0


def _say_armed() -> None:
    """Say it once, to whoever still listens, and let go of what we were given to speak with."""
    try:
        sys.stdout.write("armed\n")
        sys.stdout.flush()
    except BrokenPipeError:
        pass
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)


def _secret(text: str | None) -> SecretStr | None:
    return None if text is None else SecretStr(text)


def _undo(folder: Path, watched: Sequence[Watched]) -> None:
    """Try until every device is back, or somebody has settled it."""
    began = time.monotonic()
    tried = watchfolder.tried(folder)
    left = list(watched)
    for count in range(sys.maxsize):
        if not left or watchfolder.is_settled(folder) or time.monotonic() - began > GIVE_UP_S:
            break
        young = time.monotonic() - began < END_MAKER_S
        tried |= _round(left, end_maker=young)
        watchfolder.note(folder, tried)
        left = [w for w in left if tried[w.device.name]]
        if left:
            _pause(folder, PAUSES_S[min(count, len(PAUSES_S) - 1)])
    _pause(folder, LINGER_S)
    if not left and not watchfolder.is_settled(folder):
        watchfolder.note(folder, tried | _round(watched, end_maker=False))


def _pause(folder: Path, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not watchfolder.is_settled(folder):
        time.sleep(LOOK_S)


def _round(watched: Sequence[Watched], *, end_maker: bool) -> dict[str, str]:
    """One try on each device: its name → why it failed, empty where it is back."""
    from secloop_ai.dialects import dialect
    from secloop_ai.netconf import rescue

    def attempt(one: Watched) -> str:
        try:
            rescue(one, dialect(one.device.dialect), end_maker=end_maker)
        except SecLoopError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(watched))) as pool:
        return dict(zip((w.device.name for w in watched), pool.map(attempt, watched), strict=True))


if __name__ == "__main__":
    sys.exit(main())
