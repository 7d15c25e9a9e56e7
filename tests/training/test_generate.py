"""Generated scenarios: deterministic, consistent, and made of the train split alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from labs.scenario import Kind, Split, Suite
from labs.suites import load_suite
from labs.suites.cases import PARTS, PLANS, case_of, plan_of
from labs.suites.load import HERE, load_networks
from labs.suites.rules import shape
from secloop_ai.policies.embedded.features import DUTIES
from training import generate

SEEDS = range(60)


def _clear() -> None:
    for cached in (generate.train_scenarios, generate.train_networks, generate.uses, generate._stock):
        cached.cache_clear()


@pytest.fixture
def train_files_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the suites from which everything for validation and test is deleted."""
    shutil.copytree(HERE, tmp_path / "suites", ignore=shutil.ignore_patterns("*.py", "*.jsonl", "__pycache__"))
    root = tmp_path / "suites"
    for file in root.glob("*/*.yaml"):
        if yaml.safe_load(file.read_text(encoding="utf-8"))["split"] != Split.TRAIN.value:
            file.unlink()
    _clear()
    monkeypatch.setattr(generate, "load_suite", partial(load_suite, root=root))
    monkeypatch.setattr(generate, "load_networks", partial(load_networks, root))
    yield root
    _clear()


def test_other_splits_can_be_deleted_and_nothing_changes(request: pytest.FixtureRequest) -> None:
    before = [generate.generated(seed) for seed in SEEDS]
    root = request.getfixturevalue("train_files_alone")
    assert len(list(root.glob("*/*.yaml"))) < len(list(HERE.glob("*/*.yaml")))
    assert [generate.generated(seed) for seed in SEEDS] == before


def test_means_networks_and_shapes_are_of_the_train_split() -> None:
    others = [s for suite in Suite for s in load_suite(suite) if s.split is not Split.TRAIN]
    seen = {step.means for s in generate.train_scenarios() for step in s.chain}
    held_back = {step.means for s in others for step in s.chain} - seen
    shapes = {shape(s) for s in others}
    assert held_back
    for scenario in map(generate.generated, SEEDS):
        assert {step.means for step in scenario.chain} <= seen
        assert shape(scenario) not in shapes


def test_every_kind_comes_up_and_addresses_are_of_the_train_plans() -> None:
    made = [generate.generated(seed) for seed in SEEDS]
    assert {s.kind for s in made} == set(Kind)
    assert all(plan_of(case_of(s, 3)) % PARTS in PLANS[Split.TRAIN] for s in made[:10])


def test_an_attack_is_weak_to_and_a_false_alarm_has_a_reason() -> None:
    for scenario in map(generate.generated, SEEDS):
        if scenario.kind is Kind.FALSE_ALARM:
            sources = [scenario.host(step.source) for step in scenario.chain]
            clients = {c for h in scenario.hosts for s in h.services for c in s.clients}
            assert all(s and (s.role in DUTIES or s.services or s.name in clients) for s in sources)
        for step in scenario.chain if scenario.kind is Kind.ATTACK else ():
            name, _, service = step.target.partition("/")
            host = scenario.host(name)
            if host and service:
                assert step.means in next(s for s in host.services if s.name == service).weaknesses
