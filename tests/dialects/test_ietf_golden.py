"""Quadruples running / edit / after / inverse, to be read in review.

Regenerate with ``SECLOOP_UPDATE_GOLDEN=1 pytest tests/dialects/test_ietf_golden.py``; the running files are written by
hand.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from secloop_ai.contracts import AdminOp, Direction, DiscardOp, TaggedOp
from secloop_ai.dialects.ietf import DIALECT as IETF

from .making import ATTACKER, BLOCK, ONE, SERVER, TWO, filtered, rule, tagged

GOLDEN = Path(__file__).parent / "golden" / "ietf"
REPO = Path(__file__).parents[2]
VALIDATE = Path(os.environ.get("SECLOOP_YANG_VALIDATE", REPO.parent / "shared" / "yang" / "validate"))


LIMIT = rule(
    "permit",
    protocol=6,
    destination="2001:db8:2::10/128",
    destination_port={"low": 80, "high": 80},
    rate_bytes_per_s=12500,
)
SSH = {"protocol": 6, "destination": SERVER, "destination_port": {"low": 22, "high": 22}}
RESTRICT = filtered(
    "ge0", Direction.INGRESS, 4, rule("permit", source="10.0.1.0/24", **SSH), rule("drop", **SSH), rank=2
)
CASES: dict[str, list[TaggedOp]] = {
    "block_ip_bare": tagged(ONE, BLOCK),
    "block_ip_edge": tagged(ONE, BLOCK),
    "block_ip_shared": tagged(ONE, BLOCK),
    "rate_limit_v6": tagged(ONE, filtered("ge1", Direction.EGRESS, 6, LIMIT, rank=1)),
    "restrict_and_block": [*tagged(ONE, RESTRICT), *tagged(TWO, BLOCK)],
    "isolate_host": tagged(
        ONE,
        filtered("ge1", Direction.INGRESS, 4, rule("drop", source=SERVER)),
        filtered("ge1", Direction.EGRESS, 4, rule("drop", destination=SERVER)),
    ),
    "blackhole_route": [
        *tagged(
            ONE, DiscardOp.model_validate({"prefix": ATTACKER}), DiscardOp.model_validate({"prefix": "2001:db8::7/128"})
        ),
        *tagged(TWO, DiscardOp.model_validate({"prefix": ATTACKER})),
    ],
    "shutdown_port": tagged(ONE, AdminOp(interface="ge0"), AdminOp(interface="ge1", prior=True)),
}


def laid_out(body: str | None) -> str:
    root = etree.fromstring(f"<config>{body or ''}</config>")
    etree.indent(root)
    return etree.tostring(root, encoding="unicode") + "\n"


def golden(name: str, text: str) -> str:
    path = GOLDEN / name
    if os.environ.get("SECLOOP_UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_the_rendered_documents_are_those_reviewed(case: str) -> None:
    running = (GOLDEN / f"{case}.running.xml").read_text(encoding="utf-8")
    there = IETF.apply(running, CASES[case])
    back = IETF.remove(there.after, CASES[case])
    assert laid_out(there.edit) == golden(f"{case}.edit.xml", laid_out(there.edit))
    assert IETF.pretty(there.after) == golden(f"{case}.after.xml", IETF.pretty(there.after))
    assert laid_out(back.edit) == golden(f"{case}.inverse.xml", laid_out(back.edit))
    assert IETF.canonical(back.after) == IETF.canonical(running)


def without_rate_limit(text: str) -> str:
    return re.sub(r"<rate-limit [^>]*>[^<]*</rate-limit>", "", text)


@pytest.mark.parametrize("case", CASES)
def test_the_documents_are_valid_yang(case: str, tmp_path: Path) -> None:
    if not VALIDATE.is_file():
        pytest.skip(f"no YANG validator at {VALIDATE}; set SECLOOP_YANG_VALIDATE")
    if not shutil.which("yanglint"):
        pytest.skip("yanglint is not installed (Debian: libyang2-tools)")
    for base, change in (("running", "edit"), ("after", "inverse")):
        files = [tmp_path / f"{case}.{part}.xml" for part in (base, change)]
        for part, file in zip((base, change), files, strict=True):
            text = (GOLDEN / f"{case}.{part}.xml").read_text(encoding="utf-8")
            file.write_text(without_rate_limit(text), encoding="utf-8")
        done = subprocess.run(
            [VALIDATE, "--full", "--with", files[0], "ietf", files[1]], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
