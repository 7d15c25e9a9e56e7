"""Pydantic's verdicts on a host's variables, said for the person who wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from secloop_ai.contracts import BannerCheck, Frozen, HttpCheck, TcpCheck

from .findings import Findings, did_you_mean
from .schema import AccessVars, AttachmentVars, InterfaceVars, ProbeVars, ServiceVars
from .source import KeyPath, RawHost

CHECKS: dict[str, type[Frozen]] = {"http": HttpCheck, "tcp": TcpCheck, "banner": BannerCheck}
NESTED: dict[KeyPath, type[Frozen]] = {
    ("interfaces", "*"): InterfaceVars,
    ("services", "*"): ServiceVars,
    ("attached_to",): AttachmentVars,
    ("probe",): ProbeVars,
    ("access",): AccessVars,
    **{("services", "*", "check", tag): model for tag, model in CHECKS.items()},
}
PATTERNS = {
    r"^[a-z0-9][a-z0-9._-]{0,63}$": "lower-case letters, digits, '.', '_' and '-', at most 64",
    r"^[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}$": "letters, digits, '.', '_', '/', ':' and '-', at most 64",
    r"^[A-Za-z0-9._-]{1,64}$": "letters, digits, '.', '_' and '-', at most 64",
    r"^[A-Za-z0-9_.:%-]{1,255}$": "an address or a host name",
    r"^/[\x21-\x7e]*$": "printable characters without spaces, the first a '/'",
    r"^[\x20-\x7e]{1,64}$": "printable characters, at most 64",
}
KINDS = {
    "string_type": "text (put it in quotes)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}
Model = TypeVar("Model", bound=Frozen)


def validated(model: type[Model], value: Any, host: RawHost, path: KeyPath, findings: Findings) -> Model | None:
    """The value as the model; None, with every problem noted, where it does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for detail in error.errors():
            at_key = detail["type"] == "extra_forbidden" or "[key]" in detail["loc"]
            findings.add(host, (*path, *_written(detail["loc"])), _message(model, detail), at_key=at_key)
        return None


def _written(loc: tuple[str | int, ...]) -> KeyPath:
    """The location as its author wrote it: without the tag of a check and pydantic's mark of a key."""
    return tuple(
        part for n, part in enumerate(loc) if part != "[key]" and not (n and loc[n - 1] == "check" and part in CHECKS)
    )


def _message(model: type[Frozen], detail: ErrorDetails) -> str:
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return _unknown_key(model, detail["loc"])
    if kind == "missing":
        return "is required"
    if kind == "value_error":
        return str(context["error"])
    if kind == "union_tag_not_found":
        return f"needs a type: one of {', '.join(CHECKS)}"
    must = _must(kind, context) or detail["msg"].removeprefix("Input should be ")
    return f"must be {must}, not {_shown(context.get('tag', given))}"


def _must(kind: str, context: Mapping[str, Any]) -> str | None:
    if kind in {"literal_error", "enum"}:
        return "one of " + str(context["expected"]).replace("'", "").replace(" or ", ", ")
    if kind == "union_tag_invalid":
        return f"one of {', '.join(CHECKS)}"
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"text of the form {context['pattern']}")
    return KINDS.get(kind)


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return repr(value) if len(repr(value)) <= 80 else repr(value)[:77] + "..."  # noqa: PLR2004 - a line


def _unknown_key(model: type[Frozen], loc: tuple[str | int, ...]) -> str:
    fields = [n for n in _model_at(model, loc[:-1]).model_fields if n != "type"]
    if _model_at(model, loc[:-1]) in CHECKS.values():
        fields.insert(0, "type")
    return f"unknown key; allowed: {', '.join(fields)}{did_you_mean(str(loc[-1]), fields)}"


def _model_at(model: type[Frozen], loc: tuple[str | int, ...]) -> type[Frozen]:
    """The model that the value at a location has to be."""
    pattern = tuple("*" if n == 1 and loc[0] in {"interfaces", "services"} else part for n, part in enumerate(loc))
    return NESTED.get(pattern, model)
