"""Rows of a batch that share a prefix, which is then computed once for all of them.

Mirror questions of one graph are such rows: they begin with the same facts. Dimensions: B rows, G groups.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from coconut_study.sequences.builder import Sequence

MIN_SAVED = 0.1  # share of the columns before the thoughts that sharing must save


@dataclass(frozen=True, slots=True)
class Prefixes:
    """Which rows of a batch share a prefix; the prefixes fill its first `n_columns` columns.

    first_G: the first row of each group. group_B: the group of each row.
    """

    n_columns: int
    first_G: Tensor
    group_B: Tensor

    @classmethod
    def of(cls, groups: list[list[int]], n_columns: int) -> Prefixes:
        """The prefixes of `groups`, which list the rows of the batch."""
        first_G = torch.tensor([group[0] for group in groups])
        group_B = torch.empty(sum(map(len, groups)), dtype=torch.long)
        for number, group in enumerate(groups):
            group_B[group] = number
        return cls(n_columns, first_G, group_B)

    def to(self, device: torch.device) -> Prefixes:
        """The same on another device."""
        first_G = self.first_G.to(device, non_blocking=True)
        return replace(self, first_G=first_G, group_B=self.group_B.to(device, non_blocking=True))


def shared_prefixes(sequences: Seq[Sequence]) -> tuple[list[list[int]], list[int]]:
    """Groups of rows whose tokens and positions begin alike, and the length of each row's prefix.

    No groups and zero lengths if sharing would save too little. The last token before the thoughts is never
    part of a prefix. An ungrouped row leaves at most `rest` tokens to the second block, so it does not widen
    it.
    """
    lengths = [len(sequence.before) for sequence in sequences]
    groups: list[list[int]] = []
    common: dict[int, int] = {}
    for rows, n in groups_of([sequence.before for sequence in sequences]):
        if len(rows) > 1:
            first = sequences[rows[0]].positions[:n]
            n = min(n, *(min(_n_common(first, sequences[row].positions), lengths[row] - 1) for row in rows))
        if len(rows) > 1 and 2 * n >= max(lengths[row] for row in rows):
            groups.append(rows)
            common |= dict.fromkeys(rows, n)
        else:
            groups += [[row] for row in rows]
    rest = max((lengths[row] - n for row, n in common.items()), default=0)
    prefixes = [common.get(row, max(length - rest, 0)) for row, length in enumerate(lengths)]
    apart, shared = len(prefixes) * max(lengths), len(groups) * max(prefixes) + len(prefixes) * rest
    worth_it = bool(common) and shared < (1 - MIN_SAVED) * apart
    return (groups, prefixes) if worth_it else ([], [0] * len(prefixes))


def by_length(rows: Seq[list[Any]], lengths: Seq[int]) -> list[int]:
    """Row numbers from short to long; rows that share a prefix stay together."""
    groups = [sorted(group) for group, _ in groups_of(rows)]
    groups.sort(key=lambda group: (max(lengths[row] for row in group), group))
    return [row for group in groups for row in group]


def groups_of(rows: Seq[list[Any]]) -> list[tuple[list[int], int]]:
    """Groups of rows that share a prefix, and its length; a group of one row has all of its items.

    A row joins a group if the prefix is at least half of the row and half of the group's first row.
    """
    groups: list[tuple[list[int], int]] = []
    for row in sorted(range(len(rows)), key=rows.__getitem__):
        if groups:
            group, _ = groups[-1]
            n = _n_common(rows[group[0]], rows[row])  # in sorted order, the rows between share it too
            if 2 * n >= max(len(rows[group[0]]), len(rows[row])):
                groups[-1] = ([*group, row], n)
                continue
        groups.append(([row], len(rows[row])))
    return groups


def _n_common(one: Seq[Any], other: Seq[Any]) -> int:
    """The length of the longest common prefix."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
