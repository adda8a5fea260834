"""Batched, cached, greedy decoding with continuous thoughts.

Dimensions: B rows, T columns, D hidden size, N (predicted) tokens, V vocabulary, K numbers of thoughts, and
C = K x N columns of all branches together."""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor
from transformers import PreTrainedModel

from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.forward import Reader, logits, window
from coconut_study.sequences.builder import Marks, Sequence


@torch.no_grad()
def generate(
    model: PreTrainedModel, prompts: Seq[Sequence], ks: Seq[int], max_new_tokens: int, marks: Marks
) -> list[list[list[int]]]:
    """Greedy responses to each prompt after each number of thoughts in `ks`: ids[prompt][k], with <eos>.

    The prompts say what stands before and after the thoughts; `ks` says how many stand between. One
    prefill and one chain of thoughts serve every k. A response stops at <eos>, or unfinished at
    `max_new_tokens`. All prompts have equally many tokens after the thoughts.
    """
    reader, batch, thoughts_BKD = _chain(model, prompts, max(ks), marks)
    branches = Branches(reader, batch, thoughts_BKD[:, list(ks)], ks)
    after_BN = batch.tokens_BT[:, batch.first_thought + batch.n_thoughts :]
    if after_BN.shape[1]:
        branches.read(after_BN[:, None].expand(-1, len(ks), -1))
    return _decode(model, branches, max_new_tokens, marks.eos)


@torch.no_grad()
def thoughts(model: PreTrainedModel, prompts: Seq[Sequence], k: int, marks: Marks) -> Tensor:
    """Last hidden states (B, k + 1, D) of each prompt before its first thought and at each of k thoughts.

    State j is what thought j + 1 would be made of: all the model knows after j thoughts.
    """
    return _chain(model, prompts, k, marks)[2]


def _chain(
    model: PreTrainedModel, prompts: Seq[Sequence], k: int, marks: Marks
) -> tuple[Reader, Batch, Tensor]:
    """Read prompts up to their k-th thought: the reader, the batch, and the states (B, k + 1, D)."""
    asked, far = [prompt.with_thoughts(k) for prompt in prompts], window(model) is None
    batch = collate(asked, marks.pad, aligned=True, beginnings=far)
    batch = batch.to(next(model.parameters()).device)
    reader = Reader(model)
    return reader, batch, torch.cat([block[:, -1:] for block in reader.think(batch)], dim=1)


class Branches:
    """What follows a row after each of several numbers of thoughts, side by side in one cache.

    A branch sees the question, the thoughts it is given, and its own columns. So no row is read or kept
    twice, however many branches it has.
    """

    def __init__(self, reader: Reader, batch: Batch, last_BKD: Tensor, ks: Seq[int]) -> None:
        self.reader, self.last_BKD = reader, last_BKD
        question_BT = batch.mask_BT[:, : batch.first_thought].bool()
        k_K = torch.tensor(ks, device=last_BKD.device)
        given_KT = torch.arange(batch.n_thoughts, device=k_K.device) < k_K[:, None]
        n_rows, n_branches = last_BKD.shape[:2]
        self.seen_BKT = torch.cat(
            [question_BT[:, None].expand(-1, n_branches, -1), given_KT.expand(n_rows, -1, -1)], dim=2
        )
        self.position_BK = batch.positions_BT[:, batch.first_thought - 1, None] + k_K

    def read(self, tokens_BKN: Tensor) -> None:
        """Append N tokens to every branch."""
        n_rows, n_branches, n = tokens_BKN.shape
        device = tokens_BKN.device
        own_KC = torch.eye(n_branches, dtype=torch.bool, device=device).repeat_interleave(n, dim=1)
        before_NN = torch.ones(n, n, dtype=torch.bool, device=device).tril()
        new_CC = own_KC.repeat_interleave(n, dim=0) & before_NN.repeat(n_branches, n_branches)
        mask_BCT = torch.cat(
            [self.seen_BKT.repeat_interleave(n, dim=1), new_CC.expand(n_rows, -1, -1)], dim=2
        )
        positions_BKN = self.position_BK[:, :, None] + torch.arange(1, n + 1, device=device)
        embeds_BCD = self.reader.embed(tokens_BKN.flatten(1))
        hidden_BCD = self.reader.read(
            embeds_BCD, _additive(mask_BCT, embeds_BCD.dtype), positions_BKN.flatten(1)
        )
        self.last_BKD = hidden_BCD[:, n - 1 :: n]
        self.seen_BKT = torch.cat([self.seen_BKT, own_KC.expand(n_rows, -1, -1)], dim=2)
        self.position_BK = positions_BKN[:, :, -1]

    def keep(self, index: Tensor) -> None:
        """Go on with some of the rows."""
        self.reader.cache.batch_select_indices(index)
        self.last_BKD, self.seen_BKT, self.position_BK = (
            self.last_BKD[index], self.seen_BKT[index], self.position_BK[index],
        )  # fmt: skip


def _additive(mask_BCT: Tensor, dtype: torch.dtype) -> Tensor:
    """A mask (B, 1, C, T) as attention adds it: 0 where a column is seen, the least number elsewhere."""
    hidden = torch.zeros(mask_BCT.shape, dtype=dtype, device=mask_BCT.device)
    return hidden.masked_fill(~mask_BCT, torch.finfo(dtype).min)[:, None]


def _decode(
    model: PreTrainedModel, branches: Branches, max_new_tokens: int, eos: int
) -> list[list[list[int]]]:
    """The most likely next token, again and again; finished rows are dropped when they are the half."""
    n_rows, n_branches = branches.last_BKD.shape[:2]
    device = branches.last_BKD.device
    alive = torch.arange(n_rows, device=device)
    written = torch.full((n_rows, n_branches, max_new_tokens), eos, device=device)
    for step in range(max_new_tokens):
        token_BK = logits(model, branches.last_BKD).argmax(dim=-1)
        token_BK = torch.where((written[alive, :, :step] == eos).any(dim=2), eos, token_BK)
        written[alive, :, step] = token_BK
        going = (token_BK != eos).any(dim=1).nonzero()[:, 0]
        if len(going) == 0 or step == max_new_tokens - 1:
            break
        if 2 * len(going) <= len(alive):
            branches.keep(going)
            alive, token_BK = alive[going], token_BK[going]
        branches.read(token_BK[:, :, None])
    return [[_up_to(ids, eos) for ids in row] for row in written.tolist()]


def _up_to(ids: list[int], eos: int) -> list[int]:
    return ids[: ids.index(eos) + 1] if eos in ids else ids
