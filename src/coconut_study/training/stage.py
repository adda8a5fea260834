"""One stage of training: one loop for every method (paper section 3, "Training procedure").

A stage starts from the checkpoint of the stage before (or from the base model). Methods differ only in the
layouts of their `StageSpec`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from math import isnan, nan
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.errors import StudyError
from coconut_study.common.journal import Journal, Pace, Row, sentence
from coconut_study.common.progress import bar, say
from coconut_study.engine.gradient_checkpointing import checkpoint_layers
from coconut_study.questions.question import Question
from coconut_study.training import distributed, lora
from coconut_study.training.epoch import Diverged, Epoch, EpochState, is_best
from coconut_study.training.learner import Learner
from coconut_study.training.meter import Meter
from coconut_study.training.micro_batches import Updater
from coconut_study.training.sampler import Sampler
from coconut_study.training.saver import Saver
from coconut_study.training.schedule import StageSchedule
from coconut_study.training.settings import StageSpec
from coconut_study.training.validation import Following, Validation

CHECK_EVERY = 16  # updates between two checks of the loss


class StageTrainer:
    """Trains a model for one stage; `learner.model` ends with the weights that the stage keeps.

    With a saver, training resumes from the newest state and ends at the same numbers as without a break.
    """

    def __init__(
        self,
        spec: StageSpec,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        train: Sequence[Question],
        valid: Sequence[Question],
        rewrites: Sequence[Question] = (),
    ) -> None:
        self.spec, self.tokenizer = spec, tokenizer
        self.sampler = Sampler(spec, tokenizer, train)
        self.schedule = StageSchedule(spec, len(train), self.sampler.longest_chain)
        valid_tokens = self.sampler.tokenize(valid)
        rewrite_tokens = self.sampler.tokenize(rewrites) if rewrites else []
        self.sampler.check_lengths(model, [*valid_tokens, *rewrite_tokens])
        self.schedule.check_removal()
        if spec.base.model.lora is not None:
            lora.prepare(model, spec.base.model.lora, self.sampler.marks.added, spec.seed)
        if spec.training.gradient_checkpointing:
            checkpoint_layers(model)
        self.learner = Learner(model, spec.training, spec.thought_loss.weight if spec.thought_loss else 0.0)
        self.processes = self.learner.processes
        self.device = self.learner.accelerator.device
        self.validation = Validation(spec, tokenizer, valid, valid_tokens, self.processes)
        self.rewrites = (
            Following(spec, tokenizer, rewrites, rewrite_tokens, self.processes) if rewrites else None
        )
        self.updater = Updater(self.learner, spec.training, self.sampler.marks.pad)
        self.saver: Saver | None = None
        self.best: dict[str, Tensor] | None = None
        self.dropout: dict[str, Tensor] | None = None  # RNG states to continue from, in a resumed epoch
        self.n_roll_backs = 0
        self.history: list[Epoch] = []
        self.meter = Meter(self.device)
        self.journal = Journal(None)
        self.pace = Pace(spec.training.batch_size)
        self.start_epoch(0)

    def run(
        self, parent: Path | None = None, saver: Saver | None = None, journal: Journal | None = None
    ) -> list[Epoch]:
        """Train all epochs of the stage; return its history. The journal is told how far it is.

        The optimizer continues from the state in `parent` if `reset_optimizer` is "never".
        """
        self.saver = saver
        self.journal = journal or Journal(None)
        if parent is not None and self.spec.training.reset_optimizer == "never":
            self.learner.load(parent)
        if not self._resume():
            removed = self.schedule.removed(0)
            self.history = [
                Epoch(self.spec.stage, 0, 0, nan, self.accuracy(), removed, nan, self.following())
            ]
            self.journal.resume(0, 0)
            if saver is not None and self.spec.training.roll_back:
                self._save(saver)
        while True:
            try:
                for epoch in range(len(self.history) - 1, len(self.schedule.steps_by_epoch())):
                    self.train_epoch(epoch)
                    self._finish_epoch(epoch)
                break
            except Diverged as error:
                if not self._roll_back():
                    raise
                say(f"{error}; back to the last state, with {self._rate_factor():g} of the learning rate")
        if self.best is not None:
            self.learner.restore(self.best)
        return self.history

    def start_epoch(self, epoch: int) -> None:
        """Start an epoch with no update done."""
        self.epoch_state = EpochState(torch.zeros(2, device=self.device))
        self.sampler.start_epoch(epoch)

    def train_epoch(self, epoch: int) -> None:
        """Make the remaining updates of an epoch: all of them, or those after the state that was loaded."""
        spec, done = self.spec, self.epoch_state.done
        n_steps, first = self.schedule.steps_by_epoch()[epoch], self.schedule.first_step(epoch)
        if epoch and not done and spec.training.reset_optimizer == "epoch":
            self.learner.reset()
        with self.learner.training(spec.seed, spec.stage, epoch, dropout=self.dropout):
            self.dropout = None
            for number in bar(range(done, n_steps), f"stage {spec.stage}, epoch {epoch + 1}", n_steps, done):
                step = first + number
                if spec.training.reset_optimizer == "removal" and self.schedule.removes_more(step):
                    self.learner.reset()
                sequences = self.sampler.batch(number, self.schedule.removed(step))
                self.epoch_state.add(sequences, self.updater.update(sequences, self._rate(step)))
                self.pace.count()
                self._check_and_save(epoch, last=number == n_steps - 1)

    def accuracy(self) -> float:
        """Share of validation questions that are answered correctly at the thoughts of the stage.

        StudyError if a signal ends the job meanwhile.
        """
        share = self.validation.accuracy(self.learner.model, self._told_to_stop)
        if self._stopped():
            self._end()
        return share

    def following(self) -> float | None:
        """Share of rightly answered questions whose answer moves with a changed fact; None without rewrites.

        StudyError if a signal ends the job meanwhile.
        """
        if self.rewrites is None:
            return None
        share = self.rewrites.share(self.learner.model, self._told_to_stop)
        if self._stopped():
            self._end()
        return share

    def _finish_epoch(self, epoch: int) -> None:
        """Measure the model after an epoch, and start the next."""
        row = self.epoch_state.row(
            stage=self.spec.stage,
            epoch=epoch + 1,
            questions=self.schedule.questions(epoch),
            accuracy=self.accuracy(),
            removed=self.schedule.removed(self.schedule.first_step(epoch + 1) - 1),
            following=self.following(),
        )
        self.history.append(row)
        self._tell(row)
        if self.spec.keep == "best" and is_best(self.history):
            self.best = self.learner.weights()
        self.start_epoch(epoch + 1)

    def _rate(self, step: int) -> float:
        """The learning rate at an update of the stage; each roll-back halves it."""
        return self._rate_factor() * self.schedule.learning_rate(step)

    def _rate_factor(self) -> float:
        """Factor on the learning rate: one half for each roll-back."""
        return 0.5**self.n_roll_backs

    # ------------------------------------------------------------------------------------------ progress

    def _note(self, epoch: int, loss: float, **measured: float | None) -> Row:
        """Add to the journal how far the stage is, with the mean `loss` of the last updates and what else is
        `measured`; return the row."""
        by_epoch, done = self.schedule.steps_by_epoch(), self.epoch_state.done
        step = self.schedule.first_step(epoch) + done
        row = {
            "stage": self.spec.stage,
            "epoch": epoch + 1,
            "epochs": len(by_epoch),
            "update": done,
            "updates": by_epoch[epoch],
            "step": step,
            "loss": loss,
            "learning_rate": self._rate(step - 1),
            **self.pace.row(sum(by_epoch) - step),
            **{name: value for name, value in measured.items() if value is not None and not isnan(value)},
        }
        self.journal.add(row, always=bool(measured))
        return row

    def _tell(self, epoch: Epoch) -> None:
        """Write a line on an epoch into the log, and a row into the journal."""
        measured = {
            "accuracy": epoch.accuracy,
            "thought_norm": epoch.thought_norm,
            "following": epoch.following,
        }
        row = self._note(epoch.epoch - 1, epoch.loss, **measured)
        if self.processes.is_main:
            say(sentence(row))

    # --------------------------------------------------------------------------------------------- state

    def _check_and_save(self, epoch: int, *, last: bool) -> None:
        """Check the loss from time to time and before each save, and save a state when it is due; StudyError
        if a signal ends the job."""
        saver, stopped = self.saver, self._stopped()
        due = saver is not None and (stopped or self.processes.any_process(saver.due()))
        if due or last or len(self.epoch_state.losses) == CHECK_EVERY:
            where = f"stage {self.spec.stage}, epoch {epoch + 1}"
            loss = self.epoch_state.check(self.spec.training.max_loss, where, self.sampler.chosen)
            self._note(epoch, loss)
        if stopped:
            self._end()
        if saver is not None and due:
            self._save(saver)

    def _stopped(self) -> bool:
        """True if a signal has told any process to end."""
        return self.saver is not None and self.processes.any_process(self._told_to_stop())

    def _told_to_stop(self) -> bool:
        """True if a signal has told this process to end."""
        return self.saver is not None and self.saver.stopped is not None

    def _end(self) -> NoReturn:
        """Save the state and end the job after a signal.

        A state that is saved in an evaluation is that after the updates of the epoch: to resume repeats the
        evaluation, and no update. Before the first evaluation has ended, there is nothing to save.
        """
        assert self.saver is not None
        done = "before its first update"
        if self.history:
            self._save(self.saver)
            done = f"after {self.epoch_state.done} updates of epoch {len(self.history)}"
        raise StudyError(
            f"stage {self.spec.stage}: ended by {self.saver.stopped or 'a signal'} {done}; "
            "run the same command again to resume"
        )

    def _save(self, saver: Saver) -> None:
        """Save all that the rest of the stage depends on."""
        best = {f"best.{name}": distributed.own(value) for name, value in (self.best or {}).items()}
        facts = {
            **self.epoch_state.counts(),
            "streams": self.sampler.state(),
            "micro_batch_size": self.updater.size,
            "n_roll_backs": self.n_roll_backs,
            "seconds": self.meter.seconds,
            "joules": self.meter.joules,
            "history": [asdict(row) for row in self.history],
        }
        saver.save({**self.learner.state(), **best, "sums": self.epoch_state.sums}, facts)

    def _resume(self) -> bool:
        """Load the newest state, with the time and energy of earlier jobs; False if there is none."""
        facts = self._load_newest_state()
        if facts is None:
            return False
        self.n_roll_backs = facts["n_roll_backs"]
        self.meter = Meter(self.device, facts["seconds"], facts["joules"])
        return True

    def _roll_back(self) -> bool:
        """Load the newest state to try again; False if there is none, or no roll-back is left."""
        if self.n_roll_backs == self.spec.training.roll_back or self._load_newest_state() is None:
            return False
        self.n_roll_backs += 1
        return True

    def _load_newest_state(self) -> dict[str, Any] | None:
        """Load the newest state that every process has; return its facts, None if there is no state."""
        numbers = self.saver.numbers() if self.saver is not None else []
        newest = self.processes.min_over_processes(max(numbers, default=0))
        if self.saver is None or newest == 0:
            return None
        tensors, facts = self.saver.load(newest)
        self.dropout = self.learner.load_state(tensors)
        self.best = self.learner.with_prefix(tensors, "best.") or None
        self.history = [Epoch(**row) for row in facts["history"]]
        counts = (facts[name] for name in ("done", "n_tokens", "n_thoughts"))
        self.epoch_state = EpochState(tensors["sums"].to(self.device), *counts)
        self.sampler.load_state(len(self.history) - 1, facts["streams"])
        self.updater.size = facts["micro_batch_size"]
        self.journal.resume(len(self.history), self.epoch_state.done)
        say(f"resuming after {self.epoch_state.done} updates of epoch {len(self.history)}")
        return facts
