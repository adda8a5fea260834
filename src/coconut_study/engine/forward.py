"""One forward pass over a batch, with continuous thoughts filled in.

A thought is an input embedding that is the last hidden state (after the final norm) of the position before it
(paper section 3). Any Hugging Face causal language model works, through its public interface: input
embeddings, base model, output embeddings, key-value cache.

A soft thought is the expected embedding of the token that this state predicts: the embeddings of all tokens,
weighted by their probabilities under the language-model head (Gozeten et al. 2025, arXiv 2505.23648).

A looped batch is computed several times (Saunshi et al. 2025, arXiv 2502.17416): the input of the first pass
are the token embeddings, that of every other pass the token embeddings plus the last hidden states of the
pass before, in every column. Each pass has a cache of its own.

Dimensions: B rows, T columns, D hidden size, N predicted tokens, V vocabulary, K thoughts, G groups of rows.
"""

from __future__ import annotations

from copy import copy

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from coconut_study.common.errors import StudyError
from coconut_study.engine.batches import Batch
from coconut_study.engine.edits import Edit, edit_columns
from coconut_study.engine.gpt2 import skips_states
from coconut_study.engine.kv_cache import PreallocatedCache


class Reader:
    """Reads a batch from left to right: each call computes some columns and appends them to one cache.

    It makes `n_loops` passes over these columns after the first; with `loops_B`, the states of a row are
    those of its own last pass. `cache` has the layers of all passes.
    """

    def __init__(self, model: PreTrainedModel, n_loops: int = 0, loops_B: Tensor | None = None) -> None:
        self.body = model.base_model
        self.embed = model.get_input_embeddings()
        self.head = model.get_output_embeddings()
        self.loops_B = loops_B
        self.skips_states = skips_states(model)
        self.caches = [PreallocatedCache(model.config) for _ in range(1 + n_loops)]
        self.cache = copy(self.caches[0])
        self.cache.layers = [layer for cache in self.caches for layer in cache.layers]

    def read(
        self, embeds_BTD: Tensor, mask: Tensor, positions_BT: Tensor, n_read: int | None = None
    ) -> Tensor:
        """Hidden states (B, T, D) of T new columns; with `n_read`, only those of the last `n_read` mean
        something.

        The mask covers the columns read so far and the new ones: either 1 for each column that is attended to
        (B, all columns), causal among the new ones, or values that are added to the attention scores of each
        new column (B, 1, T, all columns).
        """
        first, *others = self.caches
        n_read = None if others else n_read  # a loop reads all states of the pass before it
        hidden_BTD = self._pass(embeds_BTD, mask, positions_BT, first, n_read)
        for loop, cache in enumerate(others, start=1):
            looped_BTD = self._pass(embeds_BTD + hidden_BTD, mask, positions_BT, cache)
            if self.loops_B is None:
                hidden_BTD = looped_BTD
            else:
                hidden_BTD = torch.where(self.loops_B[:, None, None] >= loop, looped_BTD, hidden_BTD)
        return hidden_BTD

    def _pass(
        self,
        embeds_BTD: Tensor,
        mask: Tensor,
        positions_BT: Tensor,
        cache: PreallocatedCache,
        n_read: int | None = None,
    ) -> Tensor:
        """Hidden states (B, T, D) of T new columns in one pass, which are appended to its cache."""
        return self.body(
            inputs_embeds=embeds_BTD,
            attention_mask=mask,
            position_ids=positions_BT,
            past_key_values=cache,
            use_cache=True,
            **({"n_read": n_read} if self.skips_states else {}),
        ).last_hidden_state

    def select(self, index: Tensor) -> None:
        """Go on with the rows in `index` only; a row may be selected several times."""
        self.cache.batch_select_indices(index)
        self.loops_B = None if self.loops_B is None else self.loops_B[index]

    def think(self, batch: Batch, edit: Edit | None = None, first_read: int = 0) -> list[Tensor]:
        """Hidden states of a batch up to its last thought, in blocks.

        Those of columns before `first_read` mean nothing.

        The first block holds the columns before the thoughts (B, columns, D), each other block one thought
        (B, 1, D). The last column of a block is the input embedding of the next thought, unless thoughts are
        soft or `edit` changes it.
        """
        start, mask, positions = batch.first_thought, batch.mask_BT, batch.positions_BT
        blocks = [self._question(batch, min(first_read, start - 1))]
        if batch.iterations is not None and batch.n_thoughts:
            return blocks + self._think_in_parallel(batch, blocks[0][:, -1:], batch.iterations, edit)
        for j, column in enumerate(range(start, start + batch.n_thoughts)):
            thought = self.fed_back(blocks[-1][:, -1:], batch)
            thought = thought if edit is None else edit.thought(j, thought)
            blocks.append(self.read(thought, mask[:, : column + 1], positions[:, column : column + 1]))
            if edit is not None:
                edit_columns(self.cache, [j], edit)
        return blocks

    def fed_back(self, states_BKD: Tensor, batch: Batch) -> Tensor:
        """The input embeddings (B, K, D) of the thoughts that states become: these states, or the expected
        embeddings under their predictions if thoughts are soft."""
        if not batch.soft:
            return states_BKD
        shares_BKV = self.head(states_BKD).softmax(dim=-1)
        tokens_V = torch.arange(shares_BKV.shape[-1], device=states_BKD.device)
        expected_BKD: Tensor = shares_BKV @ self.embed(tokens_V)
        return expected_BKD

    def _question(self, batch: Batch, first_read: int) -> Tensor:
        """Hidden states (B, columns before the thoughts, D); shared prefixes are computed once per group."""
        n_read = batch.first_thought - first_read
        tokens, mask, positions = (
            one[:, : batch.first_thought] for one in (batch.tokens_BT, batch.mask_BT, batch.positions_BT)
        )
        prefixes = batch.prefixes
        if prefixes is None:
            return self.read(self.embed(tokens), mask, positions, n_read)
        n, first_G, group_B = prefixes.n_columns, prefixes.first_G, prefixes.group_B
        hidden_GTD = self.read(
            self.embed(tokens[first_G, :n]), mask[first_G, :n], positions[first_G, :n], max(n - first_read, 1)
        )
        self.select(group_B)
        rest_BTD = self.read(self.embed(tokens[:, n:]), mask, positions[:, n:], n_read)
        return torch.cat([hidden_GTD[group_B], rest_BTD], dim=1)

    def _think_in_parallel(
        self, batch: Batch, before_B1D: Tensor, iterations: int, edit: Edit | None
    ) -> list[Tensor]:
        """Hidden states (B, 1, D) of each thought by Jacobi iteration.

        Every iteration computes all thoughts at once, each from the state that the previous iteration gave
        the thought before it. All start as the state before the thoughts. Iteration i makes thought i exact,
        so as many iterations as thoughts give the same as computing one thought after the other.
        """
        start, stop = batch.first_thought, batch.first_thought + batch.n_thoughts
        mask_BT, positions_BT = batch.mask_BT[:, :stop], batch.positions_BT[:, start:stop]
        states_BKD = before_B1D.expand(-1, batch.n_thoughts, -1)
        for iteration in range(iterations):
            self.cache.crop(-batch.n_thoughts if iteration else 0)
            thoughts_BKD = self.fed_back(torch.cat([before_B1D, states_BKD[:, :-1]], dim=1), batch)
            if edit is not None:
                thoughts = enumerate(thoughts_BKD.split(1, dim=1))
                thoughts_BKD = torch.cat([edit.thought(j, thought) for j, thought in thoughts], dim=1)
            states_BKD = self.read(thoughts_BKD, mask_BT, positions_BT)
        if edit is not None:
            edit_columns(self.cache, range(batch.n_thoughts), edit)
        return list(states_BKD.split(1, dim=1))


def hidden_states(model: PreTrainedModel, batch: Batch, first_read: int = 0) -> Tensor:
    """Last hidden states (B, T, D) of every column, thoughts filled in.

    Those of columns before `first_read` mean nothing.

    A batch without thoughts, loops and shared prefixes is one plain forward pass. Otherwise the columns
    before the thoughts are one pass, each thought is one column for all rows together, and the columns after
    the thoughts are one pass.
    """
    if not batch.n_thoughts and not batch.n_loops and batch.prefixes is None:
        return model.base_model(
            input_ids=batch.tokens_BT,
            attention_mask=batch.mask_BT,
            position_ids=batch.positions_BT,
            use_cache=False,
            **({"n_read": batch.mask_BT.shape[1] - first_read} if skips_states(model) else {}),
        ).last_hidden_state
    reader = Reader(model, batch.n_loops, batch.loops_B)
    blocks = reader.think(batch, first_read=first_read)
    stop = batch.first_thought + batch.n_thoughts
    if stop < batch.mask_BT.shape[1]:
        after = reader.embed(batch.tokens_BT[:, stop:])
        blocks.append(reader.read(after, batch.mask_BT, batch.positions_BT[:, stop:]))
    return torch.cat(blocks, dim=1)


def logits(model: PreTrainedModel, hidden: Tensor) -> Tensor:
    """Next-token logits (..., V) of hidden states (..., D)."""
    return model.get_output_embeddings()(hidden)


def predictions(model: PreTrainedModel, batch: Batch, hidden_BTD: Tensor | None = None) -> Tensor:
    """Logits (N, V) for the tokens with loss only."""
    hidden_BTD = hidden_states(model, batch, batch.first_read) if hidden_BTD is None else hidden_BTD
    return logits(model, hidden_BTD.flatten(0, 1).index_select(0, batch.predictor_N))


def loss_sum(model: PreTrainedModel, batch: Batch, hidden_BTD: Tensor | None = None) -> Tensor:
    """Cross-entropy summed over the N predicted tokens; divided by N it is the paper's loss (section 3)."""
    return cross_entropy(predictions(model, batch, hidden_BTD), batch.target_N, reduction="sum")


def thought_loss_sum(model: PreTrainedModel, batch: Batch, hidden_BTD: Tensor) -> Tensor:
    """Cross-entropy of the states that become thoughts, summed over thoughts (nats): the mean over the tokens
    that a state has to predict, through the language-model head. 0 for a batch where none has to."""
    supervised = batch.supervised
    if supervised is None:
        return hidden_BTD.new_zeros(())
    states_MD = hidden_BTD.flatten(0, 1).index_select(0, supervised.predictor_M)
    loss_M = cross_entropy(logits(model, states_MD), supervised.target_M, reduction="none")
    return (loss_M / supervised.count_M).sum()


def thought_norms(batch: Batch, hidden_BTD: Tensor) -> Tensor:
    """Sum of the Euclidean norms of all thoughts in rows with loss (of the states that are fed back)."""
    if not batch.n_thoughts:
        return hidden_BTD.new_zeros(())
    start, stop = batch.first_thought, batch.first_thought + batch.n_thoughts
    norms_BK = hidden_BTD.detach()[:, start - 1 : stop - 1].norm(dim=-1)
    counted_B = norms_BK.new_zeros(len(norms_BK))
    counted_B[batch.predictor_N // batch.mask_BT.shape[1]] = 1
    return (norms_BK * batch.mask_BT[:, start:stop] * counted_B[:, None]).sum()


def check_positions(model: PreTrainedModel, needed: int, what: str, remedy: str) -> None:
    """StudyError if a sequence needs more positions than the model has.

    `what` names the sequence, `remedy` says what to change.
    """
    limit = max_positions(model)
    if limit is not None and needed > limit:
        raise StudyError(f"{what} takes {needed} positions, the model has {limit}; {remedy}")


def max_positions(model: PreTrainedModel) -> int | None:
    """The most positions that a sequence may have so that each token can attend to all; None if unlimited."""
    limits = [getattr(model.config.get_text_config(), "max_position_embeddings", None), sliding_window(model)]
    return min((limit for limit in limits if limit is not None), default=None)


def sliding_window(model: PreTrainedModel) -> int | None:
    """The number of columns, padding included, that a token attends to at most; None if unlimited."""
    config = model.config.get_text_config()
    layers = getattr(config, "layer_types", None)
    slides = layers is None or "sliding_attention" in layers
    return getattr(config, "sliding_window", None) if slides else None
