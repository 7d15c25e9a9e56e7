"""``openai:MODEL@BASE_URL``: any server that speaks the OpenAI chat protocol (vLLM, llama.cpp, Ollama, a cloud).

    openai:MODEL                              the library's own server, or that of OPENAI_BASE_URL
    openai:MODEL@http://127.0.0.1:8000/v1     this one
    openai:MODEL@URL?timeout_s=10&retries=0   with options; see :class:`.options.ServerOptions`

MODEL may hold colons and slashes. The key comes from the environment variable OPENAI_API_KEY and from nowhere else.
Needs the extra ``chat``.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from secloop_ai.contracts import PolicyError

from .answer import Reply
from .options import ServerOptions, split_options
from .policy import ChatPolicy, Replies
from .prompt import Prompt
from .wire import Completion, body_of, completion_of, said

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

KEY, BASE_URL = "OPENAI_API_KEY", "OPENAI_BASE_URL"
CLOUD = "https://api.openai.com/v1"
NO_KEY = "none"
"""Sent where there is no key: a server of one's own asks for none, the protocol wants the field."""
NOT_UNDERSTOOD = frozenset({400, 422, 501})
"""Statuses by which servers answer to a parameter that they do not have."""
AT_ONCE = 8
"""Requests side by side, where a server gives one answer at a time."""
PAUSE_S = 0.5
"""Before another try; twice as long each time."""
CHARACTERS_PER_TOKEN = 2.5
"""Of a prompt, at least; for the budget, before the server has counted."""
_PLACE = re.compile(r"\A(?P<model>.+?)@(?P<url>https?://.*)\Z")
T = TypeVar("T")


class _Level(NamedTuple):
    """What a server is asked for beside the messages."""

    schema: bool
    logprobs: bool


class _Draw(NamedTuple):
    n: int
    seed: int
    temperature: float


class ChatServer:
    """A model behind an OpenAI-compatible server. Nothing is sent before the first answer is wanted."""

    def __init__(self, model: str, base_url: str, options: ServerOptions) -> None:
        import openai  # noqa: F401, PLC0415 - slow, and an extra: only who asks for a server pays, and learns it here

        self._model, self._url, self._options = model, base_url, options
        asked = {"auto": (True, False), "schema": (True,), "prompt": (False,)}[options.structured]
        self._levels = [_Level(s, p) for s in asked for p in ((True, False) if options.logprobs else (False,))]
        self._one_by_one = False
        self._spent = 0

    @property
    def name(self) -> str:
        """Back end and model."""
        return f"openai/{self._model}"

    @property
    def identity(self) -> dict[str, str]:
        """Model and server."""
        return {"model": self._model, "base_url": self._url}

    def answer(self, prompt: Prompt, *, n: int, seed: int) -> Replies:
        """`n` answers: one greedy, the others sampled by the seed. Sends requests to the server.

        Raises:
            PolicyError: the server is down, too slow, refuses, or answers with something else; or the budget is spent.
        """
        return _run(self._answer(prompt, n, seed))

    async def _answer(self, prompt: Prompt, n: int, seed: int) -> Replies:
        from openai import AsyncOpenAI  # noqa: PLC0415 - see above

        client = AsyncOpenAI(
            api_key=_key() or NO_KEY,
            base_url=self._url,
            timeout=self._options.timeout_s,
            max_retries=self._options.retries,
        )
        try:
            async with asyncio.timeout(self._options.deadline_s), client:
                replies = await self._settled(client, prompt, seed)
                if n > 1:
                    replies += await self._sampled(client, prompt, n - 1, seed)
        except TimeoutError:
            raise PolicyError(f"{self._server}: no whole answer within {self._options.deadline_s:g} s") from None
        return Replies(tuple(replies), "" if self._levels[0].schema else self._unheld)

    @property
    def _server(self) -> str:
        return f"{self.name} at {self._url}"

    @property
    def _unheld(self) -> str:
        why = "asked for in words only" if self._options.structured == "prompt" else "not taken by the server"
        return f"JSON schema {why}: answers were checked, not held to it"

    async def _settled(self, client: AsyncOpenAI, prompt: Prompt, seed: int) -> list[Reply]:
        """The greedy answer, asked for with everything that the server takes; what it does not take is remembered."""
        while True:
            try:
                return await self._ask(client, prompt, _Draw(1, seed, 0.0))
            except _NotUnderstood as refused:
                if len(self._levels) == 1:
                    raise PolicyError(f"{self._server}: {refused}") from None
                del self._levels[0]

    async def _sampled(self, client: AsyncOpenAI, prompt: Prompt, n: int, seed: int) -> list[Reply]:
        """The other answers: at once where the server can, else one request each, with a seed of its own."""
        warm = self._options.temperature
        found: list[Reply] = []
        if not self._one_by_one:
            try:
                found = await self._ask(client, prompt, _Draw(n, seed, warm))
            except _NotUnderstood as refused:
                if n == 1:
                    raise PolicyError(f"{self._server}: {refused}") from None
            self._one_by_one = len(found) < n
        room = asyncio.Semaphore(AT_ONCE)

        async def one(turn: int) -> list[Reply]:
            async with room:
                return await self._ask(client, prompt, _Draw(1, seed + turn, warm))

        try:
            more = await asyncio.gather(*(one(turn) for turn in range(len(found) + 1, n + 1)))
        except _NotUnderstood as refused:
            raise PolicyError(f"{self._server}: {refused}") from None
        return [*found, *(r for replies in more for r in replies)]

    async def _ask(self, client: AsyncOpenAI, prompt: Prompt, draw: _Draw) -> list[Reply]:
        import openai  # noqa: PLC0415 - see above

        self._afford(prompt, draw)
        try:
            completion = await self._send(client, self._body(prompt, draw))
        except openai.APITimeoutError:
            raise PolicyError(f"{self._server}: no answer within {self._options.timeout_s:g} s{self._tries}") from None
        except openai.APIConnectionError as error:
            cause = said(error.__cause__ or error, _key())
            raise PolicyError(f"{self._server}: cannot be reached{self._tries}: {cause}") from None
        except openai.APIStatusError as error:
            raise self._refused(error) from None
        except openai.OpenAIError as error:
            raise PolicyError(f"{self._server}: {said(error, _key())}") from None
        self._spent += (completion.usage.total_tokens if completion.usage else 0) or self._estimate(prompt, draw)
        return completion.replies[: draw.n]

    async def _send(self, client: AsyncOpenAI, body: dict[str, Any]) -> Completion:
        """Send until a whole body came: the library tries again up to the headers of an answer, this after them."""
        for turn in range(self._options.retries + 1):
            if turn:
                await asyncio.sleep(PAUSE_S * 2.0 ** (turn - 1))
            async with client.chat.completions.with_streaming_response.create(**body) as response:
                try:
                    return completion_of(await body_of(response.iter_bytes(), self._server), self._server)
                except PolicyError:
                    raise
                except Exception as error:  # noqa: BLE001 - of the HTTP library, which is another in each major version
                    broken = said(error, _key())
        raise PolicyError(f"{self._server}: the answer broke off{self._tries}: {broken}")

    def _body(self, prompt: Prompt, draw: _Draw) -> dict[str, Any]:
        level = self._levels[0]
        named = {"name": "strategy", "strict": True, "schema": prompt.schema}
        return {
            "model": self._model,
            "messages": prompt.messages,
            "max_tokens": self._options.tokens,
            "temperature": draw.temperature,
            "seed": draw.seed,
            **({"n": draw.n} if draw.n > 1 else {}),
            **({"response_format": {"type": "json_schema", "json_schema": named}} if level.schema else {}),
            **({"logprobs": True} if level.logprobs else {}),
        }

    def _refused(self, error: APIStatusError) -> Exception:
        text = f"status {error.status_code}: {said(error, _key())}"
        if error.status_code in NOT_UNDERSTOOD:
            return _NotUnderstood(text)
        tried = self._tries if error.status_code >= 500 else ""  # noqa: PLR2004 - the server's own faults
        return PolicyError(f"{self._server}: {text}{tried}")

    @property
    def _tries(self) -> str:
        return f" (tried {self._options.retries + 1} times)" if self._options.retries else ""

    def _estimate(self, prompt: Prompt, draw: _Draw) -> int:
        asked = (len(prompt.system) + len(prompt.user)) / CHARACTERS_PER_TOKEN
        return int(asked) + draw.n * self._options.tokens

    def _afford(self, prompt: Prompt, draw: _Draw) -> None:
        """Nothing is sent that could go beyond the budget."""
        budget = self._options.budget
        if budget and self._spent + self._estimate(prompt, draw) > budget:
            raise PolicyError(
                f"{self._server}: the token budget of {budget} does not allow another request ({self._spent} spent)"
            )


class _NotUnderstood(Exception):  # noqa: N818 - what the server says of a request
    """The server does not take the request as it is."""


def _key() -> str:
    key = os.environ.get(KEY, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise PolicyError(f"openai: the environment variable {KEY} holds what no header can carry")
    return key


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to its end, in a thread of its own: the caller may itself be inside an event loop."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def load(argument: str) -> ChatPolicy:
    """The policy of ``openai:MODEL``, ``openai:MODEL@BASE_URL``, either with ``?option=value&...``.

    Raises:
        PolicyError: no model, a wrong URL, a wrong option, or the cloud without a key.
        ModuleNotFoundError: the library is not installed.
    """
    head, options = split_options(argument, ServerOptions, "openai")
    place = _PLACE.match(head)
    model = place["model"] if place else head
    url = place["url"] if place else os.environ.get(BASE_URL) or CLOUD
    if not model or ("@" in model and not place):
        raise PolicyError("openai: write openai:MODEL@BASE_URL, as openai:qwen2.5:7b@http://127.0.0.1:11434/v1")
    _check(url)
    if not _key() and url == CLOUD:
        raise PolicyError(f"openai: {CLOUD} needs a key in the environment variable {KEY}")
    return ChatPolicy(ChatServer(model, url, options), options)


def _check(url: str) -> None:
    """No secret in it, and a server in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise PolicyError("openai: the base URL cannot be read") from None
    if parts.username is not None or parts.password is not None:
        raise PolicyError(f"openai: a base URL must hold no user or password; the key belongs into {KEY}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise PolicyError(f"openai: {url[:120]!r} is no http or https URL of a server")
