"""``transformers:PATH``: any local causal language model, or a LoRA adapter over one.

    transformers:/models/qwen2.5-7b                            a folder that transformers saved
    transformers:/runs/7/adapter?base=/models/qwen2.5-7b       a LoRA adapter's folder
    transformers:/models/x?decoding=unconstrained&tokens=512   with options; see `LocalOptions`

Needs the extra ``train``. The registry reaches it by name, so that the base package never imports torch.
"""

from __future__ import annotations

from pathlib import Path

from secloop_ai.contracts import PolicyError
from secloop_ai.policies.chat import ChatPolicy, LocalOptions, Prompt, Replies, Reply, split_options
from training.chat import LocalModel, Written, load_weights

FREE = "decoding unconstrained: answers were checked, not held to the JSON schema"


class LocalChat:
    """A model of this machine as what runs a chat policy."""

    def __init__(self, folder: Path, options: LocalOptions, model: LocalModel) -> None:
        self._folder, self._options, self._model = folder, options, model

    @property
    def name(self) -> str:
        """Back end and folder."""
        return f"transformers/{self._folder.resolve().name}"

    @property
    def identity(self) -> dict[str, str]:
        """The weights."""
        return {"weights": self._model.fingerprint}

    def answer(self, prompt: Prompt, *, n: int, seed: int) -> Replies:
        """`n` answers: one greedy, the others sampled in one batch.

        Raises:
            PolicyError: the prompt does not fit the model.
        """
        free = self._options.decoding == "unconstrained"
        found: list[Written] = []
        for count, temperature in ((1, 0.0), (n - 1, self._options.temperature)):
            if count:
                found += self._model.answer(
                    prompt.messages,
                    schema=None if free else prompt.schema,
                    n=count,
                    seed=seed,
                    temperature=temperature,
                    max_tokens=self._options.tokens,
                ).written
        return Replies(tuple(_reply(w) for w in found), FREE if free else "")


def _reply(written: Written) -> Reply:
    known = sum(p.log_probability for p in written.pieces)
    return Reply(written.text, written.ended, known, len(written.pieces))


def load(argument: str) -> ChatPolicy:
    """The policy of ``transformers:PATH`` or ``transformers:PATH?option=value&...``. Reads the weights.

    Raises:
        PolicyError: no folder named, not a model, a wrong option.
        ModuleNotFoundError: an adapter, and peft is not installed.
    """
    path, options = split_options(argument, LocalOptions, "transformers")
    if not path:
        raise PolicyError("transformers: write transformers:PATH, the folder of a model or of a LoRA adapter")
    folder = Path(path)
    return ChatPolicy(LocalChat(folder, options, LocalModel(load_weights(folder, options))), options)
