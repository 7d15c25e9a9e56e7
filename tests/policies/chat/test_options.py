from __future__ import annotations

import subprocess
import sys

import pytest

from secloop_ai.contracts import PolicyError
from secloop_ai.policies import load_policy
from secloop_ai.policies.chat import LocalOptions, ServerOptions, split_options


def test_options_are_typed() -> None:
    head, options = split_options("m:7b@http://h/v1?timeout_s=2.5&retries=0&logprobs=false", ServerOptions, "openai")
    assert head == "m:7b@http://h/v1"
    assert options == ServerOptions(timeout_s=2.5, retries=0, logprobs=False)


@pytest.mark.parametrize(
    ("tail", "message"),
    [
        ("timeout=3", "openai: no option 'timeout'; there are budget, deadline_s, "),
        ("timeout_s=0", "openai: option timeout_s: Input should be greater than 0"),
        ("retries=many", "openai: option retries: Input should be a valid integer"),
        ("retries=1&retries=2", "openai: option retries is given twice"),
        ("structured", "openai: options are written [?]name=value"),
        ("structured=maybe", "openai: option structured: Input should be 'auto', 'schema' or 'prompt'"),
        ("tokens=1", "openai: option tokens: "),
    ],
)
def test_a_wrong_option_is_named(tail: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        split_options(f"m@http://h/v1?{tail}", ServerOptions, "openai")


def test_devices_are_named_as_torch_does() -> None:
    assert split_options("p?device=cuda:1", LocalOptions, "transformers")[1].device == "cuda:1"
    with pytest.raises(PolicyError, match="option device"):
        split_options("p?device=gpu", LocalOptions, "transformers")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("openai:", "write openai:MODEL@BASE_URL"),
        ("openai:m@localhost:8000", "write openai:MODEL@BASE_URL"),
        ("openai:@http://h/v1", "write openai:MODEL@BASE_URL"),
        ("openai:m@http://", "no http or https URL"),
        ("openai:m@http://h:port/v1", "cannot be read"),
        ("openai:m@http://me:secret@h/v1", "no user or password; the key belongs into OPENAI_API_KEY"),
        ("openai:gpt", "needs a key in the environment variable OPENAI_API_KEY"),
    ],
)
def test_a_wrong_server_is_named(name: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai", reason="the extra chat is not installed (openai)")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(PolicyError, match=message) as caught:
        load_policy(name)
    assert "secret" not in str(caught.value)


def test_the_server_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai", reason="the extra chat is not installed (openai)")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    policy = load_policy("openai:qwen2.5:7b")
    assert policy.name == "openai/qwen2.5:7b"
    assert policy.digest() == load_policy("openai:qwen2.5:7b@http://127.0.0.1:9/v1").digest()
    assert policy.digest() != load_policy("openai:qwen2.5:7b?temperature=0.5").digest()
    assert policy.digest() != load_policy("openai:qwen2.5:3b").digest()


def test_a_key_that_no_header_can_carry_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("openai", reason="the extra chat is not installed (openai)")
    monkeypatch.setenv("OPENAI_API_KEY", "secret\nkey")
    with pytest.raises(PolicyError, match="OPENAI_API_KEY holds what no header can carry") as caught:
        load_policy("openai:m")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("scheme", "module", "extra"),
    [("openai", "openai", "chat"), ("transformers", "torch", "train")],
)
def test_a_missing_extra_is_named(scheme: str, module: str, extra: str) -> None:
    """In a process where the library cannot be found."""
    code = (
        f"import sys; sys.modules[{module!r}] = None\n"
        "from secloop_ai.contracts import PolicyError\n"
        "from secloop_ai.policies import load_policy\n"
        f"try: load_policy('{scheme}:x@http://127.0.0.1:9/v1')\n"
        "except PolicyError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert f"policy {scheme}: " in done.stdout
    assert f"pip install 'secloop[{extra}]'" in done.stdout


def test_the_base_package_stays_free_of_heavy_libraries() -> None:
    code = (
        "import sys, secloop_ai.policies.chat, secloop_ai.policies.chat.remote, secloop_ai.policies.registry\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules} & {'torch', 'transformers', 'trl', 'openai'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
