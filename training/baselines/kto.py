"""KTO for the embedded model: answers that were right are made likelier, others less likely, each on its own.

The loss is that of Ethayarajh et al. 2024 (arXiv 2402.01306, equations 6 to 8). For an answer y to a prompt x

    r = log p(y|x) - log q(y|x)         p the policy, q the checkpoint that it started from
    z = max(0, mean of r over answers that belong to other prompts of the batch)           without a gradient
    L = weight_d * (1 - sigmoid(beta * (r - z)))    of a desirable answer
        weight_u * (1 - sigmoid(beta * (z - r)))    of an undesirable one

The mean over the batch is minimised. Both policies are under the grammar's mask, as in SA-GRPO. TRL's
KTOTrainer computes the same loss over the whole vocabulary; it has no place for a mask, and an answer of another prompt
may be none at all under this prompt's grammar. Such a pair is left out of z (our choice). A test holds both losses
together where the mask allows everything.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import LlamaForCausalLM

from secloop_ai.contracts import PolicyError
from secloop_ai.contracts.base import Frozen
from secloop_ai.policies.embedded import Grammar, sample
from secloop_ai.policies.embedded.encode import shown
from secloop_ai.policies.embedded.vocabulary import PAD, ids
from training.lexicon import numbers
from training.masked import masked, pack
from training.model import network_of
from training.scoring import Answered, Scorer
from training.sources import TaskSource

from .clock import Clock
from .curve import Curve

PADDING = ids()[PAD]
LARGEST_WEIGHT = 10.0


class KtoConfig(Frozen):
    """A run of KTO.

    Attributes:
        beta: how far the answers may go from the reference.
        batch: answers per step; the reference point needs at least two.
        questions: tasks that are asked at a time, by the starting checkpoint.
        answers: sampled per task; equal ones count once.
        passes: over what was sampled, before more is.
        steps: at most; the clock may end the run earlier.
        points: steps from one point of the curve to the next.
    """

    algorithm: Literal["kto"] = "kto"
    beta: float = Field(default=0.1, gt=0)
    learning_rate: float = Field(default=1e-4, gt=0)
    batch: int = Field(default=32, ge=2)
    questions: int = Field(default=32, ge=1)
    answers: int = Field(default=8, ge=1)
    passes: int = Field(default=2, ge=1)
    gradient_norm: float = Field(default=1.0, gt=0)
    steps: int = Field(default=100_000, ge=1)
    points: int = Field(default=20, ge=1)


class Spoken(NamedTuple):
    """An answer to a prompt, in ids.

    Attributes:
        allowed: per word of the answer, what the grammar allowed there.
    """

    prompt: tuple[int, ...]
    answer: tuple[int, ...]
    allowed: tuple[tuple[int, ...], ...]


class Labelled(NamedTuple):
    """A sampled answer with its label.

    Attributes:
        desirable: the method's accuracy on the fast model.
        reward: for the curve alone.
    """

    spoken: Spoken
    grammar: Grammar
    words: tuple[str, ...]
    desirable: bool
    reward: float


def log_probabilities(model: LlamaForCausalLM, batch: Sequence[Spoken]) -> Tensor:
    """Log-probability of each answer (B,) under its grammar's mask."""
    rows = [torch.tensor([*s.prompt, *s.answer]) for s in batch]
    tokens = pad_sequence(rows, batch_first=True, padding_value=PADDING)
    seen = pad_sequence([torch.ones_like(r) for r in rows], batch_first=True)
    logits = model(input_ids=tokens, attention_mask=seen, use_cache=False).logits
    said = pad_sequence([torch.tensor(s.answer) for s in batch], batch_first=True, padding_value=PADDING)
    # where the word before each word of the answer stands; what pads an answer weighs nothing, wherever it is read
    starts = torch.tensor([len(s.prompt) - 1 for s in batch])
    places = (starts[:, None] + torch.arange(said.shape[1])).clamp(max=tokens.shape[1] - 1)
    at = logits.gather(1, places[:, :, None].expand(-1, -1, logits.shape[-1]))
    return masked(at, said, pack([s.allowed for s in batch], said.shape[1], PADDING)).logps.sum(dim=1)


def reference_point(others: Tensor) -> Tensor:
    """The z of log-ratios of mismatched answers (N,), 0 where there is none."""
    found = others.mean() if len(others) else torch.zeros(())
    return found.clamp(min=0).detach()


def kto_loss(ratios: Tensor, desirable: Tensor, point: Tensor, *, beta: float, weights: tuple[float, float]) -> Tensor:
    """The mean loss of a batch.

    Args:
        ratios: log-ratios r (B,).
        desirable: labels (B,), bool.
        point: z.
        beta: as above.
        weights: of desirable and of undesirable answers.
    """
    sign = torch.where(desirable, 1.0, -1.0)
    weight = torch.where(desirable, weights[0], weights[1])
    return (weight * (1 - torch.sigmoid(beta * sign * (ratios - point)))).mean()


def weights_of(desirable: int, undesirable: int) -> tuple[float, float]:
    """So that desirable and undesirable answers weigh the same in sum (equation 8), the rarer at most tenfold."""
    if not desirable or not undesirable:
        return 1.0, 1.0
    ratio = undesirable / desirable
    return (min(ratio, LARGEST_WEIGHT), 1.0) if ratio >= 1 else (1.0, min(1 / ratio, LARGEST_WEIGHT))


def mismatched(batch: Sequence[Labelled]) -> tuple[Spoken, ...]:
    """Each answer under the prompt before it, where that prompt's grammar knows it."""
    pairs = zip(batch, [batch[-1], *batch[:-1]], strict=True)
    found = (_under(one, other) for one, other in pairs if one.spoken.prompt != other.spoken.prompt)
    return tuple(s for s in found if s)


def _under(one: Labelled, other: Labelled) -> Spoken | None:
    index = ids()
    allowed: list[tuple[int, ...]] = []
    for n, word in enumerate(other.words):
        try:
            open_to = one.grammar.allowed(other.words[:n])
        except PolicyError:
            return None
        if word not in open_to:
            return None
        allowed.append(tuple(sorted(index[w] for w in open_to)))
    return Spoken(one.spoken.prompt, other.spoken.answer, tuple(allowed))


class Sampler:
    """Answers of the starting checkpoint, labelled by the fast model.

    Args:
        model: as it is now; later changes to it are not seen.
        source: of the tasks.
        known: words that the checkpoint's training showed.
        seed: of the tasks and the answers.
    """

    def __init__(
        self,
        model: LlamaForCausalLM,
        source: TaskSource,
        *,
        known: frozenset[str],
        seed: int,
    ) -> None:
        self._network = network_of(model)
        self._source = source
        self._known = known
        self._scorer = Scorer()
        self._dice = np.random.default_rng(seed)

    def draw(self, questions: int, answers: int) -> list[Labelled]:
        """Different answers to so many tasks drawn at random; what could not be scored is left out."""
        drawn = self._dice.integers(len(self._source), size=questions)
        return [row for index in drawn for row in self._ask(int(index), answers)]

    def _ask(self, index: int, answers: int) -> Iterator[Labelled]:
        task = self._source.task(index)
        grammar, prompt = Grammar(task.request), shown(task.prompt, self._known)
        seed = int(self._dice.integers(2**31))
        said = sample(self._network, grammar, prompt, n=answers, seed=seed, greedy_first=False)
        found = {a.words: a for a in said}
        scores = self._scorer.score([Answered(task, grammar.calls(words)) for words in found])
        for answer, score in zip(found.values(), scores, strict=True):
            if score.reward is not None:
                spoken = Spoken(tuple(numbers(prompt)), tuple(numbers(answer.words)), answer.allowed)
                yield Labelled(spoken, grammar, answer.words, bool(score.correct), score.reward.total)


def learn(
    config: KtoConfig,
    model: LlamaForCausalLM,
    source: TaskSource,
    *,
    known: frozenset[str],
    seed: int,
    clock: Clock,
    curve: Curve,
    kept: Callable[[LlamaForCausalLM], Mapping[str, float]],
) -> Mapping[str, int]:
    """Train a model, which is changed, until the clock or the steps are at their end.

    Args:
        config: of the run.
        model: the checkpoint to start from.
        source: of the tasks.
        known: words that the checkpoint's training showed.
        seed: of tasks, answers and order.
        clock: of the budget; stopped while `kept` looks at the model.
        curve: gets a row at each point: of the sampled answers, and of the loss.
        kept: is shown the model at each point, and gives its figures for the curve.

    Returns:
        How many steps and answers there were.
    """
    torch.manual_seed(seed)
    with clock.stopped():
        run = _Run(config, model, Sampler(model, source, known=known, seed=seed), seed)
    while not run.step or (run.step < config.steps and not clock.over):
        figures = run.update()
        if run.step % config.points == 0 or run.step == config.steps or clock.over:
            with clock.stopped():
                curve.add(step=run.step, seconds=clock.seconds, **kept(model), **figures)
    return {"steps": run.step, "answers": run.answers}


class _Run:
    """One run: what was sampled and not yet used, and the optimiser."""

    def __init__(self, config: KtoConfig, model: LlamaForCausalLM, sampler: Sampler, seed: int) -> None:
        self.step = self.answers = 0
        self._config, self._model, self._sampler = config, model.train(), sampler
        self._reference = copy.deepcopy(model).requires_grad_(requires_grad=False)
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.0)
        self._dice = np.random.default_rng([seed, 1])
        self._waiting: list[list[Labelled]] = []
        self._weights = (1.0, 1.0)

    def update(self) -> dict[str, float]:
        """One step of the optimiser; its loss, and what the batch was like."""
        batch = self._batch()
        others = mismatched(batch)
        with torch.no_grad():
            point = reference_point(self._ratios(others) if others else torch.zeros(0))
        labels = torch.tensor([row.desirable for row in batch])
        ratios = self._ratios([row.spoken for row in batch])
        loss = kto_loss(ratios, labels, point, beta=self._config.beta, weights=self._weights)
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._config.gradient_norm)
        self._optimizer.step()
        self.step += 1
        return {
            "train_reward": float(np.mean([row.reward for row in batch])),
            "train_correct": float(labels.float().mean()),
            "loss": float(loss.detach()),
            "reference_point": float(point),
        }

    def _ratios(self, batch: Sequence[Spoken]) -> Tensor:
        with torch.no_grad():
            before = log_probabilities(self._reference, batch)
        return log_probabilities(self._model, batch) - before

    def _batch(self) -> list[Labelled]:
        while not self._waiting:
            rows = self._sampler.draw(self._config.questions, self._config.answers)
            self.answers += len(rows)
            right = sum(row.desirable for row in rows)
            self._weights = weights_of(right, len(rows) - right)
            for _ in range(self._config.passes):
                order = self._dice.permutation(len(rows))
                size = self._config.batch
                cut = (order[n : n + size] for n in range(0, len(order), size))
                self._waiting += [[rows[i] for i in part] for part in cut if len(part) > 1]
        return self._waiting.pop()
