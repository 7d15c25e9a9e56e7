"""A causal language model and its tokenizer from a folder: a whole model, or a LoRA adapter over a base."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging as library

from secloop_ai.contracts import PolicyError
from secloop_ai.policies.chat import LocalOptions

ADAPTER = "adapter_config.json"
BASE_KEY = "base_model_name_or_path"
WHOLE_BYTES = 2 * 1024**3
"""Weights up to this size are hashed whole; of larger files, the size and both ends."""
END_BYTES = 1024 * 1024


class Weights(NamedTuple):
    """What was loaded.

    Attributes:
        folders: the model's, or the adapter's and its base's.
    """

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    folders: tuple[Path, ...]


def load_weights(folder: Path, options: LocalOptions) -> Weights:
    """Read from the folder alone; nothing is fetched from anywhere, no code of the folder is run.

    Raises:
        PolicyError: no such folder, not a model, an adapter whose base is not here, or a device that is not there.
        ModuleNotFoundError: an adapter, and peft is not installed.
    """
    if not folder.is_dir():
        raise PolicyError(f"transformers: {folder} is no folder")
    quiet: Any = library.disable_progress_bar
    quiet()
    adapter = folder / ADAPTER
    base = _base_of(adapter, options) if adapter.is_file() else folder
    tokenizer = _tokenizer(folder if (folder / "tokenizer_config.json").is_file() else base)
    model = _read(base, lambda: _model(base, options))
    if base != folder:
        from peft import PeftModel  # noqa: PLC0415 - only adapters need it

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # peft's own calls of what transformers will rename
            model = _read(folder, lambda: PeftModel.from_pretrained(model, folder, local_files_only=True))
    model.eval()
    return Weights(model, tokenizer, (folder,) if base == folder else (folder, base))


def _base_of(adapter: Path, options: LocalOptions) -> Path:
    try:
        named = options.base or json.loads(adapter.read_text(encoding="utf-8"))[BASE_KEY]
    except (OSError, ValueError, KeyError, TypeError):
        raise PolicyError(f"{adapter}: names no base model ({BASE_KEY})") from None
    base = Path(str(named))
    if not base.is_dir():
        raise PolicyError(f"{adapter}: its base model {base} is no folder here; say where it is by ?base=FOLDER")
    return base


def _tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    found: PreTrainedTokenizerBase = _read(
        folder, lambda: AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    )
    if found.eos_token_id is None:
        raise PolicyError(f"{folder}: its tokenizer names no token that ends a text")
    return found


def _model(folder: Path, options: LocalOptions) -> PreTrainedModel:
    place = _device_map(options.device)
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=_dtype(options, on_cpu=place is None),
        local_files_only=True,
        trust_remote_code=False,
        **({"device_map": place} if place else {}),
    )
    return model


def _read(folder: Path, load: Any) -> Any:
    """What a loader of the library gives, its many kinds of failure as one."""
    try:
        return load()
    except ModuleNotFoundError:
        raise
    except Exception as error:  # noqa: BLE001 - these loaders raise anything, from KeyError to a tensor library's own
        raise PolicyError(f"{folder}: cannot be loaded as a causal language model: {_line(error)}") from None


def _device_map(device: str) -> str | dict[str, str] | None:
    """None stands for the CPU."""
    there = torch.accelerator.is_available()
    if device == "cpu" or (device == "auto" and not there):
        return None
    if device == "auto":
        return "auto"
    current = torch.accelerator.current_accelerator()
    kind, _, number = device.partition(":")
    if not there or current is None or current.type != kind or int(number or 0) >= torch.accelerator.device_count():
        raise PolicyError(f"transformers: there is no device {device} here")
    return {"": device}


def _dtype(options: LocalOptions, *, on_cpu: bool) -> torch.dtype:
    if options.dtype != "auto":
        found: torch.dtype = getattr(torch, options.dtype)
        return found
    if on_cpu or not torch.cuda.is_available():
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def fingerprint(folders: tuple[Path, ...]) -> str:
    """SHA-256 (hex) over the files that decide; see `WHOLE_BYTES` for large ones."""
    found = hashlib.sha256()
    kinds = (".safetensors", ".json", ".bin", ".jinja", ".model", ".txt")
    for folder in folders:
        for path in sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in kinds):
            size = path.stat().st_size
            found.update(f"{path.name}\0{size}\0".encode())
            with path.open("rb") as file:
                if size <= WHOLE_BYTES:
                    found.update(hashlib.file_digest(file, "sha256").digest())
                else:
                    found.update(file.read(END_BYTES))
                    file.seek(-END_BYTES, 2)
                    found.update(file.read())
    return found.hexdigest()


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
