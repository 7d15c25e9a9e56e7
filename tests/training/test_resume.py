"""A run that is killed goes on as if it had not been: the same curve, line for line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("trl", reason="the extra `train` is not installed")

from training.journal import FILE, Journal, read
from training.sa_grpo import STATE, last_checkpoint

STEPS = 6
ROOT = Path(__file__).parents[2]
PATIENCE_S = 200.0


def start(folder: Path, **changes: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.training.run_small", str(folder), str(STEPS), json.dumps(changes)]
    quiet = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **quiet}, stderr=subprocess.PIPE)


def finished(folder: Path, **changes: Any) -> list[dict[str, Any]]:
    process = start(folder, **changes)
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said.decode()
    return [{k: v for k, v in row.items() if k != "seconds"} for row in read(folder / FILE)]


def killed_after(folder: Path, lines: int, **changes: Any) -> None:
    """Run until the journal has so many lines and a checkpoint is whole, then kill without warning."""
    process = start(folder, **changes)
    until = time.monotonic() + PATIENCE_S
    try:
        while not ((folder / FILE).exists() and len(read(folder / FILE)) >= lines and last_checkpoint(folder)):
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_killed_run_goes_on_with_the_same_curve(tmp_path: Path) -> None:
    """With two passes per generation, groups replaced, multipliers and a curriculum: all of it is in the checkpoint."""
    whole = finished(tmp_path / "whole", mu=2)
    killed_after(tmp_path / "killed", lines=3, mu=2)
    assert len(read(tmp_path / "killed" / FILE)) < STEPS
    assert finished(tmp_path / "killed", mu=2) == whole
    assert [row["step"] for row in whole] == list(range(1, STEPS + 1))
    assert len({row["reward"] for row in whole if "reward" in row}) > 1


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_processes_share_a_batch_whose_groups_they_split(tmp_path: Path) -> None:
    """By accelerate's own launcher, as on several GPUs: 12 answers in groups of 4, 6 on each process."""
    launcher = Path(sys.executable).with_name("accelerate")
    whole = {"questions": 3, "resample": 0, "curriculum": 0.0, "constraints": None, "save_every": 0}
    alone = (
        "--cpu",
        "--num_processes",
        "2",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
    )
    program = ("-m", "tests.training.run_small", str(tmp_path), "2", json.dumps(whole))
    quiet = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [str(launcher), "launch", *alone, *program],
        cwd=ROOT,
        env={**os.environ, **quiet},
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    rows = read(tmp_path / FILE)
    assert [row["step"] for row in rows] == [1, 2]
    assert all(row["reward_std"] > 0 for row in rows)


def test_a_checkpoint_that_was_cut_off_in_writing_does_not_count(tmp_path: Path) -> None:
    assert last_checkpoint(tmp_path) is None
    for step in (2, 10, 12):
        (tmp_path / f"checkpoint-{step}").mkdir()
    for step in (2, 10):
        (tmp_path / f"checkpoint-{step}" / STATE).write_text("{}")
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-10"


def test_the_journal_drops_what_will_be_done_again_and_what_was_cut_off(tmp_path: Path) -> None:
    from transformers import TrainerControl, TrainerState, TrainingArguments

    path = tmp_path / FILE
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"ste', encoding="utf-8")
    state = TrainerState(global_step=2, is_world_process_zero=True)
    Journal(path).on_train_begin(TrainingArguments(output_dir=str(tmp_path), report_to=[]), state, TrainerControl())
    assert read(path) == [{"step": 1}, {"step": 2}]
    assert path.read_text(encoding="utf-8").endswith("\n")
