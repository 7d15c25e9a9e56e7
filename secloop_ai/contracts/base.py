"""The base of every model that crosses a wall of the house."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}$")]
"""A name an inventory gives: of a device, an interface, a host."""


class Frozen(BaseModel):
    """An immutable model with a closed schema: an unknown field is an error, never ignored."""

    # defer_build: an Ansible module is a new process and uses few of these models
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def digest(self) -> str:
        """SHA-256 (hex) of the model's canonical JSON: equal models have equal digests."""
        return sha256_json(self.model_dump(mode="json"))


def sha256_json(value: Any) -> str:
    """SHA-256 (hex) of a JSON-able value with sorted keys and no spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
