"""A small causal transformer of the Llama family in NumPy: one prompt in, logits out, with a cache that can be forked.

The weights are those of transformers' ``LlamaForCausalLM`` (RMSNorm, rotary positions, gated SiLU, tied embeddings), so
that the same file loads there. Shapes: T tokens, B sequences, D hidden, H heads of K = D / H, V words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from secloop_ai.contracts import PolicyError

Array = npt.NDArray[np.float32]
NEVER = np.float32(-1e9)


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
            if config.get("num_key_value_heads", config["num_attention_heads"]) != config["num_attention_heads"]:
                raise PolicyError("the policy's config.json asks for grouped heads, which are not read here")
            rope = config.get("rope_parameters") or {}
            return cls(
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


class _Layer(NamedTuple):
    """One block: the three projections of attention stacked, and the two of the gated unit."""

    first_norm: Array
    qkv: Array
    out: Array
    second_norm: Array
    gate_up: Array
    down: Array


class Cache(NamedTuple):
    """Keys and values so far, per layer (B, H, T, K)."""

    keys: tuple[Array, ...]
    values: tuple[Array, ...]

    @property
    def length(self) -> int:
        """Tokens held."""
        return int(self.keys[0].shape[2])

    def fork(self, rows: npt.NDArray[np.int64]) -> Cache:
        """The same for these sequences, one may stand more than once."""
        return Cache(tuple(k[rows] for k in self.keys), tuple(v[rows] for v in self.values))


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
        gate_up = np.concatenate([self._take(f"{at}mlp.{x}_proj.weight", (m, d)) for x in ("gate", "up")])
        return _Layer(
            first_norm=self._take(f"{at}input_layernorm.weight", (d,)),
            qkv=np.ascontiguousarray(qkv.T),
            out=np.ascontiguousarray(self._take(f"{at}self_attn.o_proj.weight", (d, d)).T),
            second_norm=self._take(f"{at}post_attention_layernorm.weight", (d,)),
            gate_up=np.ascontiguousarray(gate_up.T),
            down=np.ascontiguousarray(self._take(f"{at}mlp.down_proj.weight", (d, m)).T),
        )

    def forward(self, tokens: npt.NDArray[np.int64], cache: Cache | None = None) -> tuple[Array, Cache]:
        """Logits (B, V) of the last token of each sequence (B, T), and the cache with them in it.

        Raises:
            PolicyError: more tokens than the model has positions.
        """
        start = cache.length if cache else 0
        end = start + tokens.shape[1]
        if end > self.shape.positions:
            raise PolicyError(f"the policy's model has {self.shape.positions} positions; this needs {end}")
        x = self._embed[tokens]
        cos, sin = self._cos[start:end], self._sin[start:end]
        keys, values = [], []
        for n, layer in enumerate(self._layers):
            before = (cache.keys[n], cache.values[n]) if cache else None
            mixed, k, v = self._attend(self._normed(x, layer.first_norm), layer, cos, sin, before)
            x = x + mixed
            x = x + _gated(self._normed(x, layer.second_norm) @ layer.gate_up) @ layer.down
            keys.append(k)
            values.append(v)
        last = self._normed(x[:, -1], self._norm)
        return last @ self._embed.T, Cache(tuple(keys), tuple(values))

    def _normed(self, x: Array, scale: Array) -> Array:
        square = np.mean(x * x, axis=-1, keepdims=True)
        found: Array = (x / np.sqrt(square + np.float32(self.shape.epsilon)) * scale).astype(np.float32, copy=False)
        return found

    def _attend(
        self, x: Array, layer: _Layer, cos: Array, sin: Array, before: tuple[Array, Array] | None
    ) -> tuple[Array, Array, Array]:
        b, t, d = x.shape
        heads = (x @ layer.qkv).reshape(b, t, 3, self.shape.heads, -1).transpose(2, 0, 3, 1, 4)
        q, k, v = _turned(heads[0], cos, sin), _turned(heads[1], cos, sin), heads[2]
        if before is not None:
            k, v = np.concatenate([before[0], k], axis=2), np.concatenate([before[1], v], axis=2)
        scores = q @ k.swapaxes(-1, -2) * np.float32(q.shape[-1] ** -0.5)
        if t > 1:
            seen = k.shape[2]
            scores += np.triu(np.full((t, seen), NEVER, dtype=np.float32), k=seen - t + 1)
        scores -= scores.max(axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        mixed = (scores @ v).transpose(0, 2, 1, 3).reshape(b, t, d)
        return mixed @ layer.out, k, v


def _gated(both: Array) -> Array:
    gate, up = np.split(both, 2, axis=-1)
    return (gate / (np.float32(1.0) + np.exp(-gate)) * up).astype(np.float32, copy=False)


def _rotary(shape: Shape) -> tuple[Array, Array]:
    """Cosines and sines (positions, K) of the rotary embedding (Su et al. 2021, RoFormer), halves repeated."""
    width = shape.hidden // shape.heads
    rates = shape.theta ** (-np.arange(0, width, 2, dtype=np.float64) / width)
    angles = np.arange(shape.positions)[:, None] * rates
    both = np.concatenate([angles, angles], axis=-1)
    return np.cos(both).astype(np.float32), np.sin(both).astype(np.float32)


def _turned(x: Array, cos: Array, sin: Array) -> Array:
    half = x.shape[-1] // 2
    swapped = np.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    return (x * cos + swapped * sin).astype(np.float32, copy=False)
