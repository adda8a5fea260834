"""Batched greedy decoding with a cache, for several numbers of thoughts at once.

Dimensions: B rows, T columns, D hidden size, N tokens, K numbers of thoughts (branches of a row), and
C = K x N columns of all branches together.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor
from transformers import PreTrainedModel

from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.forward import Reader, logits, sliding_window
from coconut_study.sequences.builder import Marks, Sequence


@torch.no_grad()
def generate(
    model: PreTrainedModel, prompts: Seq[Sequence], ks: Seq[int], max_new_tokens: int, marks: Marks
) -> list[list[list[int]]]:
    """Greedy responses to each prompt after each number of thoughts in `ks`: token ids [prompt][k].

    A prompt gives what precedes and follows the thoughts; how many it has itself does not matter. The prompts
    and one chain of thoughts are computed once for all of `ks`. A response ends with <eos>, or without it
    after `max_new_tokens`. All prompts must have the same number of tokens after the thoughts.
    """
    reader, batch, states_BKD = _read_prompts(model, prompts, max(ks), marks)
    branches = Branches(reader, batch, states_BKD[:, list(ks)], ks)
    after_BN = batch.tokens_BT[:, batch.first_thought + batch.n_thoughts :]
    if after_BN.shape[1]:
        branches.read(after_BN[:, None].expand(-1, len(ks), -1))
    return _decode(model, branches, max_new_tokens, marks.eos)


@torch.no_grad()
def thought_states(model: PreTrainedModel, prompts: Seq[Sequence], k: int, marks: Marks) -> Tensor:
    """Last hidden states (B, k + 1, D) of each prompt: before the first thought, and at each of k thoughts.

    State j would be the input embedding of thought j + 1: it is all that the model knows after j thoughts.
    """
    return _read_prompts(model, prompts, k, marks)[2]


def _read_prompts(
    model: PreTrainedModel, prompts: Seq[Sequence], k: int, marks: Marks
) -> tuple[Reader, Batch, Tensor]:
    """Read prompts up to their k-th thought: the reader, the batch, and the states (B, k + 1, D)."""
    sequences = [prompt.with_thoughts(k) for prompt in prompts]
    share_prefixes = sliding_window(model) is None  # a prefix block would move columns out of the window
    batch = collate(sequences, marks.pad, aligned=True, share_prefixes=share_prefixes)
    batch = batch.to(next(model.parameters()).device)
    reader = Reader(model)
    return reader, batch, torch.cat([block[:, -1:] for block in reader.think(batch)], dim=1)


class Branches:
    """Continuations of each row after several numbers of thoughts, in one cache.

    A branch attends to the question, to the first k thoughts, and to its own columns. The question and the
    thoughts are computed and stored once, however many branches there are.
    """

    def __init__(self, reader: Reader, batch: Batch, last_BKD: Tensor, ks: Seq[int]) -> None:
        self.reader, self.last_BKD = reader, last_BKD
        question_BT = batch.mask_BT[:, : batch.first_thought].bool()
        k_K = torch.tensor(ks, device=last_BKD.device)
        given_KT = torch.arange(batch.n_thoughts, device=k_K.device) < k_K[:, None]
        n_rows, n_branches = last_BKD.shape[:2]
        self.mask_BKT = torch.cat(
            [question_BT[:, None].expand(-1, n_branches, -1), given_KT.expand(n_rows, -1, -1)], dim=2
        )
        self.position_BK = batch.positions_BT[:, batch.first_thought - 1, None] + k_K

    def read(self, tokens_BKN: Tensor) -> None:
        """Append N tokens to every branch (B, K, N); `last_BKD` becomes the state of the last."""
        n_rows, n_branches, n = tokens_BKN.shape
        device = tokens_BKN.device
        own_KC = torch.eye(n_branches, dtype=torch.bool, device=device).repeat_interleave(n, dim=1)
        before_NN = torch.ones(n, n, dtype=torch.bool, device=device).tril()
        new_CC = own_KC.repeat_interleave(n, dim=0) & before_NN.repeat(n_branches, n_branches)
        mask_BCT = torch.cat(
            [self.mask_BKT.repeat_interleave(n, dim=1), new_CC.expand(n_rows, -1, -1)], dim=2
        )
        positions_BKN = self.position_BK[:, :, None] + torch.arange(1, n + 1, device=device)
        embeds_BCD = self.reader.embed(tokens_BKN.flatten(1))
        hidden_BCD = self.reader.read(
            embeds_BCD, _additive(mask_BCT, embeds_BCD.dtype), positions_BKN.flatten(1)
        )
        self.last_BKD = hidden_BCD[:, n - 1 :: n]
        self.mask_BKT = torch.cat([self.mask_BKT, own_KC.expand(n_rows, -1, -1)], dim=2)
        self.position_BK = positions_BKN[:, :, -1]

    def keep(self, index: Tensor) -> None:
        """Drop all rows but those in `index`."""
        self.reader.cache.batch_select_indices(index)
        self.last_BKD, self.mask_BKT, self.position_BK = (
            self.last_BKD[index], self.mask_BKT[index], self.position_BK[index],
        )  # fmt: skip


def _additive(mask_BCT: Tensor, dtype: torch.dtype) -> Tensor:
    """The mask (B, 1, C, T) that attention adds: 0 for attended columns, the lowest number for others."""
    zeros = torch.zeros(mask_BCT.shape, dtype=dtype, device=mask_BCT.device)
    return zeros.masked_fill(~mask_BCT, torch.finfo(dtype).min)[:, None]


def _decode(
    model: PreTrainedModel, branches: Branches, max_new_tokens: int, eos: int
) -> list[list[list[int]]]:
    """Append the most likely token until all branches are finished.

    Finished rows are dropped once they are half of all rows.
    """
    n_rows, n_branches = branches.last_BKD.shape[:2]
    device = branches.last_BKD.device
    rows = torch.arange(n_rows, device=device)
    written = torch.full((n_rows, n_branches, max_new_tokens), eos, device=device)
    for step in range(max_new_tokens):
        token_BK = logits(model, branches.last_BKD).argmax(dim=-1)
        token_BK = torch.where((written[rows, :, :step] == eos).any(dim=2), eos, token_BK)
        written[rows, :, step] = token_BK
        unfinished = (token_BK != eos).any(dim=1).nonzero()[:, 0]
        if len(unfinished) == 0 or step == max_new_tokens - 1:
            break
        if 2 * len(unfinished) <= len(rows):
            branches.keep(unfinished)
            rows, token_BK = rows[unfinished], token_BK[unfinished]
        branches.read(token_BK[:, :, None])
    return [[_until(ids, eos) for ids in branch] for branch in written.tolist()]


def _until(ids: list[int], eos: int) -> list[int]:
    """`ids` up to the first <eos>, which is included."""
    return ids[: ids.index(eos) + 1] if eos in ids else ids
