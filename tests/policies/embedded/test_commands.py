"""``secloop policy``, and the processes that `bench` measures in."""

from __future__ import annotations

import ast
import inspect
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from secloop_ai.cli.app import build
from secloop_ai.cli.policy_bench import THREADS, bench
from secloop_ai.contracts import CATALOGUE, PolicyError
from secloop_ai.loop import bench as measuring
from secloop_ai.loop import steps
from secloop_ai.loop.decide import build_request
from secloop_ai.policies.embedded.policy import SHIPPED, WEIGHTS
from secloop_ai.policies.embedded.vocabulary import words
from secloop_ai.policies.examples import example, example_in
from secloop_ai.policies.registry import BACK_ENDS
from tests.embedded.making import saved
from tests.policies.samples import with_access

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("weights") / "model")


def rows(*arguments: str) -> list[dict[str, Any]]:
    done = RUNNER.invoke(build(), ["policy", *arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_the_list_has_every_back_end_and_says_what_is_amiss() -> None:
    found = {row["name"].partition(":")[0]: row for row in rows("list")}
    assert found.keys() == BACK_ENDS.keys()
    assert found["playbook"]["usable"] is True
    assert len(found["playbook"]["digest"]) == 64
    assert f"{len(words())} words" in found["embedded"]["vocabulary"]
    assert found["embedded"]["usable"] is (SHIPPED / WEIGHTS).exists()
    assert bool(found["embedded"]["reason"]) is not found["embedded"]["usable"]


def test_the_list_as_a_table_has_the_reasons() -> None:
    done = RUNNER.invoke(build(), ["policy", "list"], catch_exceptions=False)
    assert "playbook/1" in done.stdout
    assert "embedded: vocabulary 2" in done.stdout


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secloop_ai.cli.policy.find_spec", lambda name: None if name == "torch" else object())
    (row,) = (r for r in rows("list") if r["name"].startswith("transformers:"))
    assert (row["usable"], row["reason"]) == (False, "torch not installed: pip install 'secloop[train]'")


def test_a_policy_is_asked_on_drawn_incidents(folder: Path) -> None:
    found = rows("test", f"embedded:{folder}", "--n", "2", "--requests", "2", "--seed", "7")
    assert found == rows("test", f"embedded:{folder}", "--n", "2", "--requests", "2", "--seed", "7")
    assert [(r["request"], r["rank"]) for r in found] == [(f"drawn {n}", k) for n in (7, 8) for k in (1, 2)]
    for row in found:
        assert row["actions"]
        assert row["allowed"] is not bool(row["refusals"])
    table = RUNNER.invoke(build(), ["policy", "test", "playbook", "--requests", "1"], catch_exceptions=False)
    assert "Candidates of playbook/1" in table.stdout


def test_a_policy_is_asked_on_alerts_of_a_file(tmp_path: Path) -> None:
    from tests.policies.embedded.test_prompt import _eve

    path, network = tmp_path / "eve.json", tmp_path / "hosts.yml"
    path.write_text(json.dumps(_eve("x")) + "\n", encoding="utf-8")
    network.write_text(
        "all: {children: {secloop_hosts: {hosts: {www: {ansible_host: 10.0.1.10}}}}}\n", encoding="utf-8"
    )
    found = rows("test", "playbook", "--n", "1", "--alerts", str(path), "-i", str(network))
    assert [(r["request"], r["allowed"]) for r in found] == [("eve.json", True)]


def test_the_table_of_latencies(folder: Path) -> None:
    (row,) = rows("bench", f"embedded:{folder}", "--incidents", "4", "--cold-starts", "1")
    assert row["incidents"] == 4
    assert 0 < row["warm_p50_ms"] <= row["warm_p95_ms"]
    assert row["g16_ms"] > 0
    assert row["cold_s"] * 1000 > row["warm_p50_ms"]
    assert row["cold_cpu_s"] > 0
    assert row["peak_mb"] is None or row["peak_mb"] > 20


def test_what_cannot_be_measured_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"config\.json: No such file"):
        bench(f"embedded:{tmp_path}", incidents=2, cold_starts=1)
    with pytest.raises(PolicyError, match="no policy 'oracle'"):
        bench("oracle", incidents=2, cold_starts=1)


def _imported(function: Callable[..., Any]) -> set[str]:
    """What a function imports on the way."""
    tree = ast.walk(ast.parse(textwrap.dedent(inspect.getsource(function))))
    found: set[str] = set()
    for node in tree:
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add("." * node.level + (node.module or ""))
    return found


def test_cold_goes_by_way_of_what_the_step_imports() -> None:
    assert _imported(steps.decide_step) <= _imported(measuring.cold)


def test_a_cold_decision_needs_no_torch_and_nothing_beyond_the_base_install(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from secloop_ai.cli.policy_bench import _write_incident\n"
        "from pathlib import Path\n"
        "from secloop_ai.loop.bench import cold\n"
        f"_write_incident(Path({str(tmp_path)!r}))\n"
        f"cold('embedded:{folder}', Path({str(tmp_path)!r}))\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'torch', 'transformers', 'trl', 'labs', 'training',"
        " 'openai', 'z3', 'rich', 'jinja2', 'networkx', 'scipy'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **THREADS}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


class TestExamples:
    def test_each_seed_is_another_incident_and_always_the_same(self) -> None:
        assert example(3) == example(3)
        digests = {build_request(*example(seed)).prompt_digest() for seed in range(30)}
        assert len(digests) == 30

    def test_they_are_as_large_as_asked_for(self) -> None:
        made = example(1)
        assert (len(made.summaries), len(made.environment.hosts), len(made.environment.devices)) == (8, 20, 4)
        addresses = [a for h in made.environment.hosts for a in h.addresses]
        assert len(set(addresses)) == len(addresses)
        small = example(1, summaries=1, hosts=0, devices=0)
        assert build_request(*small).offered == tuple(CATALOGUE)

    def test_in_a_network_that_there_is(self) -> None:
        network = with_access()
        made = example_in(network, 4, summaries=20)
        assert made.environment is network
        assert made == example_in(network, 4, summaries=20)
        assert any(network.host_at(s.source) or network.host_at(s.destination) for s in made.summaries)
