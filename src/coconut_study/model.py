"""The engine: one forward with continuous thoughts, and batched cached greedy decoding.

A thought is an input embedding that is the last hidden state (after the final norm) of the position
before it (paper section 3). Works on any Hugging Face causal language model through its public interface:
input embeddings, base model, output embeddings, key-value cache.

Dimensions: B rows, T columns, D hidden size, N (predicted) tokens, V vocabulary, K numbers of thoughts, and
C = K x N columns of all branches together.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from coconut_study.batches import Batch, collate
from coconut_study.cache import RoomyCache
from coconut_study.sequences import Marks, Sequence

# --------------------------------------------------------------------------------------------- forward


class Reader:
    """Reads a batch from left to right, appending to one live cache; each call reads some columns."""

    def __init__(self, model: PreTrainedModel) -> None:
        self.body = model.base_model
        self.embed = model.get_input_embeddings()
        self.cache = RoomyCache(model.config)

    def read(self, embeds_BTD: Tensor, mask: Tensor, positions_BT: Tensor) -> Tensor:
        """Hidden states (B, T, D) of the columns given; the mask covers all columns read so far, for all of
        them alike and causally (B, all), or for each by itself (B, 1, T, all), added to its attention."""
        return self.body(
            inputs_embeds=embeds_BTD,
            attention_mask=mask,
            position_ids=positions_BT,
            past_key_values=self.cache,
            use_cache=True,
        ).last_hidden_state

    def think(self, batch: Batch) -> list[Tensor]:
        """Read a batch up to its last thought: hidden states of the question's columns, then of each thought.

        The first block is (B, columns before the thoughts, D), the others are (B, 1, D). The last column of
        a block is the input embedding of the next.
        """
        start, mask, positions = batch.first_thought, batch.mask_BT, batch.positions_BT
        blocks = [self._question(batch)]
        if batch.iterations is not None and batch.n_thoughts:
            return blocks + self._think_side_by_side(batch, blocks[0][:, -1:], batch.iterations)
        for column in range(start, start + batch.n_thoughts):
            thought = blocks[-1][:, -1:]
            blocks.append(self.read(thought, mask[:, : column + 1], positions[:, column : column + 1]))
        return blocks

    def _question(self, batch: Batch) -> Tensor:
        """Hidden states (B, columns before the thoughts, D); what several rows begin with is read once."""
        tokens, mask, positions = (
            one[:, : batch.first_thought] for one in (batch.tokens_BT, batch.mask_BT, batch.positions_BT)
        )
        begun = batch.beginnings
        if begun is None:
            return self.read(self.embed(tokens), mask, positions)
        n = begun.n_columns
        embeds_GTD = self.embed(tokens[begun.first_G, :n])
        hidden_GTD = self.read(embeds_GTD, mask[begun.first_G, :n], positions[begun.first_G, :n])
        self.cache.batch_select_indices(begun.group_B)
        rest_BTD = self.read(self.embed(tokens[:, n:]), mask, positions[:, n:])
        return torch.cat([hidden_GTD[begun.group_B], rest_BTD], dim=1)

    def _think_side_by_side(self, batch: Batch, before_B1D: Tensor, iterations: int) -> list[Tensor]:
        """Hidden states (B, 1, D) of each thought by Jacobi iteration: every pass reads all thoughts at once,
        each made of the state that the pass before found for the one ahead of it.

        The first guess is the state before the thoughts. A pass makes one thought more exact, so that as
        many iterations as thoughts give what one after the other gives.
        """
        start, stop = batch.first_thought, batch.first_thought + batch.n_thoughts
        mask_BT, positions_BT = batch.mask_BT[:, :stop], batch.positions_BT[:, start:stop]
        states_BKD = before_B1D.expand(-1, batch.n_thoughts, -1)
        for iteration in range(iterations):
            self.cache.crop(-batch.n_thoughts if iteration else 0)
            thoughts_BKD = torch.cat([before_B1D, states_BKD[:, :-1]], dim=1)
            states_BKD = self.read(thoughts_BKD, mask_BT, positions_BT)
        return list(states_BKD.split(1, dim=1))


def hidden_states(model: PreTrainedModel, batch: Batch) -> Tensor:
    """Last hidden states (B, T, D) of every column, thoughts filled in.

    Without thoughts it is one plain forward, where no rows begin alike. With thoughts the columns before them
    are read once, each thought is one more column for all rows together, and the columns after them are read
    once.
    """
    if not batch.n_thoughts and batch.beginnings is None:
        return model.base_model(
            input_ids=batch.tokens_BT,
            attention_mask=batch.mask_BT,
            position_ids=batch.positions_BT,
            use_cache=False,
        ).last_hidden_state
    reader = Reader(model)
    blocks = reader.think(batch)
    stop = batch.first_thought + batch.n_thoughts
    if stop < batch.mask_BT.shape[1]:
        after = reader.embed(batch.tokens_BT[:, stop:])
        blocks.append(reader.read(after, batch.mask_BT, batch.positions_BT[:, stop:]))
    return torch.cat(blocks, dim=1)


def logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Next-token logits (..., V) of hidden states (..., D)."""
    return model.get_output_embeddings()(hidden)


def predictions(model: PreTrainedModel, batch: Batch, hidden_BTD: Tensor | None = None) -> Tensor:
    """Logits (N, V) of the tokens with loss, computed nowhere else."""
    hidden_BTD = hidden_states(model, batch) if hidden_BTD is None else hidden_BTD
    return logits(model, hidden_BTD.flatten(0, 1).index_select(0, batch.predictor_N))


def loss_sum(model: PreTrainedModel, batch: Batch, hidden_BTD: Tensor | None = None) -> Tensor:
    """Cross-entropy summed over the predicted tokens; divide by their number for the paper's mean."""
    return cross_entropy(predictions(model, batch, hidden_BTD), batch.target_N, reduction="sum")


def thought_norms(batch: Batch, hidden_BTD: Tensor) -> Tensor:
    """Euclidean norms of the thoughts of rows with loss, summed: of the states that become embeddings."""
    if not batch.n_thoughts:
        return hidden_BTD.new_zeros(())
    start, stop = batch.first_thought, batch.first_thought + batch.n_thoughts
    norms_BK = hidden_BTD.detach()[:, start - 1 : stop - 1].norm(dim=-1)
    counted_B = norms_BK.new_zeros(len(norms_BK))
    counted_B[batch.predictor_N // batch.mask_BT.shape[1]] = 1
    return (norms_BK * batch.mask_BT[:, start:stop] * counted_B[:, None]).sum()


def room(model: PreTrainedModel) -> int | None:
    """Positions that every token of a sequence may have and see; None where a model sets no bound."""
    bounds = [getattr(model.config.get_text_config(), "max_position_embeddings", None), window(model)]
    return min((bound for bound in bounds if bound is not None), default=None)


def window(model: PreTrainedModel) -> int | None:
    """How many columns back a model sees, padding included, in the layers that see least; None: all."""
    config = model.config.get_text_config()
    layers = getattr(config, "layer_types", None)
    slides = layers is None or "sliding_attention" in layers
    return getattr(config, "sliding_window", None) if slides else None


# -------------------------------------------------------------------------------------------- decoding


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
