"""Updates on batches that exceed the memory of the device: they are computed in micro-batches."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.forward import sliding_window
from coconut_study.engine.prefixes import by_length
from coconut_study.sequences.builder import Sequence as TokenSequence
from coconut_study.training.learner import Learner
from coconut_study.training.settings import Training


class Updater:
    """Makes the updates of `learner` in micro-batches of up to `size` sequences; `pad` is the padding token.

    The processes compute a micro-batch together if the model is sharded, else each computes its own. A shared
    beginning is computed once, unless the model has a sliding window.
    """

    def __init__(self, learner: Learner, settings: Training, pad: int) -> None:
        self.learner, self.pad = learner, pad
        n = learner.processes.count
        size = settings.micro_batch_size or -(-settings.batch_size // n)
        self.size = size * n if learner.processes.sharded else size
        self.share_prefixes = sliding_window(learner.model) is None

    def update(self, sequences: Sequence[TokenSequence], rate: float) -> Tensor:
        """One update at learning rate `rate`; its sums (2,) as `Learner.update` returns them.

        If a micro-batch does not fit in memory, the update starts again, and the size is halved from then on.
        """
        while True:
            try:
                parts = split(sequences, self.size, self.pad, share_prefixes=self.share_prefixes)
                return self.learner.update(parts, rate)
            except torch.OutOfMemoryError:
                if self.size <= 1:
                    raise
                self.learner.optimizer.zero_grad()
                self.size = -(-self.size // 2)


def split(sequences: Sequence[TokenSequence], size: int, pad: int, *, share_prefixes: bool) -> list[Batch]:
    """Micro-batches of up to `size` sequences of similar length, which need the least padding.

    Sequences with the same beginning stay together; with `share_prefixes` it is computed once for all.
    """
    order = list(range(len(sequences)))
    if size < len(sequences):
        order = by_length([one.before for one in sequences], list(map(len, sequences)))
    parts = [[sequences[i] for i in order[start : start + size]] for start in range(0, len(order), size)]
    return [collate(part, pad, share_prefixes=share_prefixes) for part in parts]
