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
from typing import Any

import numpy as np
import torch
from torch import Tensor

from coconut_study.sequences import Sequence

WORTH_IT = 0.1  # least share of the columns before the thoughts that need not be read


@dataclass(frozen=True, slots=True)
class Beginnings:
    """Which rows begin alike: the first `n_columns` hold what the rows of a group begin with.

    first_G: a row of each group. group_B: the group of each row.
    """

    n_columns: int
    first_G: Tensor
    group_B: Tensor

    def to(self, device: torch.device) -> Beginnings:
        """The same on another device."""
        first_G = self.first_G.to(device, non_blocking=True)
        return replace(self, first_G=first_G, group_B=self.group_B.to(device, non_blocking=True))


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
    groups, heads = _shared(sequences) if beginnings else ([], [0] * len(sequences))
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
        beginnings=_beginnings(groups, n_begin) if groups else None,
    )


def _beginnings(groups: list[list[int]], n_columns: int) -> Beginnings:
    first_G = torch.tensor([group[0] for group in groups])
    group_B = torch.empty(sum(map(len, groups)), dtype=torch.long)
    for number, group in enumerate(groups):
        group_B[group] = number
    return Beginnings(n_columns, first_G, group_B)


def _shared(sequences: Seq[Sequence]) -> tuple[list[list[int]], list[int]]:
    """Groups of rows that begin with the same tokens in the same positions, and how many tokens of each row
    stand in the first block; no groups, and none, where it is not worth it.

    What stands last before the thoughts is always read for each row. A row alone has all but its last tokens
    in the first block, as many as the others have behind it, so that the second grows no wider for it.
    """
    lengths = [len(sequence.before) for sequence in sequences]
    groups: list[list[int]] = []
    common: dict[int, int] = {}
    for rows, n in alike([sequence.before for sequence in sequences]):
        first = sequences[rows[0]].positions[:n]
        n = min(n, *(min(_common(first, sequences[row].positions), lengths[row] - 1) for row in rows))
        if len(rows) > 1 and 2 * n >= max(lengths[row] for row in rows):
            groups.append(rows)
            common |= dict.fromkeys(rows, n)
        else:
            groups += [[row] for row in rows]
    rest = max((lengths[row] - n for row, n in common.items()), default=0)
    heads = [common.get(row, max(length - rest, 0)) for row, length in enumerate(lengths)]
    apart, once = len(heads) * max(lengths), len(groups) * max(heads) + len(heads) * rest
    worth_it = bool(common) and once < (1 - WORTH_IT) * apart
    return (groups, heads) if worth_it else ([], [0] * len(heads))


def by_length(rows: Seq[list[Any]], lengths: Seq[int]) -> list[int]:
    """Numbers of the rows from short to long; those that begin alike stay together."""
    groups = [sorted(group) for group, _ in alike(rows)]
    groups.sort(key=lambda group: (max(lengths[row] for row in group), group))
    return [row for group in groups for row in group]


def alike(rows: Seq[list[Any]]) -> list[tuple[list[int], int]]:
    """Groups of rows that begin alike, and with how many items; a row by itself begins with all it has.

    A row joins a group when half of its items, and half of the first row's, are the same.
    """
    groups: list[tuple[list[int], int]] = []
    for row in sorted(range(len(rows)), key=rows.__getitem__):
        if groups:
            group, _ = groups[-1]
            n = _common(rows[group[0]], rows[row])  # sorted, so all between begin so too
            if 2 * n >= max(len(rows[group[0]]), len(rows[row])):
                groups[-1] = ([*group, row], n)
                continue
        groups.append(([row], len(rows[row])))
    return groups


def _common(one: Seq[Any], other: Seq[Any]) -> int:
    """How many items both begin with."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
