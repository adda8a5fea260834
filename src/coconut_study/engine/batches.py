"""Sequences -> tensors. Dimensions: B rows, T columns, N predicted tokens.

Rows are laid out in three blocks, so that the first thoughts of all rows stand in one column:

    [ padding, before ][ thoughts, padding ][ after, padding ]

Padding has mask 0 and is seen by nobody. Where no row has continuous thoughts there is one block, padded
on the right. Where rows begin alike, as the mirror questions of a graph do, what they begin with is a block
of its own in front of the others, which is read once for each group of them:

    [ padding, beginning ][ padding, rest of before ][ thoughts, padding ][ after, padding ]
    [ padding, beginning ][ rest, padding ]
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from coconut_study.engine.prefixes import Beginnings, beginnings_of, shared_prefixes
from coconut_study.sequences.builder import Sequence


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of sequences.

    tokens_BT, mask_BT, positions_BT: ids (thought slots hold `pad`), 1 for seen columns, position ids.
    predictor_N: flat index into B x T of the column whose hidden state predicts each token with loss.
    target_N: those tokens. first_thought, n_thoughts: where the thought columns are. iterations: in which
    they are computed side by side, or None for one after the other. beginnings: what is read once for several
    rows, or None; without them the same columns are read for each row.
    """

    tokens_BT: Tensor
    mask_BT: Tensor
    positions_BT: Tensor
    predictor_N: Tensor
    target_N: Tensor
    first_thought: int
    n_thoughts: int
    iterations: int | None
    beginnings: Beginnings | None = None

    def only(self, counted_N: Tensor) -> Batch:
        """The batch with loss on some of its predicted tokens alone."""
        return replace(self, predictor_N=self.predictor_N[counted_N], target_N=self.target_N[counted_N])

    def to(self, device: torch.device) -> Batch:
        """The batch on another device."""
        return replace(
            self,
            tokens_BT=self.tokens_BT.to(device, non_blocking=True),
            mask_BT=self.mask_BT.to(device, non_blocking=True),
            positions_BT=self.positions_BT.to(device, non_blocking=True),
            predictor_N=self.predictor_N.to(device, non_blocking=True),
            target_N=self.target_N.to(device, non_blocking=True),
            beginnings=self.beginnings and self.beginnings.to(device),
        )


def collate(sequences: Seq[Sequence], pad: int, *, aligned: bool = False, beginnings: bool = True) -> Batch:
    """The batch of `sequences`, and where each predicted token is predicted from.

    `aligned` lines rows up before the place of the thoughts even when no row has any. Without `beginnings`
    every row is read by itself.
    """
    groups, heads = shared_prefixes(sequences) if beginnings else ([], [0] * len(sequences))
    n_begin = max(heads)
    n_thoughts = max(sequence.thoughts for sequence in sequences)
    aligned = aligned or n_thoughts > 0
    rests = [len(one.before if aligned else one) - head for one, head in zip(sequences, heads, strict=True)]
    n_before = n_begin + max(rests)
    width = n_before + n_thoughts + (max(len(sequence.after) for sequence in sequences) if aligned else 0)
    tokens = np.full((len(sequences), width), pad, dtype=np.int64)
    mask = np.zeros_like(tokens)
    positions = np.zeros_like(tokens)
    predictors = [np.zeros(0, dtype=np.int64)]
    targets: list[int] = []
    for row, (sequence, head, rest) in enumerate(zip(sequences, heads, rests, strict=True)):
        start = n_before - rest if aligned else n_begin  # of what stands behind the beginning
        stop = start + rest + sequence.thoughts if aligned else start + rest
        after = n_before + n_thoughts + np.arange(len(sequence.after) if aligned else 0)
        columns = np.concatenate([np.arange(n_begin - head, n_begin), np.arange(start, stop), after])
        tokens[row, columns] = sequence.before + [pad] * sequence.thoughts + sequence.after
        mask[row, columns] = 1
        positions[row, columns] = sequence.positions
        if sequence.n_loss:
            predictors.append(row * width + columns[-sequence.n_loss - 1 : -1])
            targets += sequence.after[-sequence.n_loss :]
    return Batch(
        tokens_BT=torch.from_numpy(tokens),
        mask_BT=torch.from_numpy(mask),
        positions_BT=torch.from_numpy(positions),
        predictor_N=torch.from_numpy(np.concatenate(predictors)),
        target_N=torch.tensor(targets, dtype=torch.long),
        first_thought=n_before,
        n_thoughts=n_thoughts,
        iterations=next((sequence.iterations for sequence in sequences if sequence.thoughts), None),
        beginnings=beginnings_of(groups, n_begin) if groups else None,
    )
