"""Settings of a run: from the environment, with defaults that suit one machine."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from .contracts.base import Frozen
from .contracts.errors import SettingsError

PREFIX = "SECLOOP_"
DEFAULT_POLICY = "rehearse:6:embedded"
"""The weights that ship, their candidates rehearsed where they are not sure (``python -m training.doubt``)."""
SERIAL = re.compile(r"[1-9][0-9]{0,5}|(100|[1-9][0-9]?)%")


class Settings(Frozen):
    """Where things lie and how patient the loop is. All times are seconds.

    Attributes:
        state_dir: what is kept between runs: ledger, runs, promoted weights; by default the XDG state folder's.
        ledger_url: SQLAlchemy URL of the ledger.
        run_dir: where runs and plans are written.
        policy: back end, as ``secloop policy list`` shows them.
        candidates: how many strategies the policy is asked for.
        confirm_timeout_s: after this long without a confirm, the devices undo the commit themselves.
        verify_rounds: how often every legitimate check must pass while the commit is pending.
        verify_timeout_s: how long to wait for those rounds.
        pending_rpc_interval_s: least time between two polls of a device while a confirmed commit is pending; some
            servers serve their rollback timer only when idle.
        concurrency: devices, and hosts, worked on side by side.
        max_failed: a change goes on while at most so many devices have failed before anything had an effect; they are
            left as they were, and named. A removal is for all devices or none, whatever this says.
        serial: how many devices commit first, and next, and so on, as Ansible's: numbers or shares as ``10%``, by
            commas in the environment. Each batch is verified before the next commits; all are confirmed at the end.
        host_timeout_s: after this long a run of host roles is ended, and undone.
    """

    state_dir: str = ""
    ledger_url: str = ""
    run_dir: str = ""
    policy: str = DEFAULT_POLICY
    candidates: int = Field(default=1, ge=1, le=64)
    seed: int = Field(default=0, ge=0)
    confirm_timeout_s: float = Field(default=60.0, ge=5.0, le=86400.0)
    verify_rounds: int = Field(default=2, ge=1, le=1000)
    verify_timeout_s: float = Field(default=15.0, gt=0)
    pending_rpc_interval_s: float = Field(default=1.0, ge=0)
    concurrency: int = Field(default=20, ge=1, le=1000)
    max_failed: int = Field(default=0, ge=0)
    serial: tuple[str, ...] = ()
    host_timeout_s: float = Field(default=300.0, ge=5.0, le=86400.0)

    @field_validator("serial", mode="before")
    @classmethod
    def _by_commas(cls, given: Any) -> Any:
        parts = given.split(",") if isinstance(given, str) else [str(part) for part in given]
        found = tuple(part.strip() for part in parts if part.strip())
        if wrong := [part for part in found if not SERIAL.fullmatch(part)]:
            raise ValueError(f"{wrong[0]!r} is neither a number of devices nor a share such as 10%")
        return found

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Settings from ``SECLOOP_*`` environment variables.

        Raises:
            SettingsError: names the variable that is wrong.
        """
        env = os.environ if environ is None else environ
        values = {n: env[PREFIX + n.upper()] for n in cls.model_fields if PREFIX + n.upper() in env}
        try:
            loaded = cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = PREFIX + str(first["loc"][0]).upper()
            raise SettingsError(f"{name}: {first['msg']}") from None
        state = Path(loaded.state_dir or _state_home(env) / "secloop")
        return loaded.model_copy(
            update={
                "state_dir": str(state),
                "ledger_url": loaded.ledger_url or f"sqlite:///{state / 'ledger.sqlite'}",
                "run_dir": loaded.run_dir or str(state / "runs"),
            }
        )


def _state_home(env: Mapping[str, str]) -> Path:
    """The XDG state folder."""
    return Path(env.get("XDG_STATE_HOME") or Path(env.get("HOME", "/")) / ".local" / "state")
