"""The network in NumPy: the same whole or in steps, the same as transformers' where that is installed."""

from __future__ import annotations

import numpy as np
import pytest

from secloop_ai.contracts import PolicyError
from secloop_ai.policies.embedded.network import Network, Shape
from secloop_ai.policies.embedded.vocabulary import words

from .making import config, shape, weights

TOKENS = np.array([[1, 40, 7, 300, 12, 5, 90, 2]], dtype=np.int64)


def test_in_steps_it_says_what_it_says_at_once() -> None:
    network = Network(shape(), weights())
    whole, _ = network.forward(TOKENS)
    _, cache = network.forward(TOKENS[:, :3])
    _, cache = network.forward(TOKENS[:, 3:6], cache)
    stepped, cache = network.forward(TOKENS[:, 6:], cache)
    assert cache.length == TOKENS.shape[1]
    np.testing.assert_allclose(stepped, whole, rtol=1e-4, atol=1e-4)


def test_a_fork_goes_its_own_way() -> None:
    network = Network(shape(), weights())
    _, cache = network.forward(TOKENS)
    forked = cache.fork(np.array([0, 0]))
    both, _ = network.forward(np.array([[9], [11]]), forked)
    alone, _ = network.forward(np.array([[11]]), cache)
    np.testing.assert_allclose(both[1], alone[0], rtol=1e-4, atol=1e-4)
    assert not np.allclose(both[0], both[1])


def test_it_computes_what_transformers_does() -> None:
    torch = pytest.importorskip("torch", reason="torch is not in the base install")
    transformers = pytest.importorskip("transformers")
    known = {k: v for k, v in config().items() if k not in {"secloop", "model_type"}}
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**known)).eval()
    missing, unexpected = model.load_state_dict({k: torch.tensor(v) for k, v in weights().items()}, strict=False)
    assert not unexpected
    assert set(missing) <= {"lm_head.weight"}
    with torch.no_grad():
        theirs = model(torch.tensor(TOKENS)).logits[:, -1].numpy()
    ours, _ = Network(shape(), weights()).forward(TOKENS)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_wrong_weights_are_named() -> None:
    lacking = weights()
    del lacking["model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(PolicyError, match=r"lack model\.layers\.1\.mlp\.up_proj\.weight"):
        Network(shape(), lacking)
    odd = weights()
    odd["model.norm.weight"] = odd["model.norm.weight"][:-1]
    with pytest.raises(PolicyError, match=r"model\.norm\.weight is \(31,\), not \(32,\)"):
        Network(shape(), odd)
    broken = weights()
    broken["model.norm.weight"][3] = np.nan
    with pytest.raises(PolicyError, match="not a number"):
        Network(shape(), broken)


def test_too_long_a_prompt_is_an_error() -> None:
    long = np.zeros((1, shape().positions + 1), dtype=np.int64)
    with pytest.raises(PolicyError, match="positions"):
        Network(shape(), weights()).forward(long)


@pytest.mark.parametrize("key", ["hidden_size", "vocab_size", "rms_norm_eps"])
def test_a_configuration_that_lacks_something_is_an_error(key: str) -> None:
    given = config()
    del given[key]
    with pytest.raises(PolicyError, match=key):
        Shape.of(given)


def test_the_vocabulary_has_no_word_twice() -> None:
    assert len(set(words())) == len(words())
