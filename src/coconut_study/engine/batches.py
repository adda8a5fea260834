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
class Supervised:
    """What the states that become thoughts have to predict: M pairs of a state and a token.

    predictor_M: flat index into B x T of the state. target_M: the token. count_M: the number of tokens
    that this state has to predict.
    """

    predictor_M: Tensor
    target_M: Tensor
    count_M: Tensor

    @property
    def n_thoughts(self) -> int:
        """The number of thoughts that have to predict something."""
        return len(self.predictor_M.unique())

    def to(self, device: torch.device) -> Supervised:
        """The same on another device."""
        parts = (self.predictor_M, self.target_M, self.count_M)
        return Supervised(*(part.to(device, non_blocking=True) for part in parts))


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences of tokens, one per row.

    tokens_BT, mask_BT, positions_BT: token ids (`pad` in thought slots), 1 for columns that are attended to,
    position ids. predictor_N: flat index into B x T of the column whose hidden state predicts each token with
    loss. target_N: those tokens. first_thought, n_thoughts: the columns of the thoughts. iterations: Jacobi
    iterations that compute the thoughts in parallel, or None to compute one after the other. prefixes: the
    prefixes that rows share, or None to compute all columns for each row. n_loops: passes over the whole
    sequence after the first. loops_B: those of each row, or None if all rows have `n_loops`. supervised: what
    thoughts have to predict, or None for nothing. soft: whether thoughts are expected embeddings. first_read:
    the first column whose last hidden state is read, for a prediction or as a thought.
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
    n_loops: int = 0
    loops_B: Tensor | None = None
    supervised: Supervised | None = None
    soft: bool = False
    first_read: int = 0

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
            loops_B=None if self.loops_B is None else self.loops_B.to(device, non_blocking=True),
            supervised=self.supervised and self.supervised.to(device),
        )


def collate(
    sequences: Seq[Sequence], pad: int, *, aligned: bool = False, share_prefixes: bool = True
) -> Batch:
    """The batch of `sequences`.

    `aligned` ends the first block of all rows in the same column even if no row has thoughts.
    `share_prefixes=False` computes every row by itself, as do rows with different numbers of loops.
    """
    loops = [sequence.loops for sequence in sequences]
    share_prefixes = share_prefixes and min(loops) == max(loops)
    groups, prefixes = shared_prefixes(sequences) if share_prefixes else ([], [0] * len(sequences))
    n_prefix = max(prefixes)
    n_thoughts = max(sequence.thoughts for sequence in sequences)
    aligned = aligned or n_thoughts > 0
    rests = [len(one.before if aligned else one) - n for one, n in zip(sequences, prefixes, strict=True)]
    n_before = n_prefix + max(rests)
    width = n_before + n_thoughts + (max(len(sequence.after) for sequence in sequences) if aligned else 0)
    cells: list[int] = []  # flat indices into B x T of the columns that are attended to
    tokens: list[int] = []
    positions: list[int] = []
    predictors: list[int] = []
    targets: list[int] = []
    for row, (sequence, prefix, rest) in enumerate(zip(sequences, prefixes, rests, strict=True)):
        first = row * width
        start = first + (n_before - rest if aligned else n_prefix)  # of the rest
        stop = start + rest + (sequence.thoughts if aligned else 0)
        after = first + n_before + n_thoughts
        cells += range(first + n_prefix - prefix, first + n_prefix)
        cells += range(start, stop)
        cells += range(after, after + len(sequence.after)) if aligned else ()
        tokens += sequence.before + [pad] * sequence.thoughts + sequence.after
        positions += sequence.positions
        predictors += cells[len(cells) - sequence.n_loss - 1 : -1]
        targets += sequence.after[len(sequence.after) - sequence.n_loss :]

    def filled(values: int | list[int], empty: int = 0) -> Tensor:
        flat = np.full(len(sequences) * width, empty, dtype=np.int64)
        flat[cells] = values
        return torch.from_numpy(flat.reshape(-1, width))

    return Batch(
        tokens_BT=filled(tokens, pad),
        mask_BT=filled(1),
        positions_BT=filled(positions),
        predictor_N=torch.tensor(predictors, dtype=torch.long),
        target_N=torch.tensor(targets, dtype=torch.long),
        first_thought=n_before,
        n_thoughts=n_thoughts,
        iterations=next((sequence.iterations for sequence in sequences if sequence.thoughts), None),
        prefixes=Prefixes.of(groups, n_prefix) if groups else None,
        n_loops=max(loops),
        loops_B=None if min(loops) == max(loops) else torch.tensor(loops),
        supervised=_supervised(sequences, n_before, width),
        soft=any(sequence.soft for sequence in sequences),
        first_read=n_before - 1 if n_thoughts else min((at % width for at in predictors), default=0),
    )


def _supervised(sequences: Seq[Sequence], first_thought: int, width: int) -> Supervised | None:
    """What thoughts have to predict; the state that becomes thought j is in the column before it."""
    pairs = [
        (row * width + first_thought - 1 + j, token, len(tokens))
        for row, sequence in enumerate(sequences)
        for j, tokens in enumerate(sequence.supervised)
        for token in tokens
    ]
    return Supervised(*map(torch.tensor, zip(*pairs, strict=True))) if pairs else None
