"""SA-GRPO on a chat model through LoRA, and the launch files as their own readers take them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("trl", reason="the extra `train` is not installed")
pytest.importorskip("llguidance", reason="the extra `train` is not installed")

from secloop_ai.contracts import ObserveReason, SecLoopError  # noqa: E402 - after the check for the extra
from secloop_ai.policies.chat import LocalOptions, build_prompt  # noqa: E402
from tests.policies.chat.tiny import make_model  # noqa: E402
from training.chat import load_weights  # noqa: E402
from training.chat_grpo import ChatGrpoTrainer, adapter, free  # noqa: E402
from training.config import preset  # noqa: E402
from training.journal import FILE, read  # noqa: E402

from .making import QUIET_WARNINGS, source  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings(QUIET_WARNINGS),
    pytest.mark.filterwarnings("ignore::FutureWarning:peft.*"),
]
LAUNCH = Path(__file__).parents[2] / "training" / "launch"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    prompts = [build_prompt(source().task(n).request, max_tokens=512) for n in range(4)]
    return make_model(tmp_path_factory.mktemp("models") / "tiny", [f"{p.system}\n{p.user}" for p in prompts])


def trainer(model: Path, folder: Path, **others: Any) -> ChatGrpoTrainer:
    weights = load_weights(model, LocalOptions(device="cpu"))
    config = free("published", group=2, questions=2, steps=1, length_constant=24, learning_rate=1e-2)
    return ChatGrpoTrainer(weights.model, source(), config, folder, words=weights.tokenizer, **others)


def test_an_adapter_is_trained_and_only_it(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("peft", reason="peft is not installed")
    made = trainer(tiny, tmp_path, adapter=adapter())
    before = {n: p.detach().clone() for n, p in made.model.named_parameters()}
    answers = iter(['{"calls":[{"tool":"observe","params":{"reason":"false_alarm"},"ttl_s":300}]}', "no"] * 9)
    spoken = made._generate_single_turn

    def half_right(prompts: Any, *rest: Any) -> Any:
        said, logps = spoken(prompts, *rest)
        ids = [made._tokenizer(next(answers))["input_ids"] + made.eos_token_ids[:1] for _ in said]
        return ids, logps

    monkeypatch.setattr(made, "_generate_single_turn", half_right)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft's own calls of what transformers will rename
        made.train()
    moved = {n for n, p in made.model.named_parameters() if not torch.equal(p, before[n])}
    assert moved
    assert all("lora_" in n for n in moved)
    (row,) = read(tmp_path / FILE)
    assert row["components"]["format"]["mean"] == 0.5
    assert row["zero_signal"] == 0.0


def test_what_an_untrained_model_says_is_no_strategy_and_costs_the_whole_penalty(tiny: Path, tmp_path: Path) -> None:
    made = trainer(tiny, tmp_path)
    made.model.train()
    made._generate_and_score_completions([{"prompt": n} for n in "0011"])
    assert all(s.score.reward == (0.0, 0.0, 0.0, -1.0) for s in made.rolled.samples)


def test_a_chat_model_has_no_grammar_in_its_ratio(tiny: Path, tmp_path: Path) -> None:
    weights = load_weights(tiny, LocalOptions(device="cpu"))
    with pytest.raises(SecLoopError, match="grammar_mask neither"):
        ChatGrpoTrainer(weights.model, source(), preset("published"), tmp_path, words=weights.tokenizer)
    assert ObserveReason.FALSE_ALARM.value == "false_alarm"


@pytest.mark.parametrize(("name", "processes"), [("zero2.yaml", 7), ("one_gpu.yaml", 1)])
def test_accelerate_reads_the_launch_files(name: str, processes: int) -> None:
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.utils import DistributedType

    found = load_config_from_file(str(LAUNCH / name))
    assert found.num_processes == processes
    assert found.mixed_precision == "bf16"
    if processes > 1:
        assert found.distributed_type == DistributedType.DEEPSPEED
        assert found.deepspeed_config["zero_stage"] == 2
        assert len(found.gpu_ids.split(",")) == processes
        config = preset("published")
        assert config.questions * config.group == 4 * processes


def test_the_zero2_file_is_what_accelerate_launches_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """The launcher's own merging of file and arguments, up to where it would start processes."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    args = launch_command_parser().parse_args(
        ["--config_file", str(LAUNCH / "zero2.yaml"), "-m", "training.chat_grpo", "--model", "m", "--out", "o"]
    )
    merged, _, _ = _validate_launch_command(args)
    assert merged.use_deepspeed
    assert merged.zero_stage == 2
    assert merged.num_processes == 7


def test_trl_reads_the_file_of_the_generating_gpu() -> None:
    from trl import TrlParser
    from trl.scripts.vllm_serve import ScriptArguments

    parser = TrlParser(ScriptArguments)
    (found,) = parser.parse_args_and_config(["--config", str(LAUNCH / "vllm.yaml"), "--model", "m"])
    assert (found.host, found.port, found.dtype) == ("127.0.0.1", 8000, "bfloat16")
    assert found.trust_remote_code is False
