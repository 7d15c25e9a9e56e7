"""``python -m training.serve PATH``: a local model behind an OpenAI-compatible address.

The model stays on the machine with the GPU; the controller asks it as ``openai:NAME@http://HOST:PORT/v1``. Answers are
held to ``response_format`` (``json_schema``); seed, n, temperature, max_tokens and logprobs are honoured.

It listens on the loopback address. Elsewhere it does so only with a key, which it takes from the environment variable
SECLOOP_SERVE_KEY and asks of every client; it speaks plain HTTP, so put it behind a tunnel or a TLS proxy there.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from ipaddress import ip_address
from pathlib import Path

from secloop_ai.contracts import PolicyError, SecLoopError
from secloop_ai.policies.chat import LocalOptions, split_options
from training.chat import LocalModel, load_weights
from training.chat.server import ChatServer, Terms

KEY = "SECLOOP_SERVE_KEY"


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; 1 when the model or the address cannot be used.

    Says on standard output, in one line, where it listens once it does.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO if options.verbose else logging.WARNING)
    try:
        with _server(options) as server:
            _serve(server)
    except (SecLoopError, ModuleNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.serve", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "model", help="folder of a model or LoRA adapter, with options: PATH?dtype=bfloat16&device=auto"
    )
    parser.add_argument("--port", type=int, default=8000, help="0: one that is free")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--name", help="the model's name for clients; by default that of the folder")
    parser.add_argument("--waiting", type=int, default=8, help="requests at once; one more is told to come back")
    parser.add_argument("--limit-s", type=float, default=300.0, help="seconds for one request's answers")
    parser.add_argument("--verbose", action="store_true", help="a line per request on standard error")
    return parser


def _server(options: argparse.Namespace) -> ChatServer:
    key = os.environ.get(KEY, "").strip()
    if not key and not _loopback(options.host):
        raise PolicyError(f"--host {options.host}: is reached from elsewhere; set a key in the environment ({KEY})")
    if options.waiting < 1 or options.limit_s <= 0:
        raise PolicyError("--waiting and --limit-s: must be more than 0")
    path, chosen = split_options(options.model, LocalOptions, "serve")
    folder = Path(path)
    model = LocalModel(load_weights(folder, chosen))
    terms = Terms(options.name or folder.resolve().name, key, options.waiting, options.limit_s)
    try:
        return ChatServer((options.host, options.port), model, terms)
    except (OSError, OverflowError) as error:
        raise PolicyError(f"--host {options.host} --port {options.port}: {error}") from None


def _serve(server: ChatServer) -> None:
    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown).start()

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    host, port = server.server_address[:2]
    sys.stdout.write(f"serving {server.terms.name} at http://{host!s}:{port}/v1\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())
