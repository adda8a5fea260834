"""One stage of training: the one loop for every method.

A stage starts from the checkpoint of the stage before (or the base model) and leaves a checkpoint, a
history and a card. What makes a method different is in the layouts of its `StageSpec` alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import torch
from numpy.random import Generator
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.batches import collate
from coconut_study.config import StageSpec
from coconut_study.errors import StudyError
from coconut_study.learner import Learner, rate
from coconut_study.methods import Layout
from coconut_study.progress import bar
from coconut_study.questions import Question, redraw
from coconut_study.respond import respond
from coconut_study.sequences import Sequence as TokenSequence
from coconut_study.sequences import Tokens, build, tokenize
from coconut_study.streams import stream
from coconut_study.templates import TEMPLATES, is_right
from coconut_study.tokens import marks_of


@dataclass(frozen=True, slots=True)
class Epoch:
    """A row of the history. `accuracy` is that on the validation questions at the stage's own thoughts."""

    stage: int
    epoch: int
    questions: int
    loss: float
    accuracy: float


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
        self._check_length(model)
        self.learner = Learner(model, spec.training)

    # ------------------------------------------------------------------------------------------- loop

    def run(self) -> list[Epoch]:
        """All epochs of the stage, its history."""
        history: list[Epoch] = []
        best: dict[str, torch.Tensor] | None = None
        for epoch, n_steps in enumerate(self._steps_by_epoch()):
            if epoch and self.spec.training.reset_optimizer == "epoch":
                self.learner.reset()
            loss = self._train_epoch(epoch, n_steps)
            questions = min(n_steps * self.spec.training.batch_size, len(self.train))
            history.append(Epoch(self.spec.stage, epoch, questions, loss, self.accuracy()))
            # Of equally good epochs the later one is kept: it has seen more questions.
            if self.spec.keep == "best" and history[-1].accuracy >= max(row.accuracy for row in history):
                best = {name: value.clone() for name, value in self.learner.model.state_dict().items()}
        if best is not None:
            self.learner.model.load_state_dict(best)
        return history

    def _train_epoch(self, epoch: int, n_steps: int) -> float:
        """Train for `n_steps`; the mean loss over predicted tokens."""
        spec = self.spec
        start = self._steps(spec.epochs_before) + sum(self._steps_by_epoch()[:epoch])
        loss, n_tokens = torch.zeros((), device=self.learner.accelerator.device), 0
        with self.learner.training(spec.seed, spec.stage, epoch):
            batches = bar(self._batches(epoch, n_steps), f"stage {spec.stage}, epoch {epoch + 1}", n_steps)
            for step, sequences in enumerate(batches, start=start):
                size = spec.training.micro_batch_size or len(sequences)
                parts = [sequences[i : i + size] for i in range(0, len(sequences), size)]
                split = [collate(part, self.marks.pad) for part in parts]
                loss = loss + self.learner.update(split, self._rate(step))
                n_tokens += sum(sequence.n_loss for sequence in sequences)
        return loss.item() / n_tokens

    def accuracy(self) -> float:
        """Share of validation questions answered right at the stage's own number of thoughts."""
        responses, _ = respond(
            self.learner.model, self.tokenizer, self.valid_tokens, [self.spec.layout], self.spec.evaluation
        )
        right = [is_right(self.valid[r.question], r.text, self.template) for r in responses]
        return sum(right) / len(right)

    # ------------------------------------------------------------------------------------------- data

    def _batches(self, epoch: int, n_steps: int) -> Iterator[list[TokenSequence]]:
        """The epoch's batches of sequences, in its own random order."""
        spec, size = self.spec, self.spec.training.batch_size
        order = stream("order", spec.seed, spec.stage, epoch).permutation(len(self.train))
        mixing = stream("mixing", spec.seed, spec.stage, epoch)
        names = stream("names", spec.seed, spec.stage, epoch)
        pool = {key: spec.questions[key] for key in ("persons", "concepts") if key in spec.questions}
        for step in range(n_steps):
            chosen = order[step * size : (step + 1) * size].tolist()
            if self.train_tokens is not None:
                tokens = [self.train_tokens[i] for i in chosen]
            else:
                tokens = self._tokens([redraw(self.train[i], names, **pool) for i in chosen])
            yield [build(one, self._layout(one, mixing), self.marks) for one in tokens]

    def _layout(self, tokens: Tokens, mixing: Generator) -> Layout:
        """The stage's layout, or now and then that of another stage (of as many steps as there are)."""
        if self.spec.mixed and mixing.random() < self.spec.training.mixing.probability:
            others = self.spec.mixed[: len(tokens.steps) + 1]
            return others[mixing.integers(len(others))]
        return self.spec.layout

    def _tokens(self, questions: Sequence[Question]) -> list[Tokens]:
        shared = self.spec.base.text.facts_share_position
        return tokenize(questions, self.template, self.tokenizer, shared=shared)

    def _check_length(self, model: PreTrainedModel) -> None:
        """StudyError when a question with its thoughts and steps has more positions than the model."""
        room = getattr(model.config, "max_position_embeddings", None)
        known = [*(self.train_tokens or []), *self.valid_tokens]
        layouts = (self.spec.layout, *self.spec.mixed)
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

    def _rate(self, step: int) -> float:
        """Learning rate at an update of the whole run: linear warm-up, constant, linear decay."""
        settings = self.spec.training
        warmup, decay = self._steps(settings.warmup), self._steps(settings.decay)
        return rate(step, self._steps(self.spec.epochs_in_all), settings, warmup, decay)


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
