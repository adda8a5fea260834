"""Rows of a batch that begin with the same tokens, so that these are read once."""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from coconut_study.sequences.builder import Sequence

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


def beginnings_of(groups: list[list[int]], n_columns: int) -> Beginnings:
    """The record of `groups`, lists of row numbers, whose prefixes fill the first `n_columns` columns."""
    first_G = torch.tensor([group[0] for group in groups])
    group_B = torch.empty(sum(map(len, groups)), dtype=torch.long)
    for number, group in enumerate(groups):
        group_B[group] = number
    return Beginnings(n_columns, first_G, group_B)


def shared_prefixes(sequences: Seq[Sequence]) -> tuple[list[list[int]], list[int]]:
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
