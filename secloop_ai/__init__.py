"""SecLoop: IDS alerts in, verified and reversible network changes out."""

from __future__ import annotations

__version__ = "0.1.0"
