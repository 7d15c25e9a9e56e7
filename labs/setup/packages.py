"""Installs the Debian packages of the lab: ``python -m labs.setup.packages``.

Prints every change to the system before it is made. While apt works, the starting of services is denied (policy-rc.d);
that denial and a source added for Suricata are taken away again, also after a failure. Exit codes: 0 all is there,
1 apt failed, 3 no root, 4 no apt, 5 not agreed to.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from labs.attacks.registry import all_means, missing_tools
from labs.lab import requirements

from . import sources

EXIT_FAILED, EXIT_NO_ROOT, EXIT_NO_APT, EXIT_DECLINED = 1, 3, 4, 5
POLICY = Path("/usr/sbin/policy-rc.d")
SOURCE_FILE = Path("/etc/apt/sources.list.d/secloop-backports.list")
MARK = "# secloop: for the time of an installation; removed afterwards"
POLICY_TEXT = f"#!/bin/sh\n{MARK}\nexit 101\n"
SURICATA_AT_LEAST = 7
# what these packages would start at the next boot; the lab runs its own
SERVICES = {"suricata": "suricata.service", "openssh-server": "ssh.service"}
CONTAINER_SIGNS = (Path("/.dockerenv"), Path("/run/.containerenv"))


class Refused(Exception):  # noqa: N818 - says what became of the request
    """Why nothing was installed, and the exit code for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def wanted(*, attacks: bool = False) -> tuple[str, ...]:
    """Debian packages to install: those whose files or programs the lab, or any attack means, misses."""
    lacking = {package for _, package in requirements.missing()}
    base = tuple(package for package in requirements.PACKAGES if package in lacking)
    tools = {tool.package for plugin in all_means() for tool in missing_tools(plugin)} if attacks else set()
    return (*base, *sorted(tools - set(base)))


def may_install(*, yes: bool) -> None:
    """Whether this may be done here; asks where a person has to be asked.

    Raises:
        Refused: no apt, no root, or nobody agreed.
    """
    if not Path("/usr/bin/apt-get").exists():
        raise Refused("there is no apt here: install the packages by other means", EXIT_NO_APT)
    if os.geteuid() != 0:
        raise Refused("installing packages needs root", EXIT_NO_ROOT)
    if yes or os.environ.get("CI") or any(sign.exists() for sign in CONTAINER_SIGNS):
        return
    if not sys.stdin.isatty():
        raise Refused("not agreed to: nobody to ask here; set CI=1 or give --yes", EXIT_DECLINED)
    if input("Install them? [y/N] ").strip().lower() not in {"y", "yes"}:
        raise Refused("not agreed to", EXIT_DECLINED)


def install(packages: tuple[str, ...]) -> None:
    """Install the packages; changes the system, and says how.

    Raises:
        Refused: apt failed.
    """
    with _services_denied():
        apt("update", "-q")
        rest = [package for package in packages if package != "suricata"]
        if rest:
            apt("install", "-q", "-y", "--no-install-recommends", *rest)
        if "suricata" in packages:
            _install_suricata()
        _disable_services(packages)


def _disable_services(packages: tuple[str, ...]) -> None:
    """Services that came with the packages do not start at the next boot either."""
    if shutil.which("systemctl") is None:
        return  # nothing here starts services by itself
    for service in (SERVICES[package] for package in packages if package in SERVICES):
        argv = ["systemctl", "disable", service]
        say(f"+ {' '.join(argv)}")
        if subprocess.run(argv, capture_output=True, check=False).returncode:
            say(f"{service} could not be disabled: it may start at the next boot")


def _install_suricata() -> None:
    if _candidate("suricata") >= SURICATA_AT_LEAST:
        apt("install", "-q", "-y", "--no-install-recommends", "suricata")
        return
    release = sources.codename()
    extra = sources.backports(sources.configured(), release)
    with _source(extra):
        if extra:
            apt("update", "-q")
        apt("install", "-q", "-y", "--no-install-recommends", "-t", f"{release}-backports", "suricata")


def _candidate(package: str) -> int:
    """Major version that apt would install; 0 when it knows none."""
    done = subprocess.run(["apt-cache", "policy", package], capture_output=True, text=True, check=False)
    found = re.search(r"Candidate: (?:\d+:)?(\d+)", done.stdout)
    return int(found[1]) if found else 0


def apt(*arguments: str) -> None:
    """Run apt-get, its output shown.

    Raises:
        Refused: it failed.
    """
    argv = ["apt-get", "-o", "Dpkg::Options::=--force-confold", *arguments]
    say(f"+ {' '.join(argv)}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if code := subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, check=False).returncode:
        raise Refused(f"apt-get {arguments[0]} failed with exit code {code}", EXIT_FAILED)


@contextmanager
def _services_denied() -> Iterator[None]:
    """Installed packages must not start their services; a policy of the machine's own is left alone."""
    own = not POLICY.exists() or MARK in POLICY.read_text(encoding="utf-8", errors="replace")
    if not own:
        say(f"{POLICY} is there already and stays: it decides which services start")
        yield
        return
    say(f"+ write {POLICY} (no service is started while apt works)")
    try:
        POLICY.write_text(POLICY_TEXT, encoding="utf-8")
        POLICY.chmod(0o755)
        yield
    finally:
        POLICY.unlink(missing_ok=True)
        say(f"+ removed {POLICY}")


@contextmanager
def _source(extra: sources.Source | None) -> Iterator[None]:
    if extra is None:
        yield
        return
    line = sources.as_line(extra)
    say(f"+ write {SOURCE_FILE}: {line.strip()}")
    try:
        SOURCE_FILE.write_text(f"{MARK}\n{line}", encoding="utf-8")
        SOURCE_FILE.chmod(0o644)
        yield
    finally:
        SOURCE_FILE.unlink(missing_ok=True)
        say(f"+ removed {SOURCE_FILE}")


def say(text: str) -> None:
    """Print at once, so that it stands before what apt prints."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _terminated(*_: object) -> NoReturn:
    raise SystemExit(128 + signal.SIGTERM)


def run(*, yes: bool, attacks: bool = False) -> None:
    """Install what lacks and look again.

    Raises:
        Refused: it could not be done; the text says why.
    """
    packages = wanted(attacks=attacks)
    if packages:
        say(f"The lab needs these Debian packages: {' '.join(packages)}")
        may_install(yes=yes)
        signal.signal(signal.SIGTERM, _terminated)
        install(packages)
    if lacking := requirements.explain():
        raise Refused(lacking, EXIT_NO_ROOT if os.geteuid() else EXIT_FAILED)
    say("The lab has all it needs.")


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m labs.setup.packages", description="Install the lab's packages.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--optional", action="store_true", help="where they cannot be had, say so and exit 0")
    parser.add_argument("--attacks", action="store_true", help="the tools of every attack means, too")
    options = parser.parse_args(argv)
    try:
        run(yes=options.yes, attacks=options.attacks)
    except Refused as refusal:
        say(f"No lab here: {refusal}")
        return 0 if options.optional else refusal.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
