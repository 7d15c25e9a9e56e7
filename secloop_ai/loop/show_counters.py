"""Proof that the entries of mitigations match traffic: what the devices themselves have counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from pydantic import SecretStr

from secloop_ai.contracts import Device, Frozen, SecLoopError

from .plan import Running
from .show import SHOWS, Hits, Show, command, read_hits
from .show_entries import Entry, entries
from .show_ssh import run_commands

Runner = Callable[[Device, SecretStr | None, Iterable[str]], Sequence[str]]


class Counter(Frozen):
    """How often an entry of a mitigation has matched.

    Attributes:
        entry: its number on the device's command line, or the name of its counter.
        packets: None where the device does not count, or did not show it.
    """

    device: str
    mitigation_id: str
    acl: str
    entry: str
    packets: int | None

    def __str__(self) -> str:
        many = "not counted by the device" if self.packets is None else f"{self.packets} packets matched"
        return f"{self.device}: {self.mitigation_id}: entry {self.entry} of ACL {self.acl}: {many}"


class Counted(NamedTuple):
    """The counters of several devices; `notes` say which could not be had, and why."""

    counters: tuple[Counter, ...]
    notes: tuple[str, ...]


def count(
    devices: Sequence[Device],
    running: Mapping[str, Running],
    passwords: Mapping[str, SecretStr],
    *,
    concurrency: int,
    runner: Runner = run_commands,
) -> Counted:
    """Ask every device for the counters of our entries, side by side. Changes nothing.

    Args:
        devices: those to ask; one whose dialect has no command we can read is noted.
        running: device → its running configuration, as read just before.
        passwords: device → password, where one is needed.
        concurrency: devices asked side by side.
        runner: runs commands on a device.
    """
    with ThreadPoolExecutor(max_workers=max(1, min(concurrency, len(devices)))) as pool:
        parts = list(pool.map(lambda d: _count_one(d, running[d.name].data, passwords.get(d.name), runner), devices))
    return Counted(tuple(c for p in parts for c in p.counters), tuple(n for p in parts for n in p.notes))


def _count_one(device: Device, data: str, password: SecretStr | None, runner: Runner) -> Counted:
    show = SHOWS.get(device.dialect)
    if show is None:
        return Counted((), (f"{device.name}: counters: dialect {device.dialect} has no show command known here",))
    try:
        return _asked(device, show, data, password, runner)
    except SecLoopError as error:
        return Counted((), (str(error),))


def _asked(device: Device, show: Show, data: str, password: SecretStr | None, runner: Runner) -> Counted:
    ours = entries(data, show)
    acls = list(dict.fromkeys((entry.acl, entry.family) for entry in ours))
    texts = runner(device, password, [command(device.dialect, acl, family) for acl, family in acls])
    shown = {acl: read_hits(device.dialect, acl[1], text) for acl, text in zip(acls, texts, strict=True)}
    found = [_counter(device.name, entry, shown[entry.acl, entry.family]) for entry in ours]
    notes = [f"{device.name}: counters: nothing was shown of ACL {acl}" for (acl, _), hits in shown.items() if not hits]
    return Counted(tuple(found), tuple(notes))


def _counter(device: str, entry: Entry, shown: Iterable[Hits]) -> Counter:
    packets = next((h.packets for h in shown if (h.acl, h.entry) == (entry.acl, entry.label)), None)
    return Counter(device=device, mitigation_id=entry.mark.tag, acl=entry.acl, entry=entry.label, packets=packets)
