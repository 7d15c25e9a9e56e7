"""Every way through the network gives what transformers gives: whole, in steps, side by side, of unequal length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from secloop_ai.contracts import PolicyError
from secloop_ai.policies.embedded.network import BLOCK, Network, Shape
from secloop_ai.policies.embedded.vocabulary import words
from tests.embedded.making import config, shape, weights

PROMPT = np.random.default_rng(1).integers(0, len(words()), (1, 2 * BLOCK + 5))
SAID = ((3, 44, 5), (90,), (7, 8), (3, 44, 6, 12))


def close(one: Any, other: Any) -> None:
    """Equal but for the order in which singles are summed."""
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-3)


def alone(network: Network, said: tuple[int, ...]) -> Any:
    return network.everywhere(np.array([*PROMPT[0], *said]))[-1]


def test_sequences_of_unequal_length_side_by_side() -> None:
    network = Network(shape(), weights())
    first, cache = network.forward(PROMPT)
    close(first, network.everywhere(PROMPT[0])[-1:])
    counts = np.array([len(s) for s in SAID])
    texts = np.array([[*s, *[0] * (4 - len(s))] for s in SAID])
    logits, cache = network.forward(texts, cache.fork(np.zeros(len(SAID), dtype=np.int64)), counts)
    for row, said in enumerate(SAID):
        close(logits[row], alone(network, said))
    assert list(cache.said) == [3, 1, 2, 4]
    kept = cache.fork(np.array([3, 1, 1]))
    logits, _ = network.forward(np.array([[9, 0], [10, 11], [12, 0]]), kept, np.array([1, 2, 1]))
    for row, said in enumerate(((*SAID[3], 9), (*SAID[1], 10, 11), (*SAID[1], 12))):
        close(logits[row], alone(network, said))
    again, _ = network.forward(np.array([[9, 0], [10, 11], [12, 0]]), kept, np.array([1, 2, 1]))
    np.testing.assert_array_equal(again, logits)


def test_every_position_is_what_transformers_says() -> None:
    torch = pytest.importorskip("torch", reason="torch is not in the base install")
    transformers = pytest.importorskip("transformers")
    known = {k: v for k, v in config().items() if k not in {"secloop", "model_type"}}
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**known)).eval()
    model.load_state_dict({k: torch.tensor(v) for k, v in weights(5).items()}, strict=False)
    with torch.no_grad():
        theirs = model(torch.tensor(PROMPT)).logits[0].numpy()
    close(Network(shape(), weights(5)).everywhere(PROMPT[0]), theirs)


def test_half_precision_is_read_as_single() -> None:
    halves = {k: v.astype(np.float16) for k, v in weights().items()}
    singles = {k: v.astype(np.float32) for k, v in halves.items()}
    ours, _ = Network(shape(), halves).forward(PROMPT)
    np.testing.assert_array_equal(ours, Network(shape(), singles).forward(PROMPT)[0])
    assert ours.dtype == np.float32


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_act", "gelu"),
        ("attention_bias", True),
        ("mlp_bias", True),
        ("num_key_value_heads", 2),
        ("head_dim", 16),
        ("num_attention_heads", 5),
        ("num_hidden_layers", 0),
        ("hidden_size", -32),
        ("vocab_size", "many"),
        ("rope_parameters", [1]),
        ("rms_norm_eps", None),
    ],
)
def test_what_is_not_computed_here_is_refused(field: str, value: object) -> None:
    with pytest.raises(PolicyError, match=r"config\.json"):
        Shape.of({**config(), "rope_theta": None, field: value})


def test_transformers_own_configuration_is_read() -> None:
    transformers = pytest.importorskip("transformers")
    known = {k: v for k, v in config().items() if k not in {"secloop", "model_type"}}
    assert Shape.of(transformers.LlamaConfig(**known).to_dict()) == shape()
