"""Between models and what a column holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError

from secloop_ai.contracts import Frozen
from secloop_ai.contracts.errors import LedgerError

M = TypeVar("M", bound=Frozen)


def iso(at: datetime) -> str:
    """UTC text of fixed width, so that text order is time order.

    Raises:
        LedgerError: a time without a zone could mean any instant.
    """
    if at.tzinfo is None:
        raise LedgerError(f"the time {at.isoformat()} has no time zone")
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def instant(text: str, where: str) -> datetime:
    """The timezone-aware time that :func:`iso` wrote."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise LedgerError(f"{where} is damaged: {text[:40]!r} is no time") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def dump(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, ASCII (what an attacker wrote becomes escapes inside a string)."""
    plain = value.model_dump(mode="json") if isinstance(value, Frozen) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def undump(text: str, where: str) -> Any:
    """The value that :func:`dump` wrote.

    Raises:
        LedgerError: not JSON; names `where`.
    """
    try:
        return json.loads(text)
    except ValueError as error:
        raise LedgerError(f"{where} is damaged: {error}") from None


def load(model: type[M], value: str | dict[str, Any], where: str) -> M:
    """A model from its JSON text or its plain fields.

    Raises:
        LedgerError: what is stored does not fit the model; names `where` and the field.
    """
    plain = undump(value, where) if isinstance(value, str) else value
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise LedgerError(f"{where} is damaged: {field}: {first['msg']}") from None
