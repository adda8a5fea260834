"""How many validation questions a model answers correctly while it is trained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
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
        template, right = TEMPLATES[self.spec.base.text.template], 0

        def unless_stopped(_: str, compute: Callable[[], T]) -> T:
            # Processes that share a model make the same calls of it: a signal to one stops them all.
            if self.processes.any_process(stopped()) if self.processes.sharded else stopped():
                raise Stopped
            return compute()

        with suppress(Stopped):
            responses, _ = respond(
                model, self.tokenizer, self.tokens, [self.spec.layout], self.spec.evaluation, unless_stopped
            )
            right = sum(is_right(self.questions[r.question], r.text, template) for r in responses)
        return self.processes.total(right) / self.n_questions
