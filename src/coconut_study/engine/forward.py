"""The engine: one forward with continuous thoughts, and batched cached greedy decoding.

A thought is an input embedding that is the last hidden state (after the final norm) of the position
before it (paper section 3). Works on any Hugging Face causal language model through its public interface:
input embeddings, base model, output embeddings, key-value cache.

Dimensions: B rows, T columns, D hidden size, N (predicted) tokens, V vocabulary, K numbers of thoughts, and
C = K x N columns of all branches together.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from coconut_study.engine.batches import Batch
from coconut_study.engine.kv_cache import RoomyCache

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
