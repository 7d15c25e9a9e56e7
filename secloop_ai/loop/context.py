"""What the steps of one run share: settings, ledger, clock, environment, secrets."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr, ValidationError

from secloop_ai.contracts import Environment, HostRunner, InputError
from secloop_ai.settings import Settings

if TYPE_CHECKING:
    from secloop_ai.inventory import Loaded, Reading
    from secloop_ai.ledger import Ledger

ENVIRONMENT_FILE = "environment.json"
EXPIRER = "expirer"
"""Name of the expirer's heartbeat in the ledger."""
NUMBERS = ("candidates", "seed", "confirm_timeout_s", "max_failed")
"""Parameters of steps that are settings, and may be 0."""


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class Context:
    """Lazily opened, so that a step pays for what it uses."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        given = {k: params[k] for k in ("ledger_url", "run_dir", "policy") if params.get(k)}
        numbers = {k: params[k] for k in NUMBERS if params.get(k) is not None}
        serial = {"serial": ",".join(params["serial"])} if params.get("serial") else {}
        self.settings = settings_with({**given, **numbers, **serial})
        self.inventory: Sequence[str] = tuple(params.get("inventory") or ())
        self._config: str | None = params.get("ansible_config") or None
        self._ledger: Ledger | None = None
        self._reading: Reading | None = params.get("reading")
        self._loaded: Loaded | None = None

    @property
    def run_dir(self) -> Path:
        """The run directory, made private when it is new."""
        path = Path(self.settings.run_dir)
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path

    @property
    def ledger(self) -> Ledger:
        """The ledger, opened at first use.

        Raises:
            LedgerError: it cannot be opened.
        """
        if self._ledger is None:
            from secloop_ai.ledger import open_ledger

            self._ledger = open_ledger(self.settings.ledger_url)
        return self._ledger

    def start_reading(self) -> None:
        """Set the reading of the inventory off, in a process of its own, while the caller imports what it needs."""
        from secloop_ai.inventory import start

        if self._reading is None:
            self._reading = start(self.inventory, config=self._config, secrets=True)

    def load(self) -> Loaded:
        """The inventory as an Environment, and its passwords; read once.

        Raises:
            InventoryError: the inventory is wrong.
        """
        if self._loaded is None:
            self.start_reading()
            from secloop_ai.dialects import known
            from secloop_ai.inventory import load_with_secrets

            reading, self._reading = self._reading, None
            self._loaded = load_with_secrets(reading or self.inventory, config=self._config, known_dialects=known())
        return self._loaded

    def forget_inventory(self) -> None:
        """Read the inventory anew when it is next needed: for a process that outlives its changes."""
        self._loaded = None

    def environment(self) -> Environment:
        """The inventory as an Environment.

        Raises:
            InventoryError: the inventory is wrong.
        """
        return self.load().environment

    def passwords(self, environment: Environment) -> Mapping[str, SecretStr]:
        """Device passwords from the inventory (vault); read only where some device has no key file."""
        if self._loaded is None and all(d.connection.key_file for d in environment.devices):
            return {}
        return self.load().secrets

    def host_runner(self) -> HostRunner:
        """What runs the roles of host actions: ansible-runner on this run's own inventory and ansible.cfg.

        Raises:
            InputError: there is no checkout with the playbook it runs.
        """
        from .hosts import AnsibleHosts

        return AnsibleHosts(
            self.inventory,
            config=self._config,
            timeout_s=self.settings.host_timeout_s,
            concurrency=self.settings.concurrency,
        )


def settings_with(values: Mapping[str, Any]) -> Settings:
    """Settings from the environment, overridden by a step's parameters.

    Raises:
        SettingsError: a variable or parameter is wrong.
    """
    merged = {f"SECLOOP_{k.upper()}": str(v) for k, v in values.items()}
    return Settings.load({**os.environ, **merged})


def load_environment_file(path: Path) -> Environment:
    """An Environment that an earlier step of the same run wrote.

    Raises:
        InputError: unreadable, or not an Environment.
    """
    try:
        return Environment.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except ValidationError as error:
        raise InputError(f"{path}: {error.error_count()} fields are wrong: run the decide step again") from None
