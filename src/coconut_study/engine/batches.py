"""Sequences as tensors. Dimensions: B rows, T columns, N predicted tokens.

Rows are laid out in three blocks, so that the first thoughts of all rows are in the same column:

    [ padding, before ][ thoughts, padding ][ after, padding ]

Padding has mask 0: no token attends to it. A batch without continuous thoughts is one block, padded on the
right. If rows share prefixes, as the mirror questions of a graph do, the prefixes are a block of their own at
the start, which is computed once for each group of rows:

    [ padding, prefix ][ padding, rest of before ][ thoughts, padding ][ after, padding ]
    [ padding, prefix ][ rest, padding ]
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from coconut_study.engine.prefixes import Prefixes, shared_prefixes
from coconut_study.sequences.builder import Sequence


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences of tokens, one per row.

    tokens_BT, mask_BT, positions_BT: token ids (`pad` in thought slots), 1 for columns that are attended to,
    position ids. predictor_N: flat index into B x T of the column whose hidden state predicts each token with
    loss. target_N: those tokens. first_thought, n_thoughts: the columns of the thoughts. iterations: Jacobi
    iterations that compute the thoughts in parallel, or None to compute one after the other. prefixes: the
    prefixes that rows share, or None to compute all columns for each row.
    """

    tokens_BT: Tensor
    mask_BT: Tensor
    positions_BT: Tensor
    predictor_N: Tensor
    target_N: Tensor
    first_thought: int
    n_thoughts: int
    iterations: int | None
    prefixes: Prefixes | None = None

    def only(self, counted_N: Tensor) -> Batch:
        """The same batch with loss on some of its predicted tokens only."""
        return replace(self, predictor_N=self.predictor_N[counted_N], target_N=self.target_N[counted_N])

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return replace(
            self,
            tokens_BT=self.tokens_BT.to(device, non_blocking=True),
            mask_BT=self.mask_BT.to(device, non_blocking=True),
            positions_BT=self.positions_BT.to(device, non_blocking=True),
            predictor_N=self.predictor_N.to(device, non_blocking=True),
            target_N=self.target_N.to(device, non_blocking=True),
            prefixes=self.prefixes and self.prefixes.to(device),
        )


def collate(
    sequences: Seq[Sequence], pad: int, *, aligned: bool = False, share_prefixes: bool = True
) -> Batch:
    """The batch of `sequences`.

    `aligned` ends the first block of all rows in the same column even if no row has thoughts.
    `share_prefixes=False` computes every row by itself.
    """
    groups, prefixes = shared_prefixes(sequences) if share_prefixes else ([], [0] * len(sequences))
    n_prefix = max(prefixes)
    n_thoughts = max(sequence.thoughts for sequence in sequences)
    aligned = aligned or n_thoughts > 0
    rests = [len(one.before if aligned else one) - n for one, n in zip(sequences, prefixes, strict=True)]
    n_before = n_prefix + max(rests)
    width = n_before + n_thoughts + (max(len(sequence.after) for sequence in sequences) if aligned else 0)
    tokens = np.full((len(sequences), width), pad, dtype=np.int64)
    mask = np.zeros_like(tokens)
    positions = np.zeros_like(tokens)
    predictors = [np.zeros(0, dtype=np.int64)]
    targets: list[int] = []
    for row, (sequence, prefix, rest) in enumerate(zip(sequences, prefixes, rests, strict=True)):
        start = n_before - rest if aligned else n_prefix  # of the rest
        stop = start + rest + sequence.thoughts if aligned else start + rest
        after = n_before + n_thoughts + np.arange(len(sequence.after) if aligned else 0)
        columns = np.concatenate([np.arange(n_prefix - prefix, n_prefix), np.arange(start, stop), after])
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
        prefixes=Prefixes.of(groups, n_prefix) if groups else None,
    )
