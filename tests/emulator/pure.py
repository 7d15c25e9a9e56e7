"""The tree without a device: edit and read back."""

from __future__ import annotations

from labs.emulator.edit import Operation, apply_edit
from labs.emulator.names import parse_xml
from labs.emulator.reading import unwrap
from labs.emulator.schema import load_schema
from labs.emulator.tree import EMPTY, Node

ROOT = load_schema("ietf").root


def edited(before: Node, document: str, default: Operation = Operation.MERGE) -> Node:
    return apply_edit(ROOT, before, unwrap(parse_xml(document.encode())), default)


def tree(document: str) -> Node:
    return edited(EMPTY, document)
