"""One stage of training: the one loop for every method.

A stage starts from the checkpoint of the stage before (or the base model) and leaves a checkpoint, a
history and a card. What makes a method different is in the layouts of its `StageSpec` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from time import perf_counter

import torch
from numpy.random import Generator
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study import adapters
from coconut_study.batches import Batch, collate
from coconut_study.errors import StudyError
from coconut_study.learner import Learner, rate
from coconut_study.memory import checkpoint_layers
from coconut_study.methods import Layout
from coconut_study.progress import bar
from coconut_study.questions import Question, redraw
from coconut_study.removal import scheduled, smoothed
from coconut_study.respond import respond
from coconut_study.sequences import Sequence as TokenSequence
from coconut_study.sequences import Tokens, build, tokenize
from coconut_study.settings import StageSpec
from coconut_study.streams import stream, torch_seed
from coconut_study.templates import TEMPLATES, is_right
from coconut_study.tokens import marks_of


@dataclass(frozen=True, slots=True)
class Epoch:
    """A row of the history; epoch 0 is the stage before its first update, with the weights of the one before.

    `accuracy` is that on the validation questions at the stage's own thoughts; `removed` counts the units
    that iCoT has taken from the chain.
    """

    stage: int
    epoch: int
    questions: int
    loss: float
    accuracy: float
    removed: int


class StageTrainer:
    """Trains a model through one stage; its learner ends with the weights that the stage keeps."""

    def __init__(
        self,
        spec: StageSpec,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        train: Sequence[Question],
        valid: Sequence[Question],
    ) -> None:
        self.spec, self.tokenizer = spec, tokenizer
        self.template = TEMPLATES[spec.base.text.template]
        self.marks = marks_of(tokenizer)
        self.train, self.valid = train, valid
        self.train_tokens = None if spec.training.redraw else self._tokens(train)
        self.valid_tokens = self._tokens(valid)
        self.longest = self._longest_chain()
        self._check_length(model)
        self._check_removal()
        self._prepare(model)
        self.learner = Learner(model, spec.training)
        processes = self.learner.accelerator.num_processes
        self.micro_batch_size = spec.training.micro_batch_size or -(-spec.training.batch_size // processes)

    # ------------------------------------------------------------------------------------------- loop

    def run(self) -> list[Epoch]:
        """All epochs of the stage, its history."""
        history = [Epoch(self.spec.stage, 0, 0, nan, self.accuracy(), self._removed(0))]
        best: dict[str, torch.Tensor] | None = None
        for epoch, n_steps in enumerate(self._steps_by_epoch()):
            if epoch and self.spec.training.reset_optimizer == "epoch":
                self.learner.reset()
            loss = self._train_epoch(epoch, n_steps)
            questions = min(n_steps * self.spec.training.batch_size, len(self.train))
            removed = self._removed(self._first(epoch + 1) - 1)
            history.append(Epoch(self.spec.stage, epoch + 1, questions, loss, self.accuracy(), removed))
            if self.spec.keep == "best" and _is_best(history):
                best = self.learner.weights()
        if best is not None:
            self.learner.restore(best)
        return history

    def _train_epoch(self, epoch: int, n_steps: int) -> float:
        """Train for `n_steps`; the mean loss over predicted tokens."""
        spec = self.spec
        before = self._steps(spec.epochs_before)
        loss, n_tokens = torch.zeros((), device=self.learner.accelerator.device), 0
        with self.learner.training(spec.seed, spec.stage, epoch):
            batches = bar(self._batches(epoch, n_steps), f"stage {spec.stage}, epoch {epoch + 1}", n_steps)
            for step, sequences in enumerate(batches, start=self._first(epoch)):
                if spec.training.reset_optimizer == "removal" and self._removes_more(step):
                    self.learner.reset()
                loss = loss + self._update(sequences, self._rate(before + step))
                n_tokens += sum(sequence.n_loss for sequence in sequences)
        return loss.item() / n_tokens

    def _update(self, sequences: list[TokenSequence], rate: float) -> torch.Tensor:
        """One update; its summed loss. A batch too large for the memory is halved from then on."""
        while True:
            try:
                return self.learner.update(self._split(sequences), rate)
            except torch.OutOfMemoryError:
                if self.micro_batch_size <= 1:
                    raise
                self.learner.optimizer.zero_grad()
                self.micro_batch_size = -(-self.micro_batch_size // 2)

    def _split(self, sequences: list[TokenSequence]) -> list[Batch]:
        """A batch in parts of sequences of like length, which need least padding."""
        size = self.micro_batch_size
        if size >= len(sequences):
            return [collate(sequences, self.marks.pad)]
        ordered = sorted(sequences, key=len)
        starts = range(0, len(ordered), size)
        return [collate(ordered[start : start + size], self.marks.pad) for start in starts]

    def accuracy(self) -> float:
        """Share of validation questions answered right at the stage's own number of thoughts."""
        share = self.learner.share
        tokens, asked = share(self.valid_tokens), share(self.valid)
        responses, _ = respond(
            self.learner.model, self.tokenizer, tokens, [self.spec.layout], self.spec.evaluation
        )
        right = sum(is_right(asked[r.question], r.text, self.template) for r in responses)
        return self.learner.total(right) / len(self.valid)

    # ------------------------------------------------------------------------------------------- data

    def _batches(self, epoch: int, n_steps: int) -> Iterator[list[TokenSequence]]:
        """The epoch's batches of sequences, in its own random order."""
        spec, size = self.spec, self.spec.training.batch_size
        order = stream("order", spec.seed, spec.stage, epoch).permutation(len(self.train))
        layouts = stream("mixing" if spec.mixed else "removal", spec.seed, spec.stage, epoch)
        names = stream("names", spec.seed, spec.stage, epoch)
        pool = {key: spec.questions[key] for key in ("persons", "concepts") if key in spec.questions}
        for step in range(n_steps):
            chosen = order[step * size : (step + 1) * size].tolist()
            if self.train_tokens is not None:
                tokens = [self.train_tokens[i] for i in chosen]
            else:
                tokens = self._tokens([redraw(self.train[i], names, **pool) for i in chosen])
            removed = self._removed(self._first(epoch) + step)
            yield [build(one, self._layout(one, removed, layouts), self.marks) for one in tokens]

    def _layout(self, tokens: Tokens, removed: int, rng: Generator) -> Layout:
        """The stage's layout, that of another stage now and then, or that of a chain with less removed."""
        spec = self.spec
        if spec.removal is not None and removed < self.longest:
            return spec.layout.without(smoothed(spec.removal, removed, rng), spec.removal.unit)
        if spec.mixed and rng.random() < spec.training.mixing.probability:
            others = spec.mixed[: len(tokens.steps) + 1]
            return others[rng.integers(len(others))]
        return spec.layout

    def _tokens(self, questions: Sequence[Question]) -> list[Tokens]:
        shared = self.spec.base.text.facts_share_position
        return tokenize(questions, self.template, self.tokenizer, shared=shared)

    def _prepare(self, model: PreTrainedModel) -> None:
        """Add adapters where the study trains them, and checkpoint the layers where it says so."""
        lora = self.spec.base.model.lora
        if lora is not None and adapters.added(model):
            adapters.wake(model)
        elif lora is not None:
            with torch.random.fork_rng():
                torch.manual_seed(torch_seed("adapters", self.spec.seed))
                adapters.add(model, lora, self.marks.added)
        if self.spec.training.gradient_checkpointing:
            checkpoint_layers(model)

    def _longest_chain(self) -> int:
        """Units of the longest chain of steps, in what iCoT removes; 0 for other methods."""
        if self.spec.removal is None:
            return 0
        known = self.train_tokens or self._tokens(self.train)
        if self.spec.removal.unit == "step":
            return max(len(one.steps) for one in known)
        return max(sum(map(len, one.steps)) for one in known)

    def _removed(self, step: int) -> int:
        """Units that iCoT has removed at an update of the stage."""
        if self.spec.removal is None:
            return 0
        return scheduled(self.spec.removal, step / self._steps(1), self.longest)

    def _removes_more(self, step: int) -> bool:
        """Whether an update removes more than the one before, until nothing is left."""
        return step > 0 and self._removed(step) > self._removed(step - 1)

    def _check_removal(self) -> None:
        """StudyError when the stage ends before the whole chain is removed."""
        removed = self._removed(sum(self._steps_by_epoch()) - 1)
        if removed < self.longest:
            unit = self.spec.removal.unit if self.spec.removal else ""
            raise StudyError(
                f"stage {self.spec.stage}: its {self.spec.epochs:g} epochs remove {removed} of up to "
                f"{self.longest} {unit}s; raise schedule.removal.per_epoch, lower its limit, or add epochs"
            )

    def _check_length(self, model: PreTrainedModel) -> None:
        """StudyError when a question with its thoughts and steps has more positions than the model."""
        room = _positions(model)
        known = [*(self.train_tokens or []), *self.valid_tokens]
        layouts = [self.spec.layout, *self.spec.mixed]
        if self.spec.removal is not None:
            layouts.append(self.spec.layout.without(0, "token"))
        longest = max(build(one, layout, self.marks).positions[-1] for one in known for layout in layouts) + 1
        if room is not None and longest > room:
            raise StudyError(
                f"stage {self.spec.stage}: the longest question takes {longest} positions, the model has "
                f"{room}; use a model with more, smaller questions, or fewer thoughts per step"
            )

    # --------------------------------------------------------------------------------------- schedule

    def _steps(self, epochs: float) -> int:
        """Updates in a number of epochs; a last smaller batch is one of them."""
        return round(epochs * -(-len(self.train) // self.spec.training.batch_size))

    def _steps_by_epoch(self) -> list[int]:
        """Updates in each epoch of the stage; the last may be a part of one."""
        whole, total = self._steps(1), max(self._steps(self.spec.epochs), 1)
        return [min(whole, total - start) for start in range(0, total, whole)]

    def _first(self, epoch: int) -> int:
        """The first update of an epoch of the stage."""
        return sum(self._steps_by_epoch()[:epoch])

    def _rate(self, step: int) -> float:
        """Learning rate at an update of the whole run: linear warm-up, constant, linear decay."""
        settings = self.spec.training
        warmup, decay = self._steps(settings.warmup), self._steps(settings.decay)
        return rate(step, self._steps(self.spec.epochs_in_all), settings, warmup, decay)


def _positions(model: PreTrainedModel) -> int | None:
    """Positions that every token of a sequence may have and see; None where a model sets no bound."""
    config = model.config.get_text_config()
    bounds = [getattr(config, "max_position_embeddings", None)]
    layers = getattr(config, "layer_types", None)
    if layers is None or "sliding_attention" in layers:
        bounds.append(getattr(config, "sliding_window", None))
    return min((bound for bound in bounds if bound is not None), default=None)


def _is_best(history: Sequence[Epoch]) -> bool:
    """Whether the last epoch is the one to keep: iCoT starts anew whenever more is removed, and of equally
    good epochs the later one has seen more questions."""
    *before, last = history[1:]
    return all((row.removed, row.accuracy) <= (last.removed, last.accuracy) for row in before)


def train(
    spec: StageSpec,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train: Sequence[Question],
    valid: Sequence[Question],
    parent: Path,
) -> tuple[StageTrainer, list[Epoch], float]:
    """Train one stage: the trainer with its final weights, the history, and the seconds it took."""
    start = perf_counter()
    trainer = StageTrainer(spec, model, tokenizer, train, valid)
    if spec.training.reset_optimizer == "never":
        trainer.learner.load(parent)
    history = trainer.run()
    return trainer, history, perf_counter() - start
