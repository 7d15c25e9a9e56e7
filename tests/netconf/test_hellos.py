"""The hello decides: which way is taken, and which options are used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from secloop_ai.contracts import CapabilityError
from secloop_ai.netconf import open_session, rpc
from secloop_ai.netconf.paths import PATHS, choose_path
from secloop_ai.netconf.quirks import quirks_of
from secloop_ai.netconf.session import Session

from .scripted import BASE, Scripted, reply

WD = "urn:ietf:params:netconf:capability:with-defaults:1.0"


class Hello:
    """What a session knows of a device."""

    def __init__(self, *names: str) -> None:
        self.capabilities = frozenset(rpc.uri(n) for n in names)


@pytest.mark.parametrize(
    ("hello", "way"),
    [
        (("candidate:1.0", "confirmed-commit:1.1", "validate:1.1"), "persist"),
        (("candidate:1.0", "confirmed-commit:1.0", "confirmed-commit:1.1"), "persist"),
        (("candidate:1.0", "confirmed-commit:1.0"), "confirmed"),
        (("candidate:1.0", "writable-running:1.0"), "candidate"),
        (("candidate:1.0",), "candidate"),
        (("writable-running:1.0", "validate:1.0"), "running"),
    ],
)
def test_the_strongest_way_is_taken(tmp_path: Path, hello: tuple[str, ...], way: str) -> None:
    with Scripted(tmp_path) as server:
        assert choose_path(Hello(*hello), server.device()).name == way  # type: ignore[arg-type]


def test_without_any_way_the_hello_is_blamed(tmp_path: Path) -> None:
    with Scripted(tmp_path) as server, pytest.raises(CapabilityError, match=r"odd1: hello: .*neither :candidate nor"):
        choose_path(Hello("validate:1.1"), server.device())  # type: ignore[arg-type]


def test_weaker_ways_say_more_of_what_they_cannot_promise() -> None:
    every = tuple(rpc.uri(n) for p in PATHS for n in (*p.needs, "validate:1.1", "rollback-on-error:1.0"))
    told = [len(p.limits(every)) for p in PATHS]
    assert told == sorted(told)
    assert told[0] == 0
    bare = [len(p.limits(())) for p in PATHS]
    assert all(without > with_all for without, with_all in zip(bare, told, strict=True))


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        ("?basic-mode=report-all&also-supported=explicit,trim", "explicit"),
        ("?basic-mode=explicit&also-supported=report-all", None),
        ("?basic-mode=report-all", None),
        ("", None),
    ],
)
def test_defaults_are_left_out_only_where_the_device_can(query: str, mode: str | None) -> None:
    assert rpc.defaults_mode([WD + query]) == mode
    assert rpc.defaults_mode([]) is None


class _Told:
    """A server that remembers what it was told, and announces what it is given."""

    def __init__(self, directory: Path, *capabilities: str) -> None:
        self.said: list[str] = []
        self.server = Scripted(directory, self.answer)
        self._hello = "".join(f"<capability>{rpc.uri(c).replace('&', '&amp;')}</capability>" for c in capabilities)
        plain = self.server._say

        def say(process: object, text: str) -> None:
            plain(process, text.replace("</capabilities>", self._hello + "</capabilities>"))  # type: ignore[arg-type]

        self.server._say = say  # type: ignore[method-assign]

    def answer(self, rpc_text: str) -> str:
        self.said.append(re.sub(r"\s+xmlns(:\w+)?=\"[^\"]*\"", "", rpc_text))
        return reply(rpc_text, "<data/>" if "get-config" in rpc_text else "<ok/>")


CANDIDATE = ("candidate:1.0", "confirmed-commit:1.0")


@pytest.mark.parametrize(
    ("unit", "seconds", "sent"), [("s", 30.2, "31"), ("s", 60.0, "60"), ("min", 60.0, "1"), ("min", 61.0, "2")]
)
def test_the_timeout_is_in_the_devices_unit_and_never_shorter(
    tmp_path: Path, unit: str, seconds: float, sent: str
) -> None:
    told = _Told(tmp_path, *CANDIDATE)
    with told.server as server:
        device = server.device().model_copy(update={"confirm_timeout_unit": unit})
        session = open_session(device)
        session.commit_confirmed(seconds)
        session.confirm()
        session.close()
    assert re.search(rf"<confirm-timeout>{sent}</confirm-timeout>", told.said[0].replace("nc:", ""))
    assert "persist" not in told.said[0]
    assert quirks_of((), device).timeout(seconds) == int(sent)


def _edits(tmp_path: Path, target: str, *capabilities: str) -> str:
    told = _Told(tmp_path, *capabilities)
    with told.server as server:
        session: Session = open_session(server.device())
        session.edit(target, f'<a xmlns="{BASE}:x"/>')
        session.close()
    return told.said[0]


def test_options_of_an_edit_are_sent_only_where_announced(tmp_path: Path) -> None:
    bare = _edits(tmp_path, "running", "writable-running:1.0")
    assert "error-option" not in bare
    assert "test-option" not in bare


def test_a_running_datastore_that_can_is_told_to_test_first_and_to_roll_back(tmp_path: Path) -> None:
    full = _edits(tmp_path, "running", "writable-running:1.0", "validate:1.0", "rollback-on-error:1.0")
    assert "rollback-on-error" in full
    assert "test-then-set" in full


def test_with_defaults_is_sent_only_where_announced(tmp_path: Path) -> None:
    told = _Told(tmp_path, f"{WD}?basic-mode=report-all&also-supported=explicit")
    with told.server as server:
        session = open_session(server.device())
        session.get_config("running")
        session.close()
    assert "explicit" in told.said[0]
