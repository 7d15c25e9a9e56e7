"""Datastores without a device: access control, the quirks of vendors, the clock, parts of a commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from labs.emulator.confirmed import CommitRequest
from labs.emulator.datastores import Datastores, EditRequest
from labs.emulator.device import initial
from labs.emulator.errors import RpcError
from labs.emulator.features import DEFAULT_CAPABILITIES, expand, features_of
from labs.emulator.nacm import denied
from labs.emulator.names import parse_xml
from labs.emulator.profile import Quirks
from labs.emulator.reading import unwrap
from labs.emulator.schema import load_schema
from labs.emulator.tree import canonical

from .documents import ace, acl, acls, block, config, discard_route, interface

SCHEMA = load_schema("ietf")
ONE, OTHER = 1, 2


@dataclass
class Alarm:
    """A timer that goes off when a test says so."""

    seconds: float
    call: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Bench:
    """A device's datastores, its timers and what it rolled back for."""

    quirks: Quirks = field(default_factory=Quirks)
    alarms: list[Alarm] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stores = Datastores(
            SCHEMA.root,
            features_of(map(expand, DEFAULT_CAPABILITIES)),
            initial("ietf", None, None),
            call_later=self.later,
            on_rollback=self.reasons.append,
            quirks=self.quirks,
        )

    def later(self, seconds: float, call: Callable[[], None]) -> Alarm:
        self.alarms.append(Alarm(seconds, call))
        return self.alarms[-1]

    def edit(self, document: str, *, partly: bool = False) -> None:
        request = EditRequest(target="candidate", config=unwrap(parse_xml(document.encode())))
        self.stores.edit(ONE, request, partly=partly)

    def pend(self, timeout_s: int = 60, persist: str | None = None) -> str:
        before = self.running
        self.edit(block())
        self.stores.commit(ONE, CommitRequest(confirmed=True, timeout_s=timeout_s, persist=persist))
        return before

    @property
    def running(self) -> str:
        return canonical(self.stores.running)


def refused(call: Callable[[], object]) -> RpcError:
    with pytest.raises(RpcError) as caught:
        call()
    return caught.value


def test_nobody_writes_below_a_denied_path() -> None:
    bench = Bench()
    bench.stores.denied = (denied("/acl:acls/acl:acl[name='edge-in']", SCHEMA.prefixes),)
    bench.edit(config(acls(acl("mine", ace("x")))))
    error = refused(lambda: bench.edit(config(acls(acl("edge-in", ace("x"))))))
    assert (error.tag, error.path) == ("access-denied", "/acl:acls/acl:acl[name='edge-in']")
    bench.stores.denied = (denied("/acl:acls", SCHEMA.prefixes),)
    bench.edit(interface("ge1", enabled=False))
    assert refused(lambda: bench.stores.commit(ONE, CommitRequest())).tag == "access-denied"


@pytest.mark.parametrize("path", ["acl:acls", "/acls", "/x:acls", "/acl:acls/", "/acl:acls garbage", ""])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(ValueError, match="no path to deny"):
        denied(path, SCHEMA.prefixes)


def test_nobody_else_locks_the_candidate_while_a_commit_is_pending() -> None:
    bench = Bench(Quirks(lock_while_pending=False))
    bench.pend(persist="token")
    assert refused(lambda: bench.stores.lock(OTHER, "candidate")).tag == "lock-denied"
    bench.stores.commit(ONE, CommitRequest(persist_id="token"))
    bench.stores.lock(OTHER, "candidate")
    usual = Bench()
    usual.pend(persist="token")
    usual.stores.lock(OTHER, "candidate")


def test_any_commit_confirms_where_the_vendor_has_no_token() -> None:
    bench = Bench(Quirks(any_commit_confirms=True))
    bench.pend()
    bench.stores.commit(OTHER, CommitRequest())
    bench.stores.session_ended(ONE)
    assert bench.reasons == []
    usual = Bench()
    usual.pend()
    assert refused(lambda: usual.stores.commit(OTHER, CommitRequest())).tag == "in-use"


def test_the_clock_jumps_forward_past_the_end() -> None:
    bench = Bench()
    before = bench.pend(timeout_s=60)
    bench.stores.confirmed.jump(20)
    assert bench.alarms[0].cancelled
    assert 39 < bench.alarms[1].seconds <= 40
    bench.stores.confirmed.jump(100)
    assert (bench.reasons, bench.running) == (["timeout"], before)
    bench.stores.confirmed.jump(1)  # nothing pends: no effect


def test_the_clock_jumps_back() -> None:
    bench = Bench()
    before = bench.pend(timeout_s=60)
    bench.stores.confirmed.jump(-30)
    assert 89 < bench.alarms[1].seconds <= 90
    bench.alarms[1].call()
    assert bench.running == before


def test_a_commit_in_part_is_neither_old_nor_new_but_valid() -> None:
    bench = Bench()
    old = bench.running
    bench.edit(block())
    new = canonical(bench.stores.read("candidate"))
    assert "a part" in str(refused(lambda: bench.stores.commit(ONE, CommitRequest(confirmed=True), partly=True)))
    assert bench.running not in {old, new}
    assert canonical(bench.stores.read("candidate")) == new
    assert bench.stores.confirmed.pending is None
    bench.stores.validate(bench.stores.running)


def test_an_edit_in_part() -> None:
    bench = Bench()
    refused(lambda: bench.edit(config(acls(acl("mine", ace("x"))), discard_route("203.0.113.0/24")), partly=True))
    assert ("mine" in canonical(bench.stores.read("candidate"))) != (
        "blackhole" in canonical(bench.stores.read("candidate"))
    )


@pytest.mark.parametrize("persist", [None, "token"])
def test_a_restart_undoes_what_pends(persist: str | None) -> None:
    bench = Bench()
    bench.stores.lock(ONE, "candidate")
    before = bench.pend(persist=persist)
    bench.edit(config(acls(acl("uncommitted"))))
    bench.stores.rebooted()
    assert bench.running == before
    assert bench.reasons == ["reboot"]
    assert not bench.stores.candidate_modified
    assert bench.stores.locks.holders == {}


def test_a_restart_keeps_what_was_confirmed() -> None:
    bench = Bench()
    bench.edit(block())
    bench.stores.commit(ONE, CommitRequest())
    after = bench.running
    bench.stores.rebooted()
    assert bench.running == after
