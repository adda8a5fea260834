"""How many validation questions a model answers correctly while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from math import nan
from typing import TypeVar

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.evaluation.respond import respond
from coconut_study.questions.question import Question
from coconut_study.sequences.builder import Tokens
from coconut_study.sequences.templates import TEMPLATES, is_right
from coconut_study.training.distributed import Processes
from coconut_study.training.settings import StageSpec

T = TypeVar("T")


class Stopped(Exception):
    """A signal has told the job to end."""


class Validation:
    """The validation questions of a stage, shared among the processes."""

    def __init__(
        self,
        spec: StageSpec,
        tokenizer: PreTrainedTokenizerBase,
        questions: Sequence[Question],
        tokens: Sequence[Tokens],
        processes: Processes,
    ) -> None:
        self.spec, self.tokenizer, self.processes = spec, tokenizer, processes
        self.n_questions = len(questions)
        self.questions, self.tokens = processes.share(questions), processes.share(tokens)

    def accuracy(self, model: PreTrainedModel, stopped: Callable[[], bool]) -> float:
        """Share of all questions that are answered correctly at the thoughts of the stage.

        It ends early, with a share that means nothing, once `stopped` is true before a batch.
        """
        return self.processes.total(sum(self.right(model, stopped))) / self.n_questions

    def right(self, model: PreTrainedModel, stopped: Callable[[], bool]) -> list[bool]:
        """Whether each question of this process is answered correctly; none if it ends early."""
        template = TEMPLATES[self.spec.base.text.template]

        def unless_stopped(_: str, compute: Callable[[], T]) -> T:
            # Processes that share a model make the same calls of it: a signal to one stops them all.
            if self.processes.any_process(stopped()) if self.processes.sharded else stopped():
                raise Stopped
            return compute()

        with suppress(Stopped):
            responses, _ = respond(
                model, self.tokenizer, self.tokens, [self.spec.layout], self.spec.evaluation, unless_stopped
            )
            return [is_right(self.questions[r.question], r.text, template) for r in responses]
        return []


class Following:
    """Questions and their rewrites, asked after every epoch (see `questions.rewrites`)."""

    def __init__(
        self,
        spec: StageSpec,
        tokenizer: PreTrainedTokenizerBase,
        pairs: Sequence[Question],
        tokens: Sequence[Tokens],
        processes: Processes,
    ) -> None:
        """`pairs` has every question before its rewrite; `tokens` are theirs."""
        self.processes = processes
        self.before, self.after = (
            Validation(spec, tokenizer, pairs[first::2], tokens[first::2], processes) for first in (0, 1)
        )

    def share(self, model: PreTrainedModel, stopped: Callable[[], bool]) -> float:
        """Of the questions that are answered correctly, the share whose rewrite is answered correctly too.

        NaN if no question is answered correctly; it ends early as the accuracy does.
        """
        before, after = self.before.right(model, stopped), self.after.right(model, stopped)
        moved = [both for one, both in zip(before, after, strict=False) if one]
        n_right, n_moved = self.processes.total(len(moved)), self.processes.total(sum(moved))
        return n_moved / n_right if n_right else nan
