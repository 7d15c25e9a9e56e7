"""The closed vocabulary as a tokenizer of transformers: a word is a token, words are apart by blanks."""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast

from secloop_ai.policies.embedded.vocabulary import BOS, EOS, OTHER, PAD, ids


def tokenizer() -> PreTrainedTokenizerFast:
    """The tokenizer; its ids are the rows of the weights."""
    whole = Tokenizer(WordLevel(dict(ids()), unk_token=OTHER))
    whole.pre_tokenizer = WhitespaceSplit()
    made: PreTrainedTokenizerFast = PreTrainedTokenizerFast(
        tokenizer_object=whole, pad_token=PAD, bos_token=BOS, eos_token=EOS, unk_token=OTHER, padding_side="left"
    )
    return made


def numbers(words: Iterable[str]) -> list[int]:
    """The ids of words."""
    index = ids()
    return [index[w] for w in words]
