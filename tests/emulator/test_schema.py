"""The data table of the ietf dialect against the YANG modules themselves, as pyang reads them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.metadata import files
from pathlib import Path
from typing import Any

import pytest

from labs.emulator.names import split_tag
from labs.emulator.schema import Kind, SchemaNode, load_schema

context, repository = import_module("pyang.context"), import_module("pyang.repository")  # pyang has no types
SCHEMA = load_schema("ietf")
OUR_MODULES = Path(__file__).parents[2] / "labs" / "yang"
# Configuration that the table leaves out: whoever sends it is told unknown-element.
LEFT_OUT = {"link-up-down-trap-enable", "next-hop-list", "ipv4-multicast", "default-rib"}
WHOLE_NUMBERS = {f"{sign}int{bits}" for sign in ("u", "") for bits in (8, 16, 32, 64)}
SPELLING = {
    "ipv4-prefix": "string",
    "ipv6-prefix": "string",
    "ipv4-address": "string",
    "ipv6-address": "union string",
    "mac-address": "string",
    "enum": "enumeration",
    "string": "string uint16 union binary",
    "leafref": "leafref",
}


@cache
def yang() -> dict[str, Any]:
    """The modules of the table by name, compiled together."""
    shipped = [Path(str(f.locate())) for f in files("pyang") or [] if f.suffix == ".yang"]
    paths = {path.stem: path for path in (*shipped, *OUR_MODULES.glob("*.yang"))}
    folders = sorted({str(path.parent) for path in paths.values()})
    repo = repository.FileRepository(":".join(folders), use_env=False)
    compiler = context.Context(repo)
    for module in SCHEMA.modules:
        compiler.add_module(str(paths[module.name]), paths[module.name].read_text(encoding="utf-8"))
    compiler.validate()
    return {m.name: compiler.get_module(m.name) for m in SCHEMA.modules}


def data_nodes(statement: Any) -> dict[str, Any]:
    """Configuration data nodes below a statement by Clark name; choices and cases are looked through."""
    found: dict[str, Any] = {}
    for child in getattr(statement, "i_children", []):
        if child.keyword in {"choice", "case"}:
            found |= data_nodes(child)
        elif child.keyword in {"container", "list", "leaf", "leaf-list"} and getattr(child, "i_config", True):
            namespace = child.i_module.search_one("namespace").arg
            found[f"{{{namespace}}}{child.arg}"] = child
    return found


def pairs(ours: SchemaNode, theirs: dict[str, Any]) -> Iterator[tuple[SchemaNode, Any]]:
    for tag, node in ours.children.items():
        assert tag in theirs, f"{tag} is not in the YANG"
        yield node, theirs[tag]
        yield from pairs(node, data_nodes(theirs[tag]))


def every_pair() -> list[tuple[SchemaNode, Any]]:
    top: dict[str, Any] = {}
    for module in yang().values():
        top |= data_nodes(module)
    return list(pairs(SCHEMA.root, top))


def base_type(leaf: Any) -> str:
    kind = leaf.search_one("type")
    while getattr(kind, "i_typedef", None) is not None:
        kind = kind.i_typedef.search_one("type")
    return str(kind.arg)


def flag(statement: Any, keyword: str, value: str) -> bool:
    found = statement.search_one(keyword)
    return found is not None and found.arg == value


def key_names(statement: Any) -> list[str]:
    keys = statement.search_one("key")
    return keys.arg.split() if keys else []


def test_every_node_is_what_the_yang_says() -> None:
    compared = every_pair()
    assert len(compared) > 90
    for node, statement in compared:
        assert node.kind == statement.keyword, node.tag
        is_key = node.leaf is not None and split_tag(node.tag)[1] in key_names(statement.parent)
        assert node.mandatory == (flag(statement, "mandatory", "true") and not is_key), node.tag
        assert node.user_ordered == flag(statement, "ordered-by", "user"), node.tag
        assert node.presence == (statement.search_one("presence") is not None), node.tag
        assert [split_tag(key)[1] for key in node.keys] == key_names(statement), node.tag


def test_every_leaf_has_its_base_type() -> None:
    leaves = [(node, statement) for node, statement in every_pair() if node.leaf]
    for node, statement in leaves:
        assert node.leaf is not None
        ours = node.leaf.name.split()[0]
        assert base_type(statement) in SPELLING.get(ours, ours).split(), node.tag
        if ours in WHOLE_NUMBERS and statement.search_one("type").search_one("range"):
            written = statement.search_one("type").search_one("range").arg.replace(" ", "")
            assert node.leaf.name.split()[1] == written, node.tag


def test_nothing_is_missing_but_what_is_left_out_on_purpose() -> None:
    own = {module.namespace for module in SCHEMA.modules}
    for node, statement in every_pair():
        if node.kind is not Kind.LEAF:
            absent = {tag for tag in data_nodes(statement) if split_tag(tag)[0] in own} - set(node.children)
            assert {split_tag(tag)[1] for tag in absent} <= LEFT_OUT, node.tag


def choice_of(statement: Any) -> Any:
    around = statement.parent.parent if statement.parent.keyword == "case" else statement.parent
    return around if around.keyword == "choice" else None


def test_choices_agree() -> None:
    for node, statement in every_pair():
        choice = choice_of(statement)
        if node.case:
            assert choice is not None, node.tag
            assert node.case[0] == choice.arg, node.tag
        elif choice is not None:
            assert len(choice.i_children) == 1, node.tag


def test_identities_exist() -> None:
    known = {
        f"{{{module.search_one('namespace').arg}}}{name}" for module in yang().values() for name in module.i_identities
    }
    for node, _ in every_pair():
        if node.leaf and node.leaf.identities is not None:
            assert set(node.leaf.identities) <= known, node.tag


def test_revisions_are_those_of_the_modules() -> None:
    for module in SCHEMA.modules:
        revisions = {r.arg for r in yang()[module.name].search("revision")}
        assert module.revision in revisions, module.name


def test_modules_that_a_device_lacks_are_unknown_to_it() -> None:
    small = load_schema("ietf", ("ietf-interfaces", "iana-if-type"))
    assert [split_tag(tag)[1] for tag in small.root.children] == ["interfaces"]
    without_limit = load_schema("ietf", ("ietf-interfaces", "ietf-access-control-list"))
    assert "rate-limit" not in repr(without_limit.root)


@pytest.mark.parametrize(("dialect", "modules"), [("klingon", None), ("ietf", ("ietf-nothing",))])
def test_an_unknown_dialect_or_module_is_named(dialect: str, modules: tuple[str, ...] | None) -> None:
    with pytest.raises(ValueError, match=r"klingon|ietf-nothing"):
        load_schema(dialect, modules)
