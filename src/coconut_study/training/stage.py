"""One stage of training: the one loop for every method.

A stage starts from the checkpoint of the stage before (or the base model) and leaves a checkpoint, a
history and a card. What makes a method different is in the layouts of its `StageSpec` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from math import nan
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from numpy.random import Generator
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.errors import StudyError
from coconut_study.common.progress import bar, say
from coconut_study.common.seeds import stream, torch_seed
from coconut_study.engine import forward as engine
from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.gradient_checkpointing import checkpoint_layers
from coconut_study.engine.prefixes import by_length
from coconut_study.engine.tokenizer import marks_of
from coconut_study.evaluation.respond import respond
from coconut_study.questions.question import Question, by_graph, redraw
from coconut_study.sequences.builder import Sequence as TokenSequence
from coconut_study.sequences.builder import Tokens, build, tokenize
from coconut_study.sequences.methods import Layout
from coconut_study.sequences.templates import TEMPLATES, is_right
from coconut_study.training import distributed
from coconut_study.training import lora as adapters
from coconut_study.training.learner import Learner
from coconut_study.training.meter import Meter
from coconut_study.training.saver import GENERATIONS, Saver
from coconut_study.training.schedule import rate, scheduled, smoothed
from coconut_study.training.settings import StageSpec

POOLS = ("persons", "concepts")  # settings of generated questions that say which names are in use
WATCHED = 16  # updates between two looks at their losses


@dataclass(frozen=True, slots=True)
class Epoch:
    """A row of the history; epoch 0 is the stage before its first update, with the weights of the one before.

    `accuracy` is that on the validation questions at the stage's own thoughts; `removed` counts the units
    that iCoT has taken from the chain; `thought_norm` is the mean Euclidean norm of a thought in training.
    """

    stage: int
    epoch: int
    questions: int
    loss: float
    accuracy: float
    removed: int
    thought_norm: float


@dataclass(slots=True)
class Running:
    """The epoch that is being trained: its updates done, what is summed over them (cross-entropy, norms of
    thoughts) and over how many tokens and thoughts, the order of its questions, and the streams that else
    its batches are drawn from."""

    done: int
    sums: torch.Tensor
    n_tokens: int
    n_thoughts: int
    order: np.ndarray
    draws: dict[str, Generator]


class Diverged(StudyError):
    """The loss is not finite, or above what the settings allow."""


class StageTrainer:
    """Trains a model through one stage; its learner ends with the weights that the stage keeps.

    With a saver it goes on with the newest state there is, and ends at the same numbers as without a break.
    """

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
        together = spec.training.mirrors == "together"
        self.groups = by_graph(train) if together else [[i] for i in range(len(train))]
        self.group_of = [number for number, group in enumerate(self.groups) for _ in group]
        self.train_tokens = None if spec.training.redraw else self._tokens(train)
        self.valid_tokens = self._tokens(valid)
        self.longest = self._longest_chain()
        self.beginnings = engine.window(model) is None
        self._check_length(model)
        self._check_removal()
        self._prepare(model)
        self.learner = Learner(model, spec.training)
        processes = self.learner.accelerator.num_processes
        own = spec.training.micro_batch_size or -(-spec.training.batch_size // processes)
        self.micro_batch_size = own * processes if self.learner.sharded else own  # of which each has its rows
        self.saver: Saver | None = None
        self.best: dict[str, torch.Tensor] | None = None
        self.dropout: dict[str, torch.Tensor] | None = None  # where its stream stands, in a resumed epoch
        self.unwatched: list[torch.Tensor] = []  # losses of the last updates, still on the device
        self.returns = 0
        self.started = perf_counter()
        self.meter = Meter(self.learner.accelerator.device)
        self.history: list[Epoch] = []
        self.running = self._begun(0)

    # ------------------------------------------------------------------------------------------- loop

    def run(self, parent: Path | None = None, saver: Saver | None = None) -> list[Epoch]:
        """All epochs of the stage, its history; the optimizer goes on as the parent left it where the
        settings never reset it."""
        self.saver = saver
        if parent is not None and self.spec.training.reset_optimizer == "never":
            self.learner.load(parent)
        if not self._resumed():
            self.history = [Epoch(self.spec.stage, 0, 0, nan, self.accuracy(), self._removed(0), nan)]
            if saver is not None and self.spec.training.roll_back:
                self._save(saver)
        while True:
            try:
                self._train_epochs()
                break
            except Diverged as error:
                if self.returns == self.spec.training.roll_back or not self._resumed(self.returns + 1):
                    raise
                say(f"{error}; goes back to the last state and on with {self._factor():g} of the rate")
        if self.best is not None:
            self.learner.restore(self.best)
        return self.history

    def _train_epochs(self) -> None:
        """The epochs that are not yet in the history."""
        for epoch, n_steps in list(enumerate(self._steps_by_epoch()))[len(self.history) - 1 :]:
            if epoch and not self.running.done and self.spec.training.reset_optimizer == "epoch":
                self.learner.reset()
            self._train_epoch(epoch, n_steps)
            running, questions = self.running, min(n_steps * self.spec.training.batch_size, len(self.train))
            loss, norm = running.sums.tolist()
            self.history.append(
                Epoch(
                    stage=self.spec.stage,
                    epoch=epoch + 1,
                    questions=questions,
                    loss=loss / running.n_tokens,
                    accuracy=self.accuracy(),
                    removed=self._removed(self._first(epoch + 1) - 1),
                    thought_norm=norm / running.n_thoughts if running.n_thoughts else nan,
                )
            )
            if self.spec.keep == "best" and _is_best(self.history):
                self.best = self.learner.weights()
            self.running = self._begun(epoch + 1)

    def _train_epoch(self, epoch: int, n_steps: int) -> None:
        """The updates of an epoch that are not yet done."""
        spec, running = self.spec, self.running
        before, first = self._steps(spec.epochs_before), self._first(epoch)
        with self.learner.training(spec.seed, spec.stage, epoch, dropout=self.dropout):
            self.dropout = None
            steps = range(running.done, n_steps)
            what = f"stage {spec.stage}, epoch {epoch + 1}"
            for number in bar(steps, what, n_steps, running.done):
                step, sequences = first + number, self._sequences(epoch, number)
                if spec.training.reset_optimizer == "removal" and self._removes_more(step):
                    self.learner.reset()
                found = self._update(sequences, self._factor() * self._rate(before + step))
                n_tokens = sum(sequence.n_loss for sequence in sequences)
                running.done += 1
                running.sums = running.sums + found
                running.n_tokens += n_tokens
                running.n_thoughts += sum(sequence.thoughts for sequence in sequences)
                self.unwatched.append(found[0] / n_tokens)
                self._watch_and_save(epoch, last=number == n_steps - 1)

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
        """A batch in parts of sequences of like length, which need least padding; those that begin alike stay
        together."""
        size = self.micro_batch_size
        order = list(range(len(sequences)))
        if size < len(sequences):
            order = by_length([one.before for one in sequences], list(map(len, sequences)))
        parts = [[sequences[i] for i in order[start : start + size]] for start in range(0, len(order), size)]
        return [collate(part, self.marks.pad, beginnings=self.beginnings) for part in parts]

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

    def _begun(self, epoch: int) -> Running:
        """An epoch with no update done."""
        numbers = (self.spec.seed, self.spec.stage, epoch)
        layouts = stream("mixing" if self.spec.mixed else "removal", *numbers)
        draws = {"layouts": layouts, "names": stream("names", *numbers)}
        groups = stream("order", *numbers).permutation(len(self.groups))
        order = np.concatenate([self.groups[group] for group in groups])
        return Running(0, torch.zeros(2, device=self.learner.accelerator.device), 0, 0, order, draws)

    def _chosen(self, number: int) -> list[int]:
        """The questions of a batch of the epoch."""
        size = self.spec.training.batch_size
        return self.running.order[number * size : (number + 1) * size].tolist()

    def _sequences(self, epoch: int, number: int) -> list[TokenSequence]:
        """A batch of an epoch."""
        chosen, draws = self._chosen(number), self.running.draws
        if self.train_tokens is not None:
            tokens = [self.train_tokens[i] for i in chosen]
        else:
            pool = {key: self.spec.questions[key] for key in POOLS if key in self.spec.questions}
            mirrors = [
                [self.train[i] for i in group] for _, group in groupby(chosen, self.group_of.__getitem__)
            ]
            tokens = self._tokens([one for some in mirrors for one in redraw(some, draws["names"], **pool)])
        removed = self._removed(self._first(epoch) + number)
        return [build(one, self._layout(one, removed, draws["layouts"]), self.marks) for one in tokens]

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
        room = engine.room(model)
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

    # ------------------------------------------------------------------------------- health and state

    def _watch_and_save(self, epoch: int, *, last: bool) -> None:
        """Look at the losses now and then (a look waits for the device), and save a sound state when it is
        time; StudyError where a signal ends the work."""
        saver, agreed = self.saver, self.learner.agreed
        stopped = saver is not None and agreed(saver.stopped is not None)
        due = saver is not None and (stopped or agreed(saver.due()))
        if due or last or len(self.unwatched) == WATCHED:
            self._watch(epoch)
        if saver is not None and due:
            self._save(saver)
        if saver is not None and stopped:
            raise StudyError(
                f"stage {self.spec.stage}: ended by {saver.stopped or 'a signal'} after {self.running.done} "
                f"updates of epoch {epoch + 1}; the same command goes on from there"
            )

    def _watch(self, epoch: int) -> None:
        """Diverged names the first update whose loss is no number or too large, and its questions."""
        most = self.spec.training.most_loss
        losses = torch.stack(self.unwatched).tolist()
        first, self.unwatched = self.running.done - len(losses), []
        for number, loss in enumerate(losses, start=first):
            if not loss <= most:
                asked = ", ".join(map(str, self._chosen(number)))
                raise Diverged(
                    f"stage {self.spec.stage}, epoch {epoch + 1}, update {number + 1}: the loss is {loss:g} "
                    f"nats a token, above training.most_loss: {most:g}, or no number, on the training "
                    f"questions {asked}; lower learning_rate, set clip, or set training.roll_back"
                )

    @property
    def seconds(self) -> float:
        """Time the stage has taken, in all the jobs that worked on it."""
        return perf_counter() - self.started

    @property
    def joules(self) -> float:
        """Energy its GPUs have used meanwhile, in all the jobs; NaN where one of them does not tell."""
        return self.learner.summed(self.meter.joules)

    def bytes_on_disk(self) -> int:
        """The most that the stage writes: its states (weights, two moments, the best weights), one of them
        twice while it is replaced, and its checkpoint with the optimizer."""
        learning = sum(p.numel() * p.element_size() for p in self.learner.learning.values())
        model = sum(p.numel() * p.element_size() for p in self.learner.model.parameters())
        return 4 * (GENERATIONS + 1) * learning + 2 * learning + model

    def _factor(self) -> float:
        """What is left of the learning rate after every return to an earlier state."""
        return 0.5**self.returns

    def _save(self, saver: Saver) -> None:
        """Keep all that the rest of the stage depends on."""
        best = {f"best.{name}": distributed.own(value) for name, value in (self.best or {}).items()}
        tensors = {**self.learner.state(), **best, "sums": self.running.sums}
        draws = {name: draw.bit_generator.state for name, draw in self.running.draws.items()}
        facts = {"done": self.running.done, "n_tokens": self.running.n_tokens, "draws": draws}
        facts |= {"n_thoughts": self.running.n_thoughts, "micro_batch_size": self.micro_batch_size}
        facts |= {
            "returns": self.returns,
            "seconds": self.seconds,
            "joules": self.meter.joules,
            "history": [asdict(row) for row in self.history],
        }
        saver.save(tensors, facts)

    def _resumed(self, returns: int | None = None) -> bool:
        """Whether there is a state, which is then taken up; `returns` is how often that has happened for a
        loss that diverged."""
        numbers = self.saver.numbers() if self.saver is not None else []
        newest = self.learner.least(max(numbers, default=0))
        if self.saver is None or newest == 0:
            return False
        tensors, facts = self.saver.load(newest)
        self.dropout = self.learner.take_up(tensors)
        self.best = self.learner.among(tensors, "best.") or None
        self.history = [Epoch(**row) for row in facts["history"]]
        self.running = self._begun(len(self.history) - 1)
        self.running.sums = tensors["sums"].to(self.running.sums.device)
        self.running.done, self.running.n_tokens = facts["done"], facts["n_tokens"]
        self.running.n_thoughts = facts["n_thoughts"]
        for name, draw in self.running.draws.items():
            draw.bit_generator.state = facts["draws"][name]
        self.micro_batch_size = facts["micro_batch_size"]
        self.returns = facts["returns"] if returns is None else returns
        self.unwatched = []
        if returns is None:  # else this job has counted all along
            self.started = perf_counter() - facts["seconds"]
            self.meter = Meter(self.meter.device, facts["joules"])
        say(f"goes on after {self.running.done} updates of epoch {len(self.history)}")
        return True

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


def _is_best(history: Sequence[Epoch]) -> bool:
    """Whether the last epoch is the one to keep: iCoT starts anew whenever more is removed, and of equally
    good epochs the later one has seen more questions."""
    *before, last = history[1:]
    return all((row.removed, row.accuracy) <= (last.removed, last.accuracy) for row in before)
