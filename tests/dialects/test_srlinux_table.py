"""The emulator's table of SR Linux against Nokia's own modules, where they are at hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from labs.emulator.schema import SchemaNode, load_schema

REPO = Path(__file__).parents[2]
VALIDATE = Path(os.environ.get("SECLOOP_YANG_VALIDATE", REPO.parent / "shared" / "yang" / "validate"))
MODULES = VALIDATE.parent / "srlinux"
context, repository = import_module("pyang.context"), import_module("pyang.repository")  # pyang has no types


def data_nodes(statement: Any) -> dict[str, Any]:
    """Configuration below a statement by Clark name, in order; choices and cases are looked through."""
    found: dict[str, Any] = {}
    for child in getattr(statement, "i_children", []):
        if child.keyword in {"choice", "case"}:
            found |= data_nodes(child)
        elif child.keyword in {"container", "list", "leaf", "leaf-list"} and getattr(child, "i_config", True):
            found[f"{{{child.i_module.search_one('namespace').arg}}}{child.arg}"] = child
    return found


def says(statement: Any, keyword: str, value: str) -> bool:
    found = statement.search_one(keyword)
    return found is not None and found.arg == value


def pairs(ours: SchemaNode, theirs: dict[str, Any]) -> Iterator[tuple[SchemaNode, Any]]:
    assert [tag for tag in theirs if tag in ours.children] == list(ours.children), ours.tag
    for tag, node in ours.children.items():
        yield node, theirs[tag]
        yield from pairs(node, data_nodes(theirs[tag]))


def test_every_node_is_what_the_yang_says_in_its_order() -> None:
    if not MODULES.is_dir():
        pytest.skip(f"no YANG modules at {MODULES}; set SECLOOP_YANG_VALIDATE")
    compiler = context.Context(repository.FileRepository(str(MODULES), use_env=False))
    schema = load_schema("srlinux")
    for module in schema.modules:
        path = MODULES / f"{module.name}.yang"
        compiler.add_module(str(path), path.read_text(encoding="utf-8"))
    compiler.validate()
    top: dict[str, Any] = {}
    for module in schema.modules:
        found = compiler.get_module(module.name)
        assert module.revision in {r.arg for r in found.search("revision")}, module.name
        top |= data_nodes(found)
    compared = list(pairs(schema.root, top))
    assert len(compared) > 90
    for node, statement in compared:
        assert node.kind == statement.keyword, node.tag
        assert node.presence == (statement.search_one("presence") is not None), node.tag
        assert node.user_ordered == says(statement, "ordered-by", "user"), node.tag
        assert node.mandatory == says(statement, "mandatory", "true"), node.tag
