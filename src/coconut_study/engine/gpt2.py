"""GPT-2 in fewer operations: the same function, up to rounding.

Its activation is one operation in place of six. And its last block computes states only where they are read:
the last hidden state of a column is read where a token is predicted or a thought is fed back, and of every
other column this block has to give keys and values alone. That is a fifth of a training step of a model with
two layers (docs/log.md); other architectures compute all columns.

Dimensions: B rows, T columns, D hidden size, H heads, N columns whose states are read.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from transformers import Cache, PreTrainedModel
from transformers.activations import NewGELUActivation
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS
from transformers.models.gpt2.modeling_gpt2 import (
    GPT2Attention,
    GPT2Block,
    GPT2Model,
    eager_attention_forward,
)


def faster(model: PreTrainedModel) -> PreTrainedModel:
    """Let a GPT-2 compute the same in fewer operations; other models stay as they are. Returns `model`."""
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, nn.GELU(approximate="tanh"))
    if skips_states(model):
        blocks: Any = model.base_model.h
        blocks[-1].__class__ = LastBlock
    return model


def skips_states(model: PreTrainedModel) -> bool:
    """Whether the base model, once `faster`, takes the keyword `n_read`.

    It is the number of columns at the end, one or more, whose states are read. Those of the columns before
    them are then not computed, and mean nothing.
    """
    body = model.base_model
    return isinstance(body, GPT2Model) and body.config._attn_implementation == "sdpa"


class LastBlock(GPT2Block):
    """A block that takes the keyword `n_read` (see `skips_states`)."""

    def forward(
        self,
        hidden_states: Any,
        past_key_values: Cache | None = None,
        attention_mask: Tensor | None = None,
        *args: Any,
        n_read: int | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """The states (B, T, D) after this block of its input (B, T, D); zeros where they are not read."""
        n_rest = 0 if n_read is None else hidden_states.shape[1] - n_read
        if n_rest <= 0:
            return super().forward(hidden_states, past_key_values, attention_mask, *args, **kwargs)
        normed_BTD = self.ln_1(hidden_states)
        attended_BND = _attended(self.attn, normed_BTD, past_key_values, attention_mask, n_rest)
        states_BND = hidden_states[:, n_rest:] + attended_BND
        states_BND = states_BND + self.mlp(self.ln_2(states_BND))
        return pad(states_BND, (0, 0, n_rest, 0))


def _attended(
    attention: GPT2Attention, states_BTD: Tensor, cache: Cache | None, mask: Tensor | None, n_rest: int
) -> Tensor:
    """What all columns but the first `n_rest` get from attention (B, N, D)."""
    parts = attention.c_attn(states_BTD).split(attention.split_size, dim=2)
    query, key, value = (part.unflatten(2, (-1, attention.head_dim)).transpose(1, 2) for part in parts)
    if cache is not None:
        key, value = cache.update(key, value, attention.layer_idx)
    attend = ALL_ATTENTION_FUNCTIONS.get_interface(
        attention.config._attn_implementation, eager_attention_forward
    )
    attended_BNHD, _ = attend(
        attention,
        query[:, :, n_rest:],
        key,
        value,
        _causal(query, key)[:, :, n_rest:] if mask is None else mask[:, :, n_rest:],
        dropout=attention.attn_dropout.p if attention.training else 0.0,
        scaling=attention.scaling,
    )
    attended_BND = attention.c_proj(attended_BNHD.flatten(2))
    return attention.resid_dropout(attended_BND)


def _causal(query: Tensor, key: Tensor) -> Tensor:
    """The mask (1, 1, columns of query, columns of key) for new columns that attend to all before them."""
    n_new, n_all = query.shape[2], key.shape[2]
    return torch.ones(1, 1, n_new, n_all, dtype=torch.bool, device=query.device).tril(n_all - n_new)
