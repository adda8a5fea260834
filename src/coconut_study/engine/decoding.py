"""Batched greedy decoding with a cache, for several numbers of thoughts at once.

Dimensions: B rows, T columns, D hidden size, N tokens, K numbers of thoughts (branches of a row), O options,
and C = K x N columns of all branches together.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedModel

from coconut_study.engine.batches import Batch, collate
from coconut_study.engine.edits import Edit, Recorder, Thoughts
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
    reader, batch, states_BKD = _read_prompts(model, _alike(prompts, max(ks)), marks)
    k_BK = torch.tensor(ks, device=states_BKD.device).expand(len(prompts), -1)
    branches = Branches(reader, batch, states_BKD, k_BK)
    after_BN = batch.tokens_BT[:, batch.first_thought + batch.n_thoughts :]
    if after_BN.shape[1]:
        branches.read(after_BN[:, None].expand(-1, len(ks), -1))
    return _decode(model, branches, max_new_tokens, marks.eos)


@torch.no_grad()
def thought_states(model: PreTrainedModel, prompts: Seq[Sequence], k: int, marks: Marks) -> Tensor:
    """Last hidden states (B, k + 1, D) of each prompt: before the first thought, and at each of k thoughts.

    Thought j + 1 would be computed from state j alone: it is all that the model knows after j thoughts.
    """
    return _read_prompts(model, _alike(prompts, k), marks)[2]


@torch.no_grad()
def thoughts(
    model: PreTrainedModel, prompts: Seq[Sequence], marks: Marks, edit: Edit | None = None
) -> Thoughts:
    """The thoughts of prompts that all have the same number of them, one or more."""
    recorder = Recorder(edit)
    _read_prompts(model, prompts, marks, recorder)
    return recorder.thoughts


class Option(NamedTuple):
    """Token ids of an answer up to a name, and of the name."""

    opening: list[int]
    name: list[int]


@torch.no_grad()
def answer(
    model: PreTrainedModel,
    prompts: Seq[Sequence],
    options: Seq[Seq[Option]],
    max_new_tokens: int,
    marks: Marks,
    edit: Edit | None = None,
) -> tuple[Tensor, list[list[int]]]:
    """Forced and free answers to prompts, each after its own number of thoughts, which `edit` may change.

    Returns the probabilities (B, O) of the name of each option, if its opening is written first: the product
    over the tokens of the name, each given all before it. And the greedy responses, as `generate` has them.
    All prompts must have the same number of options, and of tokens after the thoughts.
    """
    reader, batch, states_BKD = _read_prompts(model, prompts, marks, edit)
    device = states_BKD.device
    k_B1 = torch.tensor([[prompt.thoughts] for prompt in prompts], device=device)
    n_options = len(options[0])
    after = [prompt.after for prompt in prompts]
    written = [
        [end + option.opening + option.name for option in row]
        for end, row in zip(after, options, strict=True)
    ]
    n = max(len(ids) for row in written for ids in row)
    tokens_BON = torch.tensor([[ids + [marks.pad] * (n - len(ids)) for ids in row] for row in written])
    forced = Branches(reader, batch, states_BKD, k_B1.expand(-1, n_options))
    hidden_BOND = forced.read(tokens_BON.to(device))
    reader.cache.crop(-n_options * n)
    free = Branches(reader, batch, states_BKD, k_B1)
    if after[0]:
        free.read(torch.tensor(after, device=device)[:, None])
    named = [
        (row, number, len(ids) - 1 - i)
        for row, all_ids in enumerate(written)
        for number, ids in enumerate(all_ids)
        for i in range(len(options[row][number].name))
    ]
    row_M, option_M, column_M = torch.tensor(named, device=device).T
    log_p_MV = logits(model, hidden_BOND[row_M, option_M, column_M - 1]).float().log_softmax(dim=-1)
    log_p_M = log_p_MV.gather(1, tokens_BON.to(device)[row_M, option_M, column_M, None])[:, 0]
    log_p_BO = log_p_M.new_zeros(len(prompts) * n_options)
    p_BO = log_p_BO.index_add(0, row_M * n_options + option_M, log_p_M).exp().view(-1, n_options)
    return p_BO, [row[0] for row in _decode(model, free, max_new_tokens, marks.eos)]


def _alike(prompts: Seq[Sequence], k: int) -> list[Sequence]:
    """The prompts with k thoughts each."""
    return [prompt.with_thoughts(k) for prompt in prompts]


def _read_prompts(
    model: PreTrainedModel, prompts: Seq[Sequence], marks: Marks, edit: Edit | None = None
) -> tuple[Reader, Batch, Tensor]:
    """Read prompts up to their last thought: the reader, the batch, and the states (B, thoughts + 1, D)."""
    share_prefixes = sliding_window(model) is None  # a prefix block would move columns out of the window
    batch = collate(prompts, marks.pad, aligned=True, share_prefixes=share_prefixes)
    batch = batch.to(next(model.parameters()).device)
    reader = Reader(model, batch.n_loops, batch.loops_B)
    blocks = reader.think(batch, edit, first_read=batch.first_thought - 1)
    return reader, batch, torch.cat([block[:, -1:] for block in blocks], dim=1)


class Branches:
    """Continuations of each row after several numbers of thoughts, in one cache.

    A branch attends to the question, to the first k thoughts, and to its own columns. The question and the
    thoughts are computed and stored once, however many branches there are. `states_BSD` are the states of the
    row before the first thought, and at each thought.
    """

    def __init__(self, reader: Reader, batch: Batch, states_BSD: Tensor, k_BK: Tensor) -> None:
        self.reader = reader
        self.last_BKD = states_BSD.take_along_dim(k_BK[:, :, None], dim=1)
        question_BT = batch.mask_BT[:, : batch.first_thought].bool()
        given_BKT = torch.arange(batch.n_thoughts, device=k_BK.device) < k_BK[:, :, None]
        self.mask_BKT = torch.cat([question_BT[:, None].expand(-1, k_BK.shape[1], -1), given_BKT], dim=2)
        self.position_BK = batch.positions_BT[:, batch.first_thought - 1, None] + k_BK

    def read(self, tokens_BKN: Tensor) -> Tensor:
        """Append N tokens to every branch (B, K, N), and return their states (B, K, N, D).

        `last_BKD` becomes the state of the last.
        """
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
        return hidden_BCD.unflatten(1, (n_branches, n))

    def keep(self, index: Tensor) -> None:
        """Drop all rows but those in `index`."""
        self.reader.select(index)
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
