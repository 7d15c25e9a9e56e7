"""An update from Feedback that ansible-runner really collected, on a battlefield."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("trl", reason="the extra `train` is not installed")

from tests.battlefield.support import needs_lab
from tests.training.making import QUIET_WARNINGS
from training.lifecycle import shown

pytestmark = pytest.mark.filterwarnings(QUIET_WARNINGS)


LIVE = [*needs_lab, pytest.mark.slow, pytest.mark.timeout(300)]


class TestLive:
    """The command, looked at from all sides."""

    pytestmark = LIVE

    def test_an_update_from_feedback_that_ansible_runner_collected(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert shown.main(["--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        feedback = found["feedback"]
        assert feedback["status"] == "successful"
        assert len(feedback["strategy_sha256"]) == 64
        assert {"secloop_decide", "secloop_commit"} <= feedback["task_seconds"].keys(), "its modules really ran"
        assert found["components"]["format"] == feedback["rs_exe"] == 1.0
        if feedback["rs_attack"] == 1.0:
            assert found["components"]["evaluation"] == 0.0
        assert found["advantages"][0] == pytest.approx(found["reward"][0] - sum(found["reward"]) / 8, abs=1e-3)
        assert found["log_probability_before"] != found["log_probability_after"]
        assert math.isfinite(found["log_probability_after"])


def test_a_policy_that_is_none_is_said_before_a_battlefield_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown.main(["--policy", str(tmp_path)]) == 1
    assert "No such file or directory" in capsys.readouterr().err
    assert shown.main(["--scenario", "nobody"]) == 1
    assert "no scenario 'nobody' for training" in capsys.readouterr().err
