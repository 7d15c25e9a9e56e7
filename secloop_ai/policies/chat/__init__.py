"""Chat models as policies: any OpenAI-compatible server, or a local model.

load_policy("openai:qwen2.5:7b@http://127.0.0.1:11434/v1?timeout_s=60")    # vLLM, llama.cpp, Ollama, a cloud
load_policy("transformers:/models/qwen2.5-7b?decoding=constrained")        # a folder, or a LoRA adapter's

Both ask with the same prompt, answer with the same candidates, and pass the same guard.
"""

from __future__ import annotations

from .answer import Reply, candidates, read
from .options import ChatOptions, LocalOptions, ServerOptions, split_options
from .policy import ChatBackend, ChatPolicy, Replies
from .prompt import Prompt, build_prompt

__all__ = [
    "ChatBackend",
    "ChatOptions",
    "ChatPolicy",
    "LocalOptions",
    "Prompt",
    "Replies",
    "Reply",
    "ServerOptions",
    "build_prompt",
    "candidates",
    "read",
    "split_options",
]
