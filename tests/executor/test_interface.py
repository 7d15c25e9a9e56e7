"""What every kind of executor promises."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import ValidationError

from labs.executor import Executor, Job, Result, open_executor, progress
from labs.executor.model import JOB_S
from secloop_ai.contracts.errors import InputError

from .work import HERE, job


@pytest.fixture(scope="module", params=["inline", "local"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with open_executor(request.param, 2, limit=64) as made:
        yield made


def test_every_job_has_its_result_whatever_becomes_of_it(executor: Executor) -> None:
    jobs = [job("two", "double", number=1), job("six", "double", number=3), job("no", "refuse"), job("oh", "blunder")]
    found = {r.key: r for r in executor.run(jobs)}
    assert {key: r.value for key, r in found.items()} == {"two": 2, "six": 6, "no": None, "oh": None}
    assert {key for key, r in found.items() if r.ok} == {"two", "six"}
    assert found["no"].error == "the bridge is up"
    assert found["oh"].error.startswith("ZeroDivisionError: float division by zero")
    assert "in blunder: return 1 /" in found["oh"].error


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("no.such.module:function", "no.such.module:function: No module named 'no'"),
        (f"{HERE}:nothing", f"{HERE}:nothing: module '{HERE}' has no attribute 'nothing'"),
        (f"{HERE}:HERE", f"{HERE}:HERE: not a function"),
        (f"{HERE}:no_json", f"{HERE}:no_json: returned no JSON: Object of type set is not JSON serializable"),
        ("math:nan", "math:nan: not a function"),
        ("math:fsum", "TypeError: "),
    ],
)
def test_a_call_that_leads_nowhere_is_named(executor: Executor, call: str, said: str) -> None:
    (found,) = executor.run([Job(key="a", call=call)])
    assert found.value is None
    assert found.error.startswith(said)


def test_what_a_job_prints_is_no_answer(executor: Executor) -> None:
    (found,) = executor.run([job("a", "noisy")])
    assert found.value == "heard"


def test_jobs_may_be_none_at_all_and_runs_may_follow_each_other(executor: Executor) -> None:
    assert list(executor.run([])) == []
    assert [r.value for r in executor.run([job("a", "double", number=4)])] == [8]


def test_jobs_are_taken_as_there_is_room(executor: Executor) -> None:
    taken = 0

    def endless() -> Iterator[Job]:
        nonlocal taken
        while True:
            taken += 1
            yield job(taken, "double", number=taken)

    run = executor.run(endless())
    firsts = [next(run) for _ in range(5)]
    assert all(r.value == 2 * int(r.key) for r in firsts)
    assert taken < 100
    run.close()  # type: ignore[attr-defined]
    assert [r.key for r in executor.run([job("after", "double", number=1)])] == ["after"]


def test_an_error_in_making_jobs_is_the_callers(executor: Executor) -> None:
    def broken() -> Iterator[Job]:
        yield job("a", "double", number=1)
        raise KeyError("the caller's")

    with pytest.raises(KeyError, match="the caller's"):
        list(executor.run(broken()))
    assert [r.value for r in executor.run([job("b", "double", number=2)])] == [4]


def test_local_results_are_the_inline_ones() -> None:
    jobs = [job(n, "double", number=n) for n in range(300)]
    answers = []
    for kind in ("inline", "local"):
        with open_executor(kind, 2, limit=64) as made:
            answers.append({r.key: (r.value, r.error) for r in made.run(iter(jobs))})
    assert answers[0] == answers[1]
    assert len(answers[0]) == 300


@pytest.mark.parametrize(
    ("kind", "workers", "limit", "retries"),
    [("cloud", 1, 1, 0), ("local", 0, 1, 0), ("local", 1, 0, 0), ("local", 1, 1, -1)],
)
def test_an_executor_that_cannot_be(kind: str, workers: int, limit: int, retries: int) -> None:
    with pytest.raises(InputError), open_executor(kind, workers, limit=limit, retries=retries):
        pass


@pytest.mark.parametrize("wrong", [{"key": ""}, {"call": "os.getpid"}, {"timeout_s": 0}, {"warm": "x"}, {"size": 1}])
def test_a_job_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Job.model_validate({"key": "a", "call": "os:getpid", **wrong})


def test_a_job_says_how_long_it_may_take() -> None:
    assert Job(key="a", call="os:getpid").timeout_s == JOB_S


def test_without_a_terminal_there_is_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    results = [Result(key="a", value=1), Result(key="b", error="no")]
    assert list(progress(results, 2)) == results
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_there_is_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert len(list(progress([Result(key="a", value=1), Result(key="b", error="no")], 2, title="clones"))) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "2/2" in said.err
    assert "clones (1 failed)" in said.err
