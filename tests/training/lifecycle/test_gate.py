"""Weights go live by the gate alone: what is better passes, what is worse in anything that is guarded does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from labs.scenario import Suite
from labs.validator.baselines import baseline
from secloop_ai.cli.app import build
from secloop_ai.contracts import Candidate, InputError, Policy, PolicyError, PolicyRequest, SecLoopError
from secloop_ai.ledger import open_ledger
from secloop_ai.policies.embedded.policy import EmbeddedPolicy
from secloop_ai.policies.embedded.store import SHIPPED, Store
from training.evaluation import injection, outcome
from training.lifecycle import compare as comparing
from training.lifecycle.compare import LEAST_INJECTIONS, Comparison, compare
from training.lifecycle.gate import live_folder, live_policy, promote

from .making import observer

SMALL = {"seeds": 5, "injections": 100}


def quiet(_line: str) -> None:
    """Nothing is said."""


@pytest.fixture(scope="module", autouse=True)
def held_out() -> Iterator[None]:
    """One suite and few injections stand for all, as each test plays them anew."""
    some = tuple(islice(injection.requests(LEAST_INJECTIONS), 8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "Suite", (Suite.AUTOATTACK,))
        patch.setattr(comparing, "_asked", lambda _count: some)
        yield


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of our own, and no shipped weights."""
    monkeypatch.setenv("SECLOOP_STATE_DIR", str(tmp_path / "state"))
    for name in ("secloop_ai.policies.embedded.policy.SHIPPED", "training.lifecycle.gate.SHIPPED"):
        monkeypatch.setattr(name, tmp_path / "none")
    return tmp_path / "state"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/ledger.sqlite"


@pytest.fixture
def live(tmp_path: Path) -> str:
    """Weights that deploy an agent whatever happens, live: it stops nothing, and false alarms call for nothing."""
    folder, store = observer(tmp_path / "wild", "deploy_hids"), Store()
    name = store.keep(folder, EmbeddedPolicy(folder).digest())
    store.promote(name, instead_of=SHIPPED)
    return name


@pytest.fixture(scope="module")
def expert(held_out: None) -> Comparison:
    """The expert table against doing nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparing, "Suite", (Suite.UNSW_NB15, Suite.AUTOATTACK))
        return compare(baseline("expert-table"), baseline("no-op"), say=quiet, **SMALL)


def asked(*arguments: str) -> Result:
    return CliRunner().invoke(build(), ["policy", *arguments], catch_exceptions=False)


def test_the_gain_is_the_mean_over_suites_and_surely_above_zero(expert: Comparison) -> None:
    rows = {r.figure: r for r in expert.rows}
    assert expert.gain > 0.3
    assert expert.low > 0.0
    assert rows["accuracy"].ok
    assert rows["accuracy"].new > rows["accuracy"].live
    assert expert.cases == 75
    assert expert.seeds[1] - expert.seeds[0] == 4


def test_every_guarded_figure_that_is_worse_is_a_reason(expert: Comparison) -> None:
    """Whoever never acts has a perfect restraint: what acts must match it, whatever else it gains."""
    worse = {r.figure for r in expert.rows if not r.ok}
    assert worse >= {"restraint", "false blocks"}
    assert "accuracy" not in worse
    assert [reason.partition(":")[0] for reason in expert.reasons] == [r.figure for r in expert.rows if not r.ok]
    assert not expert.better


def test_what_changes_nothing_does_not_pass() -> None:
    """Weights that answer alike gain nothing: they would otherwise go live every other time."""

    class Renamed:
        """The same table under another digest."""

        name = "renamed/1"

        def digest(self) -> str:
            return "0" * 64

        def propose(self, request: PolicyRequest, *, n: int, seed: int) -> tuple[Candidate, ...]:
            return baseline("expert-table").propose(request, n=n, seed=seed)

    found = compare(Renamed(), baseline("expert-table"), say=quiet, **SMALL)
    assert (found.gain, found.low, found.high) == (0.0, 0.0, 0.0)
    assert [r.figure for r in found.rows if not r.ok] == ["accuracy"]


def test_the_cases_follow_from_the_new_weights_and_are_the_same_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[tuple[str, str]] = []
    play = outcome.play

    def noting(policy: Policy, field: object, **others: int) -> object:
        met.append((policy.name, field.case.case_id))  # type: ignore[attr-defined]  # a FastField
        return play(policy, field, **others)  # type: ignore[arg-type]  # the same

    monkeypatch.setattr(comparing, "play", noting)
    found = compare(baseline("no-op"), baseline("block-source"), say=quiet, **SMALL)
    assert found.seeds[0] == comparing.FIRST + int(baseline("no-op").digest()[:8], 16) % comparing.SPREAD
    new, live = ([case for name, case in met if name.startswith(who)] for who in ("no-op", "block-source"))
    assert new == live
    assert len(new) == found.cases == 25


@pytest.mark.parametrize("few", [{"seeds": 4}, {"injections": 99}, {"seeds": 0}])
def test_the_gate_cannot_be_made_small(few: dict[str, int]) -> None:
    with pytest.raises(InputError, match="the gate needs 5 seeds and 100 injections at least"):
        compare(baseline("no-op"), baseline("no-op"), say=quiet, **{**SMALL, **few})


@pytest.mark.slow
def test_promote_and_rollback_by_command(tmp_path: Path, url: str, live: str) -> None:
    """From weights that always act to weights that observe, and back; each step with its line in the audit."""
    better = observer(tmp_path / "observer")
    done = asked("promote", str(better), "--seeds", "5", "--injections", "100", "--ledger", url, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["promoted"] is True
    assert told["reasons"] == []
    new = EmbeddedPolicy(better).digest()
    assert Store().pointer().live == new[:12]
    assert live_policy(Store()).digest() == new

    worse = asked("promote", str(tmp_path / "wild"), "--seeds", "5", "--injections", "100", "--ledger", url)
    assert worse.exit_code == 1
    assert "refused: accuracy: must gain beyond its paired 95 % interval" in worse.stdout
    assert "restraint" in worse.stdout
    assert "does not go live" in worse.stdout
    assert Store().pointer().live == new[:12]

    listed = json.loads(asked("list", "--json").stdout)
    (row,) = (r for r in listed if r["name"] == "embedded")
    assert [(w["weights"], w["live"]) for w in row["weights"]] == [(new[:12], True), (live, False), (SHIPPED, False)]
    assert row["digest"] == new

    back = asked("rollback", "--ledger", url)
    assert back.exit_code == 0
    assert back.stdout == f"{live} is live again, in place of {new[:12]}\n"
    assert live_folder(Store()) == Store().folder / live
    with open_ledger(url) as ledger:
        events = [(a.event, a.digests) for a in ledger.audit_lines()]
        assert ledger.verify_audit() == []
    old = EmbeddedPolicy(tmp_path / "wild").digest()
    assert events == [
        ("policy-promoted", {"old": old, "new": new}),
        ("policy-refused", {"old": new, "new": old}),
        ("policy-rolled-back", {"old": new[:12], "new": live}),
    ]


def test_there_is_no_way_round_the_gate() -> None:
    options = asked("promote", "--help").stdout
    assert not any(word in options for word in ("--force", "--yes", "--skip", "--no-"))


def test_without_any_weights_the_expert_table_is_who_must_be_beaten() -> None:
    assert live_folder(Store()) is None
    assert live_policy(Store()).name.startswith("playbook")


class TestWrong:
    """Bad input ends in a sentence, and nothing goes live."""

    @pytest.fixture(autouse=True)
    def _unmoved(self, live: str) -> Iterator[None]:
        yield
        assert Store().pointer().live == live

    @pytest.mark.parametrize("what", ["none", "cut", "live", "damaged ledger"])
    def test_it(self, tmp_path: Path, url: str, what: str) -> None:
        folder = tmp_path / "new"
        if what != "none":
            observer(folder, "deploy_hids" if what == "live" else "observe")
        if what == "cut":
            (folder / "model.safetensors").write_bytes(b"0" * 100)
        if what == "damaged ledger":
            (tmp_path / "ledger.sqlite").write_text("no database" * 100)
        with pytest.raises(SecLoopError) as caught:
            asked("promote", str(folder), "--seeds", "5", "--injections", "100", "--ledger", url)
        said = {"none": "No such file", "cut": "not a whole safetensors file", "live": "live already"}
        assert said.get(what, "not an SQLite database") in str(caught.value)

    def test_an_audit_that_cannot_be_written_keeps_weights_from_going_live(
        self, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("training.lifecycle.gate.compare", _passed)
        with open_ledger(url) as ledger, ledger._db.writing("test") as c:
            c.exec_driver_sql("DROP TABLE audit")
        with open_ledger(url) as ledger, pytest.raises(SecLoopError, match="cannot write the audit"):
            promote(observer(tmp_path / "new"), ledger, Store(), quiet)


def _passed(new: Policy, live: Policy, **_others: object) -> Comparison:
    return Comparison(
        live_name=live.name,
        live_sha256=live.digest(),
        new_name=new.name,
        new_sha256=new.digest(),
        cases=1,
        seeds=(1, 1),
        injections=0,
        gain=1.0,
        low=1.0,
        high=1.0,
        rows=(),
    )


def test_rollback_without_a_history_says_so(url: str) -> None:
    with pytest.raises(PolicyError, match="nothing was live before"):
        asked("rollback", "--ledger", url)


def test_rollback_passes_over_weights_that_are_damaged(tmp_path: Path, url: str, live: str) -> None:
    folder = observer(tmp_path / "observer")
    store = Store()
    store.promote(store.keep(folder, EmbeddedPolicy(folder).digest()), instead_of=live)
    (store.folder / live / "config.json").write_text("{}")
    done = asked("rollback", "--ledger", url, "--json")
    assert json.loads(done.stdout)["new"] == SHIPPED
    assert "passed over" in done.stderr
