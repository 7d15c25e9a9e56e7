"""Which weights are live: promoted, shipped, and what happens when either is damaged."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from secloop_ai.contracts import PolicyError
from secloop_ai.policies import load_policy
from secloop_ai.policies.embedded import policy as module
from secloop_ai.policies.embedded.policy import EmbeddedPolicy
from secloop_ai.policies.embedded.store import CURRENT, SHIPPED, Pointer, Store, trouble

from .making import observer, wild


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EmbeddedPolicy:
    """Shipped weights, and a state folder of our own."""
    monkeypatch.setattr(module, "SHIPPED", observer(tmp_path / "shipped"))
    monkeypatch.setenv("SECLOOP_STATE_DIR", str(tmp_path / "state"))
    return EmbeddedPolicy(tmp_path / "shipped")


def promoted(tmp_path: Path, seed: int) -> str:
    """Put weights in by hand, as no gate is the subject here; gives their name."""
    folder = wild(tmp_path / f"wild{seed}", seed)
    store = Store()
    name = store.keep(folder, EmbeddedPolicy(folder).digest())
    store.promote(name, instead_of=store.pointer().live)
    return name


def said(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(r.getMessage() for r in caplog.records if r.levelno == logging.WARNING)


def test_the_shipped_weights_answer_until_others_are_promoted(shipped: EmbeddedPolicy, tmp_path: Path) -> None:
    assert load_policy("embedded").digest() == shipped.digest()
    assert not (tmp_path / "state").exists(), "to look makes nothing"
    name = promoted(tmp_path, 1)
    assert load_policy("embedded").digest()[:12] == name
    assert load_policy(f"embedded:{tmp_path / 'shipped'}").digest() == shipped.digest()
    assert trouble(load_policy("embedded").digest()) == ""
    assert [p.name for p in Store().folder.iterdir() if p.is_dir()] == [name], "nothing half-copied is left"


def test_back_goes_through_the_history_and_over_weights_that_are_damaged(
    shipped: EmbeddedPolicy, tmp_path: Path
) -> None:
    first, second, third = (promoted(tmp_path, n) for n in (1, 2, 3))
    store = Store()
    assert store.pointer() == Pointer(third, (SHIPPED, first, second))
    assert store.back(lambda name: name != second) == (third, first)
    assert store.pointer() == Pointer(first, (SHIPPED,))
    assert store.back(lambda _: True) == (first, SHIPPED)
    with pytest.raises(PolicyError, match="nothing was live before"):
        store.back(lambda _: True)
    assert load_policy("embedded").digest() == shipped.digest()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"live": "../../etc", "before": []}', '{"live": 1, "before": 2}']
)
def test_a_damaged_pointer_locks_nobody_out(
    shipped: EmbeddedPolicy, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    promoted(tmp_path, 1)
    (Store().folder / CURRENT).write_text(text)
    found = load_policy("embedded")
    assert found.digest() == shipped.digest()
    assert "does not say which weights are live" in said(caplog)
    assert "rollback" in trouble(found.digest())
    assert Store().back(lambda _: True) == ("damaged", SHIPPED)
    caplog.clear()
    assert load_policy("embedded").digest() == shipped.digest()
    assert said(caplog) == trouble(found.digest()) == ""


@pytest.mark.parametrize("damage", ["gone", "cut", "others", "vocabulary"])
def test_damaged_weights_lock_nobody_out(
    shipped: EmbeddedPolicy, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    folder = Store().folder / promoted(tmp_path, 1)
    weights, config = folder / "model.safetensors", folder / "config.json"
    if damage == "gone":
        weights.unlink()
    elif damage == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "others":
        weights.write_bytes((wild(tmp_path / "other", 9) / "model.safetensors").read_bytes())
    else:
        values = json.loads(config.read_text())
        config.write_text(json.dumps(values | {"secloop": values["secloop"] | {"vocabulary_sha256": "0" * 64}}))
    found = load_policy("embedded")
    assert found.digest() == shipped.digest()
    assert "the promoted weights cannot be used, the shipped ones answer" in said(caplog)
    assert folder.name in trouble(found.digest())
    with pytest.raises(PolicyError):
        load_policy(f"embedded:{folder}" if damage != "others" else f"embedded:{folder}/nothing")


def test_weights_that_come_again_replace_a_damaged_copy(shipped: EmbeddedPolicy, tmp_path: Path) -> None:
    name = promoted(tmp_path, 1)
    (Store().folder / name / "model.safetensors").write_bytes(b"")
    assert Store().keep(tmp_path / "wild1", EmbeddedPolicy(tmp_path / "wild1").digest()) == name
    assert load_policy("embedded").digest()[:12] == name


def test_what_went_live_meanwhile_is_not_overwritten(shipped: EmbeddedPolicy, tmp_path: Path) -> None:
    name = promoted(tmp_path, 1)
    with pytest.raises(PolicyError, match=f"{name} went live meanwhile"):
        Store().promote("0" * 12, instead_of=SHIPPED)
    assert Store().pointer().live == name


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(shipped: EmbeddedPolicy, tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    folder = wild(tmp_path / "w")
    with pytest.raises(PolicyError, match="cannot be copied"):
        Store().keep(folder, EmbeddedPolicy(folder).digest())
    with pytest.raises(PolicyError, match="cannot be written"):
        Store().promote("0" * 12, instead_of=SHIPPED)
