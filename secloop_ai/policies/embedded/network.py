"""A small causal transformer of the Llama family in NumPy: one prompt in, logits out, with a cache that can be forked.

The weights are those of transformers' ``LlamaForCausalLM`` (RMSNorm, rotary positions, gated SiLU, tied embeddings), so
that the same file loads there. Shapes: T tokens, B sequences, D hidden, H heads of K = D / H, V words; P tokens of the
prompt, which all sequences share, and L of the longest continuation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from secloop_ai.contracts import PolicyError

Array = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
NEVER = np.float32(-1e9)
BLOCK = 64
"""Queries of a prompt looked at together: none of them looks at a key behind its block."""


class Shape(NamedTuple):
    """What the configuration file says of the model."""

    layers: int
    hidden: int
    heads: int
    middle: int
    words: int
    positions: int
    epsilon: float
    theta: float

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Shape:
        """From a ``config.json`` of transformers.

        Raises:
            PolicyError: a field is missing, or it is not this kind of model.
        """
        try:
            if config["model_type"] != "llama" or not config["tie_word_embeddings"]:
                raise PolicyError("the policy's config.json is not of a Llama model with tied embeddings")
            rope = config.get("rope_parameters") or {}
            found = cls(
                layers=int(config["num_hidden_layers"]),
                hidden=int(config["hidden_size"]),
                heads=int(config["num_attention_heads"]),
                middle=int(config["intermediate_size"]),
                words=int(config["vocab_size"]),
                positions=int(config["max_position_embeddings"]),
                epsilon=float(config["rms_norm_eps"]),
                theta=float(config.get("rope_theta") or rope.get("rope_theta") or 10_000.0),
            )
        except KeyError as error:
            raise PolicyError(f"the policy's config.json lacks {error}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise PolicyError(f"the policy's config.json holds what is not a figure: {error}") from None
        found.check(config)
        return found

    def check(self, config: Mapping[str, Any]) -> None:
        """Refuse what is not computed here.

        Raises:
            PolicyError: names the field.
        """
        if min(self) <= 0 or self.hidden % (2 * self.heads):
            raise PolicyError(f"the policy's config.json gives sizes that do not go together: {self}")
        plain = {
            "num_key_value_heads": self.heads,
            "head_dim": self.hidden // self.heads,
            "hidden_act": "silu",
            "attention_bias": False,
            "mlp_bias": False,
        }
        for field, value in plain.items():
            if (given := config.get(field)) not in (None, value):
                raise PolicyError(f"the policy's config.json: {field} is {given!r}; only {value!r} is read here")


class _Layer(NamedTuple):
    """One block: the three projections of attention stacked, and the two of the gated unit."""

    first_norm: Array
    qkv: Array
    out: Array
    second_norm: Array
    gate_up: Array
    down: Array


class Own(NamedTuple):
    """Keys and values (B, H, L, K) of what each sequence has said after the prompt, in one layer."""

    keys: Array
    values: Array


class Cache(NamedTuple):
    """What the model has read: a prompt once for all sequences, and the continuation of each.

    Attributes:
        prompt: per layer, keys (H, K, P) and values (H, P, K).
        own: per layer; empty until the first continuation.
        rows: sequence → its row in `own`; one row may stand for several.
        said: tokens of each sequence after the prompt (B,).
    """

    prompt: tuple[tuple[Array, Array], ...]
    own: tuple[Own, ...]
    rows: Ints
    said: Ints

    @property
    def read(self) -> int:
        """Tokens of the prompt."""
        return int(self.prompt[0][0].shape[2])

    @property
    def length(self) -> int:
        """Tokens of the longest sequence."""
        return self.read + int(self.said.max())

    def fork(self, rows: Ints) -> Cache:
        """The same for these sequences, one may stand more than once; nothing is copied yet."""
        return self._replace(rows=self.rows[rows], said=self.said[rows])


class _Places(NamedTuple):
    """Where the new tokens of a continuation go, the same in every layer.

    Attributes:
        cos, sin: of the rotary embedding (B, 1, T, K).
        at: place of each token in its continuation (B, T).
        hidden: what a token must not see of the continuations (B, 1, T, L).
    """

    cos: Array
    sin: Array
    at: Ints
    hidden: Array


class Network:
    """The model; it keeps no state between calls.

    Args:
        shape: of the configuration.
        weights: by their names in transformers; float16 or float32.

    Raises:
        PolicyError: a tensor is missing, has another shape, or holds what is not a number.
    """

    def __init__(self, shape: Shape, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        self.shape = shape
        self._weights = weights
        d, m = shape.hidden, shape.middle
        self._embed = self._take("model.embed_tokens.weight", (shape.words, d))
        self._norm = self._take("model.norm.weight", (d,))
        self._layers = tuple(self._layer(n, d, m) for n in range(shape.layers))
        self._cos, self._sin = _rotary(shape)
        del self._weights

    def _take(self, name: str, wanted: tuple[int, ...]) -> Array:
        raw = self._weights.get(name)
        if raw is None:
            raise PolicyError(f"the policy's weights lack {name}")
        if raw.shape != wanted:
            raise PolicyError(f"the policy's weights: {name} is {raw.shape}, not {wanted}")
        found: Array = np.ascontiguousarray(raw, dtype=np.float32)
        if not np.isfinite(found).all():
            raise PolicyError(f"the policy's weights: {name} holds what is not a number")
        return found

    def _layer(self, n: int, d: int, m: int) -> _Layer:
        at = f"model.layers.{n}."
        qkv = np.concatenate([self._take(f"{at}self_attn.{x}_proj.weight", (d, d)) for x in "qkv"])
        qkv[:d] *= np.float32((d / self.shape.heads) ** -0.5)  # the scale of the scores, once for all
        gate_up = np.concatenate([self._take(f"{at}mlp.{x}_proj.weight", (m, d)) for x in ("gate", "up")])
        return _Layer(
            first_norm=self._take(f"{at}input_layernorm.weight", (d,)),
            qkv=np.ascontiguousarray(qkv.T),
            out=np.ascontiguousarray(self._take(f"{at}self_attn.o_proj.weight", (d, d)).T),
            second_norm=self._take(f"{at}post_attention_layernorm.weight", (d,)),
            gate_up=np.ascontiguousarray(gate_up.T),
            down=np.ascontiguousarray(self._take(f"{at}mlp.down_proj.weight", (d, m)).T),
        )

    def forward(self, tokens: Ints, cache: Cache | None = None, counts: Ints | None = None) -> tuple[Array, Cache]:
        """Logits (B, V) after the last token of each sequence, and the cache with them in it.

        Args:
            tokens: the prompt (1, T), or what each of the cache's sequences says next (B, T).
            cache: of what came before; it stays as it is.
            counts: how many of a sequence's tokens are its own (B,), at least one; the rest is padding.

        Raises:
            PolicyError: more tokens than the model has positions.
        """
        self._check(tokens.shape[1] + (cache.length if cache else 0))
        if cache is None:
            x, read = self._read(tokens[0], everywhere=False)
            none = np.zeros(1, dtype=np.int64)
            return self._logits(x), Cache(read, (), none, none)
        return self._go_on(tokens, cache, np.full(len(tokens), tokens.shape[1]) if counts is None else counts)

    def everywhere(self, tokens: Ints) -> Array:
        """Logits (T, V) after each token of one sequence (T,).

        Raises:
            PolicyError: more tokens than the model has positions.
        """
        self._check(len(tokens))
        return self._logits(self._read(tokens, everywhere=True)[0])

    def _check(self, needed: int) -> None:
        if needed > self.shape.positions:
            raise PolicyError(f"the policy's model has {self.shape.positions} positions; this needs {needed}")

    def _logits(self, x: Array) -> Array:
        return self._normed(x, self._norm) @ self._embed.T

    def _read(self, tokens: Ints, *, everywhere: bool) -> tuple[Array, tuple[tuple[Array, Array], ...]]:
        """A sequence from its start: its states (T, D), or (1, D) of the last token alone, and its keys and values."""
        x = self._embed[tokens]
        cos, sin = self._cos[: len(tokens)], self._sin[: len(tokens)]
        read = []
        for n, layer in enumerate(self._layers):
            heads = self._heads(self._normed(x, layer.first_norm) @ layer.qkv)
            k, v = np.ascontiguousarray(_turned(heads[1], cos, sin).swapaxes(-1, -2)), np.ascontiguousarray(heads[2])
            read.append((k, v))
            first = 0
            if n + 1 == len(self._layers) and not everywhere:  # nobody asks for the other tokens' states any more
                first, x = len(tokens) - 1, x[-1:]
            mixed = _look_back(_turned(heads[0][:, first:], cos[first:], sin[first:]), k, v)
            x = self._rest(x, mixed.swapaxes(0, 1).reshape(x.shape), layer)
        return x, tuple(read)

    def _go_on(self, tokens: Ints, cache: Cache, counts: Ints) -> tuple[Array, Cache]:
        b, t = tokens.shape
        x = self._embed[tokens.reshape(-1)]
        places = self._places(cache, t)
        own = []
        for n, layer in enumerate(self._layers):
            heads = self._heads(self._normed(x, layer.first_norm) @ layer.qkv).reshape(3, self.shape.heads, b, t, -1)
            q, k, v = heads.swapaxes(1, 2)
            kept = _kept(cache, n, places, _turned(k, places.cos, places.sin), v)
            own.append(kept)
            mixed = _look_around(_turned(q, places.cos, places.sin), cache.prompt[n], kept, places.hidden)
            x = self._rest(x, mixed.swapaxes(1, 2).reshape(x.shape), layer)
        last = np.arange(b) * t + counts - 1
        return self._logits(x[last]), Cache(cache.prompt, tuple(own), np.arange(b), cache.said + counts)

    def _places(self, cache: Cache, t: int) -> _Places:
        at = cache.said[:, None] + np.arange(t)
        turn = cache.read + at
        hidden = np.where(np.arange(int(at.max()) + 1) > at[..., None], NEVER, np.float32(0))
        return _Places(self._cos[turn][:, None], self._sin[turn][:, None], at, hidden[:, None])

    def _heads(self, x: Array) -> Array:
        """Rows (N, 3 D) of queries, keys and values by head: (3, H, N, K)."""
        return x.reshape(len(x), 3, self.shape.heads, -1).transpose(1, 2, 0, 3)

    def _rest(self, x: Array, mixed: Array, layer: _Layer) -> Array:
        """What follows attention in a block."""
        found: Array = mixed @ layer.out
        found += x
        found += _gated(self._normed(found, layer.second_norm) @ layer.gate_up) @ layer.down
        return found

    def _normed(self, x: Array, scale: Array) -> Array:
        square = np.einsum("nd,nd->n", x, x) / np.float32(x.shape[1]) + np.float32(self.shape.epsilon)
        found: Array = x * (np.float32(1) / np.sqrt(square))[:, None]
        found *= scale
        return found


def _look_back(q: Array, k: Array, v: Array) -> Array:
    """Attention of a sequence's last tokens (H, N, K) to all that is not behind them: (H, N, K)."""
    count, seen = q.shape[1], k.shape[2]
    mixed = np.empty_like(q)
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        end = seen - count + stop
        scores = q[:, start:stop] @ k[..., :end]
        scores[..., end - (stop - start) :] += _LATER[: stop - start, : stop - start]
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        weight = scores.sum(axis=-1, keepdims=True)
        mixed[:, start:stop] = scores @ v[:, :end] / weight
    return mixed


_LATER = np.triu(np.full((BLOCK, BLOCK), NEVER, dtype=np.float32), k=1)


def _kept(cache: Cache, n: int, places: _Places, k: Array, v: Array) -> Own:
    """The continuations' keys and values with new ones (B, H, T, K) in their places."""
    b, heads, _, width = k.shape
    before = cache.own[n].keys.shape[2] if cache.own else 0
    made = []
    for new, old in zip((k, v), cache.own[n] if cache.own else (k, v), strict=True):
        whole = np.empty((b, heads, places.hidden.shape[-1], width), dtype=np.float32)
        seen = min(before, whole.shape[2])
        if seen:
            whole[:, :, :seen] = old[cache.rows, :, :seen]
        whole[:, :, seen:] = 0
        whole[np.arange(b)[:, None], :, places.at] = new.swapaxes(1, 2)
        made.append(whole)
    return Own(*made)


def _look_around(q: Array, prompt: tuple[Array, Array], own: Own, hidden: Array) -> Array:
    """Attention of new tokens (B, H, T, K) to the prompt, read once for all, and to their own sequence."""
    b, heads, t, width = q.shape
    far = q.swapaxes(0, 1).reshape(heads, b * t, width) @ prompt[0]
    near = q @ own.keys.swapaxes(-1, -2)
    near += hidden
    top = np.maximum(far.max(axis=-1).reshape(heads, b, t).swapaxes(0, 1), near.max(axis=-1))[..., None]
    far -= top.swapaxes(0, 1).reshape(heads, b * t, 1)
    near -= top
    np.exp(far, out=far)
    np.exp(near, out=near)
    weight = far.sum(axis=-1).reshape(heads, b, t).swapaxes(0, 1) + near.sum(axis=-1)
    mixed = (far @ prompt[1]).reshape(heads, b, t, width).swapaxes(0, 1) + near @ own.values
    found: Array = mixed / weight[..., None]
    return found


def _gated(both: Array) -> Array:
    middle = both.shape[-1] // 2
    gate, up = both[..., :middle], both[..., middle:]
    half = gate * np.float32(0.5)
    found: Array = np.tanh(half)  # x sigmoid(x) = x/2 (1 + tanh(x/2)): nothing that could overflow
    found += np.float32(1)
    found *= half
    found *= up
    return found


def _rotary(shape: Shape) -> tuple[Array, Array]:
    """Cosines and sines (positions, K) of the rotary embedding (Su et al. 2021, RoFormer), halves repeated."""
    width = shape.hidden // shape.heads
    rates = shape.theta ** (-np.arange(0, width, 2, dtype=np.float64) / width)
    angles = np.arange(shape.positions)[:, None] * rates
    both = np.concatenate([angles, angles], axis=-1)
    return np.cos(both).astype(np.float32), np.sin(both).astype(np.float32)


def _turned(x: Array, cos: Array, sin: Array) -> Array:
    half = x.shape[-1] // 2
    found: Array = x * cos
    found[..., :half] -= x[..., half:] * sin[..., :half]
    found[..., half:] += x[..., :half] * sin[..., half:]
    return found
