"""What is wrong in a suite file is named by file and key; what belongs together is put together."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from labs.scenario import Kind, Split, Suite
from labs.suites import SuiteError, load_suite
from labs.suites.load import HERE
from labs.suites.rules import violations

STORY: dict[str, Any] = {
    "name": "one",
    "family": "guessing",
    "split": "train",
    "about": "Somebody guesses.",
    "network": "campus",
    "infected": ["laptop"],
    "protected": ["scanner"],
    "weak": {"db/ssh": ["ssh-pivot"]},
    "chain": [{"means": "ssh-brute-force", "target": "jump/ssh"}],
}


def suite_of(root: Path, **changes: Any) -> Path:
    shutil.copytree(HERE / "networks", root / "networks", dirs_exist_ok=True)
    folder = root / "autoattack"
    folder.mkdir(exist_ok=True)
    story = {k: v for k, v in {**STORY, **changes}.items() if v is not None}
    (folder / "one.yaml").write_text(yaml.safe_dump(story), encoding="utf-8")
    return root


def test_a_story_and_its_network_make_a_scenario(tmp_path: Path) -> None:
    (scenario,) = load_suite("autoattack", suite_of(tmp_path))
    marks = {h.name: (h.infected, h.protected) for h in scenario.hosts}
    assert marks["laptop"] == (True, False)
    assert marks["scanner"] == (False, True)
    assert marks["web"] == (False, False)
    weak = {f"{h.name}/{s.name}": s.weaknesses for h in scenario.hosts for s in h.services if s.weaknesses}
    assert weak == {"db/ssh": ("ssh-pivot",), "jump/ssh": ("ssh-brute-force",)}
    assert scenario.suite is Suite.AUTOATTACK
    assert scenario.flows


def test_a_false_alarm_makes_nothing_weak(tmp_path: Path) -> None:
    chain = [{"means": "ssh-brute-force", "source": "admin", "target": "jump/ssh"}]
    root = suite_of(tmp_path, kind="false-alarm", weak=None, infected=None, chain=chain)
    (scenario,) = load_suite("autoattack", root)
    assert scenario.kind is Kind.FALSE_ALARM
    assert not any(s.weaknesses for h in scenario.hosts for s in h.services)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"network": "moon"}, "network: no moon; there are"),
        ({"network": "bank"}, "network: bank is for test, the scenario for train"),
        ({"name": "two"}, "name: two is not the file's"),
        ({"infected": ["ghost"]}, "infected: no host ghost"),
        ({"protected": ["ghost"]}, "protected: no host ghost"),
        ({"weak": {"db/ftp": ["exfil-ftp"]}}, "weak: no service db/ftp"),
        ({"chain": [{"means": "ssh-pivot", "target": "db/ftp"}]}, "chain.0.target: host db has no service ftp"),
        ({"chain": None}, "chain: a scenario of kind attack needs one"),
        ({"split": "exam"}, "split: Input should be"),
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"about": None}, "about: Field required"),
    ],
)
def test_a_mistake_is_named_by_file_and_key(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    root = suite_of(tmp_path, **changes)
    with pytest.raises(SuiteError, match=r"one\.yaml: ") as error:
        load_suite("autoattack", root)
    assert words in str(error.value)


@pytest.mark.parametrize("text", ["name: [", "\x80"])
def test_a_file_that_is_no_yaml_is_named(tmp_path: Path, text: str) -> None:
    root = suite_of(tmp_path)
    (root / "autoattack" / "one.yaml").write_bytes(text.encode("latin-1"))
    with pytest.raises(SuiteError, match=r"one\.yaml: "):
        load_suite("autoattack", root)


def test_an_unknown_suite_and_an_empty_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="no suite 'kdd99'; there are cic-ids2017"):
        load_suite("kdd99")
    with pytest.raises(SuiteError, match="no scenario files"):
        load_suite("autoattack", tmp_path)


def test_the_rules_see_what_breaks_them() -> None:
    train = next(s for s in load_suite("autoattack") if s.split is Split.TRAIN)
    moved = train.model_copy(update={"split": Split.TEST, "name": "moved"})
    found = "\n".join(violations((*load_suite("autoattack"), moved, train)))
    assert f"family {train.family} is in test and train" in found
    assert "topology" in found
    assert "moved: no means of it is new in test" in found
    assert f"name {train.name} is used 2 times" in found
    assert "cic-ids2017: 0 attack families" in found
    assert "cic-ids2017 test: 0% false alarms" in found
