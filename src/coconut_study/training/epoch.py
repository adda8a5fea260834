"""An epoch: the sums of the one that is being trained, and its row in the history of the stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any

import torch
from torch import Tensor

from coconut_study.common.errors import StudyError
from coconut_study.sequences.builder import Sequence as TokenSequence


class Diverged(StudyError):
    """The loss is not finite, or above `training.max_loss`."""


@dataclass(frozen=True, slots=True)
class Epoch:
    """A row of the history. Epoch 0 is the stage before its first update, with the weights of its parent.

    `questions` is the number of training questions, `loss` the mean cross-entropy of a predicted token
    (nats), `accuracy` the share of validation questions answered correctly at the thoughts of the stage,
    `removed` the units that iCoT has removed from the chain, and `thought_norm` the mean Euclidean norm of a
    thought in training. `following` is the share of rightly answered questions whose answer moves with a
    changed fact; None if no such questions are asked.
    """

    stage: int
    epoch: int
    questions: int
    loss: float
    accuracy: float
    removed: int
    thought_norm: float
    following: float | None = None


@dataclass(slots=True)
class EpochState:
    """State of the current epoch: updates done, running sums (2,) of cross-entropy and of thought norms, and
    the number of predicted tokens and of thoughts that they are over.

    `losses` has the mean loss of each update since the last check; they stay on the device until then.
    """

    sums: Tensor
    done: int = 0
    n_tokens: int = 0
    n_thoughts: int = 0
    losses: list[Tensor] = field(default_factory=list)

    def add(self, sequences: Sequence[TokenSequence], sums: Tensor) -> None:
        """Count an update on `sequences`, with its `sums` (2,)."""
        n_tokens = sum(sequence.n_loss for sequence in sequences)
        self.done += 1
        self.sums = self.sums + sums
        self.n_tokens += n_tokens
        self.n_thoughts += sum(sequence.thoughts for sequence in sequences)
        self.losses.append(sums[0] / n_tokens)

    def row(self, **known: Any) -> Epoch:
        """The row of this epoch in the history, with the fields `known` besides loss and thought norm."""
        loss, norm = self.sums.tolist()
        thought_norm = norm / self.n_thoughts if self.n_thoughts else nan
        return Epoch(loss=loss / self.n_tokens, thought_norm=thought_norm, **known)

    def check(self, limit: float, where: str, chosen: Callable[[int], Sequence[int]]) -> float:
        """Check the losses since the last check, which waits for the device; return their mean.

        Diverged names the first update whose loss is not finite or above `limit`, and its questions, which
        `chosen` gives; its message begins with `where`.
        """
        losses = torch.stack(self.losses).tolist()
        self.losses = []
        for number, loss in enumerate(losses, start=self.done - len(losses)):
            if not loss <= limit:
                raise Diverged(
                    f"{where}, update {number + 1}: the loss is {loss:g} nats per token, above "
                    f"training.max_loss: {limit:g} or not finite, on the training questions "
                    f"{', '.join(map(str, chosen(number)))}; lower learning_rate, set clip, or set "
                    "training.roll_back"
                )
        return sum(losses) / len(losses)

    def counts(self) -> dict[str, Any]:
        """The counts, as JSON values."""
        return {"done": self.done, "n_tokens": self.n_tokens, "n_thoughts": self.n_thoughts}


def is_best(history: Sequence[Epoch]) -> bool:
    """True if the last epoch is the best so far.

    The optimizer of iCoT starts anew whenever more is removed, so more removed counts first, then accuracy;
    of two equal epochs the later one has seen more questions.
    """
    *before, last = history[1:]
    return all((row.removed, row.accuracy) <= (last.removed, last.accuracy) for row in before)
