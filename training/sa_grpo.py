"""SA-GRPO (arXiv 2512.09485) as a subclass of TRL's GRPOTrainer.

TRL has the objective (``loss_type="dr_grpo"``, ``scale_rewards="none"``, ``beta=0``, two epsilons). What is added:

- rollouts by our own sampler, under the grammar, with the network in NumPy (``rollout_func``);
- the gated rewards, computed together and handed over as columns (the reward functions);
- the grammar's mask in both log-probabilities of the ratio (`_get_per_token_logps_and_entropies`);
- what goes beyond the method, on the advantages, and figures for the journal (`_generate_and_score_completions`);
- our own state in checkpoints, so that a run goes on as if it had not been interrupted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from transformers import LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback
from trl import GRPOTrainer

from secloop_ai.policies.embedded.vocabulary import PAD, ids

from .advantages import COSTS, Multipliers, costs
from .arguments import arguments
from .config import Config
from .curriculum import Curriculum
from .journal import FILE, OWN, Journal
from .lexicon import tokenizer
from .masked import masked, pack
from .model import network_of
from .prefix import answer_logits, shared_logits
from .rollouts import Batch, Rollouts, Speaker, reward_columns, speaker
from .scoring import Scorer
from .sources import TaskSource
from .summary import summary

STATE = "sa_grpo.json"
"""Our own part of a checkpoint, written last: a checkpoint without it is not whole."""


class SaGrpoTrainer(GRPOTrainer):
    """Trains the embedded policy's network.

    Args:
        model: in float32; with `config.beta` above 0 one that was loaded from a folder, which stays the reference.
        source: of the tasks.
        config: every hyper-parameter.
        folder: for checkpoints and the journal.
        scorer: by default the fast model in this process, and the rubric as the judge.
        words: the model's tokenizer; by default the closed vocabulary.
        adapter: a configuration of peft; None: all weights are trained.
        others: arguments of TRL that our configuration does not know.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        source: TaskSource,
        config: Config,
        folder: Path,
        scorer: Scorer | None = None,
        *,
        words: PreTrainedTokenizerBase | None = None,
        adapter: Any = None,
        **others: Any,
    ) -> None:
        self.config = config
        self.curriculum = Curriculum(source)
        self.multipliers = Multipliers(config.constraints) if config.constraints else None
        scores = scorer or Scorer(replicas=config.replicas, tail=config.cvar if config.replicas > 1 else 1.0)
        self.rollouts = Rollouts(source, scores, config, self.curriculum)
        self.rolled = Batch(())
        self._allowed: Tensor | None = None
        super().__init__(
            model=model,
            reward_funcs=reward_columns(),
            args=arguments(config, folder, **others),
            train_dataset=Dataset.from_dict({"prompt": [str(n) for n in range(len(source))]}),
            processing_class=words or tokenizer(),
            peft_config=adapter,
            callbacks=[Journal(folder / FILE)],
        )
        self.remove_callback(PrinterCallback)
        self.rollout_func = self._roll  # by name, as handing it over makes TRL warn that this hook may change

    def _roll(self, prompts: list[str], _trainer: GRPOTrainer) -> dict[str, Any]:
        """A batch of scored answers of today's network."""
        place = self.state.global_step, self.accelerator.process_index
        return self.take(self.rollouts.batch(prompts, self.voice(), *place))

    def voice(self) -> Speaker:
        """Who answers: the network as it is now, in NumPy."""
        network = network_of(self.accelerator.unwrap_model(self.model))
        return speaker(network, self.config.temperature)

    def take(self, batch: Batch) -> dict[str, Any]:
        """Take a generation in, and hand TRL its part of it."""
        self.rolled = batch
        self._allowed = self._packed() if self.config.grammar_mask == "both" else None
        return batch.for_trl()

    def _packed(self) -> Tensor:
        allowed = [s.allowed or () for s in self.rolled.samples]
        longest = max(len(s.completion_ids) for s in self.rolled.samples)
        return pack(allowed, longest, ids()[PAD]).to(self.accelerator.device)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        """TRL's batch, with the grammar's choices and the constrained advantages in it."""
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self._allowed is not None:
            output["allowed"] = self._allowed
        if self.multipliers is not None:
            output["advantages"] = self._constrained(self.multipliers, output["advantages"])
        self._note(summary(self.rolled, self.rollouts.total))
        return output

    def _constrained(self, multipliers: Multipliers, advantages: Tensor) -> Tensor:
        """The local advantages less the costs'; groups are whole in a process where constraints are asked for."""
        rows = [costs(s.score, multipliers.limits) for s in self.rolled.samples]
        table = torch.tensor(rows, dtype=torch.float32, device=advantages.device)
        found = multipliers.apply(advantages, table, self.config.group)
        means = torch.nanmean(self.accelerator.gather(table), dim=0).tolist()
        self._note({f"multiplier_{name}": value for name, value in multipliers.values.items()})
        self._note({f"cost_{name}": mean for name, mean in zip(COSTS, means, strict=True)})
        multipliers.learn(dict(zip(COSTS, means, strict=True)))
        return found

    def _note(self, figures: Mapping[str, float]) -> None:
        mode = "train" if self.model.training else "eval"
        for name, value in figures.items():
            self._metrics[mode][f"{OWN}{name}"].append(value)

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        """TRL's loss; the grammar's choices of these answers are at hand for the log-probabilities."""
        self._allowed = inputs.get("allowed")
        loss: Tensor = super()._compute_loss(model, inputs)
        return loss

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: Tensor, attention_mask: Tensor, logits_to_keep: int, *rest: Any, **others: Any
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Log-probabilities of the answers' words, under the grammar where the run has it in the ratio."""
        if self._allowed is None:
            found: tuple[Tensor, Tensor | None, Tensor | None] = super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, *rest, **others
            )
            return found
        shared = self.config.share_questions and self.accelerator.num_processes == 1
        passed = shared_logits if shared else answer_logits
        with self.accelerator.autocast():
            logits = passed(model, input_ids, attention_mask, logits_to_keep) / self.temperature
        logps, entropies = masked(logits, input_ids[:, -logits_to_keep:], self._allowed)
        if others.get("compute_entropy"):
            free = (self._allowed >= 0).sum(-1) > 1
            self._note({"entropy_of_choices": entropies.detach()[free].mean().item() if free.any() else math.nan})
        return logps, entropies, None

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """A checkpoint of the Trainer, and our own state beside it."""
        super()._save_checkpoint(model, trial)
        if self.args.should_save:
            path = Path(self._get_output_dir(trial=trial)) / f"checkpoint-{self.state.global_step}" / STATE
            multipliers = self.multipliers.values if self.multipliers else {}
            state = {"curriculum": self.curriculum.state(), "multipliers": multipliers}
            path.write_text(json.dumps(state), encoding="utf-8")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None:
            return
        state = json.loads((Path(checkpoint) / STATE).read_text(encoding="utf-8"))
        self.curriculum.restore(state["curriculum"])
        if self.multipliers is not None:
            self.multipliers.values.update(state["multipliers"])


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to the end."""
    whole = (path.parent for path in folder.glob(f"checkpoint-*/{STATE}"))
    return max(whole, key=lambda p: int(p.name.rpartition("-")[2]), default=None)


def train(
    model: LlamaForCausalLM, source: TaskSource, config: Config, folder: Path, *, scorer: Scorer | None = None
) -> LlamaForCausalLM:
    """Train a network; a run that was interrupted goes on from its last whole checkpoint.

    Args:
        model: where a run begins; trained in place.
        source: of the tasks.
        config: the same for a run that goes on.
        folder: of the run; its checkpoints and journal are written there.
        scorer: of the answers.

    Returns:
        The trained network.
    """
    trainer = SaGrpoTrainer(anchored(model, config, folder), source, config, folder, scorer)
    at = last_checkpoint(folder)
    trainer.train(resume_from_checkpoint=str(at) if at else None)
    found: LlamaForCausalLM = trainer.accelerator.unwrap_model(trainer.model)
    return found


def anchored(model: LlamaForCausalLM, config: Config, folder: Path) -> LlamaForCausalLM:
    """The network, loaded from a folder where the KL term needs one: the reference is read from there."""
    if not config.beta:
        return model
    at = folder / "reference"
    if not at.exists():
        model.save_pretrained(at)
    found: LlamaForCausalLM = LlamaForCausalLM.from_pretrained(at, dtype=torch.float32)
    return found
