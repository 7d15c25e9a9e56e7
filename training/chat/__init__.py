"""Local causal language models that chat: loaded, constrained to a JSON schema, served over HTTP."""

from __future__ import annotations

from .constrain import SchemaError
from .model import LocalModel, Written
from .weights import load_weights

__all__ = ["LocalModel", "SchemaError", "Written", "load_weights"]
