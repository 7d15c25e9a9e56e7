"""Edits against YANG: a checker of a few lines for the manners, the vendors' modules where they are at hand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from labs.emulator import Device, EmulatedDevice
from labs.emulator.yang import yang_check

from .conftest import Connect
from .documents import ace, acl, acls, block, config
from .test_operations import refused

SHARED = Path(__file__).parents[3] / "shared" / "yang"
CHECKER = """#!/usr/bin/env python3
import pathlib, sys
*flags, vendor, name = sys.argv[1:]
text = pathlib.Path(name).read_text()
pathlib.Path(__file__).with_name("seen").open("a").write(" ".join([*flags, vendor]) + "\\n")
if "crash" in text:
    sys.exit(2)
if "bad" in text:
    print("no such value: bad", file=sys.stderr)
    sys.exit(1)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of modules, of which there are none, with a checker."""
    (tmp_path / "ietf").mkdir()
    checker = tmp_path / "validate"
    checker.write_text(CHECKER)
    checker.chmod(0o755)
    return tmp_path


def test_the_checker_is_asked_and_heard(folder: Path, connect: Connect) -> None:
    with EmulatedDevice(yang=folder) as device:
        assert device.state().yang == f"checked against YANG: {folder / 'ietf'}"
        session = connect(device)
        error = refused(session.edit_config, config(acls(acl("bad"))), target="candidate")
        assert (error.tag, error.app_tag) == ("invalid-value", "yang")
        assert "no such value" in str(error.message)
        assert "bad" not in device.candidate()
        session.edit_config(block(), target="candidate")
        session.validate("candidate")
        session.commit()
        assert "secloop-in" in device.running()
    assert (folder / "seen").read_text().split("\n")[:4] == ["ietf", "ietf", "--full ietf", "--full ietf"]


def test_running_is_checked_whole_before_it_is_written(folder: Path, connect: Connect) -> None:
    with EmulatedDevice(capabilities=(":base:1.1", ":writable-running"), yang=folder) as device:
        assert refused(connect(device).edit_config, config(acls(acl("bad"))), target="running").tag == "invalid-value"
        assert "bad" not in device.running()
    assert (folder / "seen").read_text().startswith("--full ietf")


def test_a_check_that_cannot_be_made_is_said_and_holds_nothing_up(folder: Path, connect: Connect) -> None:
    with EmulatedDevice(yang=folder) as device:
        connect(device).edit_config(config(acls(acl("crash"))), target="candidate")
        notes = [line for line in device.log() if line.operation == "yang"]
        assert [(n.outcome, n.performed) for n in notes] == [("not-checked", False)]
        assert "crash" in device.candidate()


def test_what_is_not_checked_is_said(gateway: Device, tmp_path: Path, folder: Path) -> None:
    assert gateway.state().yang.startswith("not checked against YANG")
    assert "no folder of modules was given" in gateway.state().yang
    assert "is no executable file" in yang_check(tmp_path / "nowhere", "ietf").about
    assert "has no modules of sros" in yang_check(folder, "sros").about


@pytest.mark.skipif(not (SHARED / "validate").exists(), reason="no vendors' YANG modules beside the repository")
@pytest.mark.skipif(shutil.which("yanglint") is None, reason="yanglint is not installed")
def test_the_modules_themselves(connect: Connect) -> None:
    unfit = ace("inc-1").replace("203.0.113.66/32", "2001:db8::/32")  # an IPv6 prefix in an IPv4 match
    with EmulatedDevice(yang=SHARED) as device:
        session = connect(device, timeout=60)
        session.edit_config(block(), target="candidate")
        session.validate("candidate")
        assert refused(session.edit_config, config(acls(acl("x", unfit))), target="candidate").tag == "invalid-value"
        assert not [line for line in device.log() if line.operation == "yang"]
