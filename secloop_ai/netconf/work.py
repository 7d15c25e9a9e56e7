"""What a transaction is asked to do on one device."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from secloop_ai.contracts import Device, DeviceModel, Dialect, TaggedOp


@dataclass(frozen=True, kw_only=True, slots=True)
class Work:
    """One device's share of a change.

    Attributes:
        password: of the user or the key file, where one is needed.
        edit: children of ``<config>`` for edit-config.
        base_digests: the subtrees the edit was rendered from, as :meth:`Dialect.digests` names them.
        operations: what the edit brings or takes away.
        check: problems of a running configuration that should hold the change, one sentence each; empty when the
            change is in effect.
    """

    device: Device
    password: SecretStr | None
    dialect: Dialect
    edit: str
    base_digests: Mapping[str, str]
    operations: tuple[TaggedOp, ...]
    check: Callable[[DeviceModel], tuple[str, ...]]

    def moved(self, data: str) -> tuple[str, ...]:
        """Subtrees of a configuration that are not what the edit was rendered from."""
        now = self.dialect.digests(data, self.operations)
        names = {**self.base_digests, **now}
        return tuple(n for n in names if now.get(n) != self.base_digests.get(n))

    def problems(self, data: str) -> tuple[str, ...]:
        """What a configuration lacks of the change.

        Raises:
            DialectError: the configuration cannot be read.
        """
        return self.check(self.dialect.parse(data))

    def tagged(self, data: str) -> frozenset[str]:
        """Mitigations of this change whose mark is in a configuration."""
        return self.dialect.tags(data) & {o.tag for o in self.operations}


def new_persist_id() -> str:
    """A persist id that nobody guesses: whoever knows it can confirm or cancel the commit."""
    return f"secloop-{secrets.token_hex(16)}"
