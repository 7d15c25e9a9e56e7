"""examples/ci/remediate.sh against a real bare repository: the merge is the approval."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.emulator.waiting import until

from .desk import BIN, PROJECT, Desk, Done

SCRIPT = PROJECT / "examples" / "ci" / "remediate.sh"
WAIT_S = "60"


@pytest.fixture
def desk(new_desk: Callable[[], Desk]) -> Desk:
    """A desk for each test."""
    return new_desk()


class Forge:
    """A bare repository, and what a reviewer does with it from a clone of their own."""

    def __init__(self, desk: Desk, *, with_main: bool) -> None:
        self.desk = desk
        self.bare = desk.root / "plans.git"
        self.clone = desk.root / "reviewer"
        self.git("init", "--quiet", "--bare", str(self.bare))
        self.git("clone", "--quiet", str(self.bare), str(self.clone))
        if with_main:
            (self.clone / "README").write_text("plans\n")
            self.reviewer("checkout", "--quiet", "-b", "main")
            self.commit("Begin")
            self.reviewer("push", "--quiet", "origin", "main")

    def git(self, *arguments: str) -> str:
        """Git's output; any failure fails the test."""
        environ = {**self.desk.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
        done = subprocess.run(["git", *arguments], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def reviewer(self, *arguments: str) -> str:
        """Git in the reviewer's clone."""
        return self.git("-C", str(self.clone), *arguments)

    def commit(self, message: str) -> None:
        """Commit everything in the reviewer's clone."""
        self.reviewer("add", "--all")
        self.reviewer("-c", "user.name=r", "-c", "user.email=r@localhost", "commit", "--quiet", "-m", message)

    def branches(self) -> list[str]:
        """Branches of the bare repository."""
        return self.git("-C", str(self.bare), "for-each-ref", "--format=%(refname:short)", "refs/heads").split()

    def proposal(self) -> str:
        """The branch with the plan, once it is there."""
        until(lambda: any(b.startswith("secloop/") for b in self.branches()), seconds=60)
        (branch,) = (b for b in self.branches() if b.startswith("secloop/"))
        self.reviewer("fetch", "--quiet", "origin")
        return branch

    def check_out(self, branch: str) -> Path:
        """The branch in the reviewer's clone; the plan's folder there."""
        self.reviewer("checkout", "--quiet", branch)
        return self.clone / "plans" / branch.removeprefix("secloop/")


@contextmanager
def remediation(desk: Desk, forge: Forge, *, wait_s: str = WAIT_S) -> Iterator[subprocess.Popen[str]]:
    """`remediate.sh run`, under way."""
    command = [str(SCRIPT), "run", desk.alerts.name, str(forge.bare), str(desk.inventory), wait_s]
    process = subprocess.Popen(
        command,
        cwd=desk.alerts.parent,
        env=desk.environ | {"SECLOOP_BIN": str(BIN)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> Done:
    out, err = process.communicate(timeout=90)
    return Done(process.returncode, out, err)


def test_a_merged_plan_is_applied_and_verified_and_then_there_is_nothing_to_do(desk: Desk) -> None:
    forge = Forge(desk, with_main=True)
    with remediation(desk, forge) as process:
        branch = forge.proposal()
        assert desk.active() == []
        plan = forge.check_out(branch)
        assert "ge0 ingress: ip 203.0.113.66/32 -> any: permit -> drop" in (plan / "summary.txt").read_text()
        forge.reviewer("checkout", "--quiet", "main")
        forge.reviewer("merge", "--quiet", "--squash", f"origin/{branch}")
        forge.commit("Approve")
        forge.reviewer("push", "--quiet", "origin", "main")
        forge.reviewer("push", "--quiet", "origin", "--delete", branch)
        done = ended(process)
    assert done.rc == 0, done.said
    assert "1 mitigations active" in done.out
    assert "203.0.113.66/32" in desk.device.running()
    with remediation(desk, forge) as process:
        again = ended(process)
    assert again.rc == 0, again.said
    assert "needs no change" in again.err
    assert forge.branches() == ["main"]
    assert list(desk.scratch.iterdir()) == []


def test_a_repository_that_begins_empty(desk: Desk) -> None:
    forge = Forge(desk, with_main=False)
    with remediation(desk, forge) as process:
        branch = forge.proposal()
        forge.reviewer("push", "--quiet", "origin", f"origin/{branch}:refs/heads/main")
        done = ended(process)
    assert done.rc == 0, done.said
    assert len(desk.active()) == 1


def test_a_reviewers_edit_of_the_document_is_not_applied(desk: Desk) -> None:
    before, forge = desk.device.running(), Forge(desk, with_main=False)
    with remediation(desk, forge) as process:
        branch = forge.proposal()
        edit = forge.check_out(branch) / "devices/gw1/edit.xml"
        edit.write_text(edit.read_text().replace("203.0.113.66/32", "203.0.113.0/24"))
        forge.commit("Wider, please")
        forge.reviewer("push", "--quiet", "origin", f"{branch}:refs/heads/main")
        done = ended(process)
    assert done.rc == 1, done.said
    assert "edit.xml: changed since the plan was written" in " ".join(done.said.split())
    assert desk.device.running() == before


def test_a_deleted_branch_is_a_refusal(desk: Desk) -> None:
    before, forge = desk.device.running(), Forge(desk, with_main=True)
    with remediation(desk, forge) as process:
        branch = forge.proposal()
        forge.reviewer("push", "--quiet", "origin", "--delete", branch)
        done = ended(process)
    assert done.rc == 4, done.said
    assert "refused" in done.err
    assert desk.device.running() == before


def test_no_answer_in_time_changes_nothing(desk: Desk) -> None:
    before, forge = desk.device.running(), Forge(desk, with_main=True)
    with remediation(desk, forge, wait_s="1") as process:
        done = ended(process)
    assert done.rc == 3, done.said
    assert forge.proposal() in forge.branches()
    assert desk.device.running() == before
    assert list(desk.scratch.iterdir()) == []


def test_what_cannot_be_rendered_is_a_failure_and_proposes_nothing(desk: Desk) -> None:
    forge = Forge(desk, with_main=True)
    desk.alerts.unlink()
    with remediation(desk, forge) as process:
        done = ended(process)
    assert done.rc == 1, done.said
    assert "eve.json" in done.err
    assert "Traceback" not in done.said
    assert forge.branches() == ["main"]


@pytest.mark.parametrize("arguments", [(), ("run",), ("apply", "plan"), ("rnder", "a", "b", "c")])
def test_a_wrong_call_is_answered_with_the_usage(desk: Desk, arguments: tuple[str, ...]) -> None:
    done = desk.run(SCRIPT, *arguments)
    assert done.rc == 1
    assert "remediate.sh run    ALERT_FILE REPOSITORY INVENTORY [WAIT_S]" in done.out
    assert "set -euo" not in done.out
