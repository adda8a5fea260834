"""A model made by hand, whose thoughts and answers are known: it hands a sign on from column to column.

Names of persons have a sign, Alex +1 and Tom -1; every other token has none. The first block does nothing.
In the second, a column without a sign takes over the sign that the column before it brings into the block.
The sign of a column decides between the options: rompus for +1, gorpus for -1. So the root's sign becomes the
first thought, a thought's sign the next thought, and the answer mark takes over that of the last thought. A
pause has no sign, and takes over one that it does not hand on.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import nn
from transformers import GPT2Config

SIGNS = {"Alex": 1.0, "Tom": -1.0}
OPTIONS = {"rompus": 1.0, "gorpus": -1.0}
SIZE = 4


class Nothing(nn.Module):
    """A block that returns what it gets."""

    def forward(self, states, cache):
        return states


class TakeOver(nn.Module):
    """A block in which a column without a sign takes over that of the column before it."""

    def forward(self, states, cache):
        before = getattr(cache, "sign", torch.zeros_like(states[:, :1]))
        cache.sign = states[:, -1:]
        shifted = torch.cat([before, states[:, :-1]], dim=1)
        return torch.where(states == 0, shifted, states)


class Body(nn.Module):
    """The blocks, one after the other."""

    def __init__(self):
        super().__init__()
        self.h = nn.ModuleList([Nothing(), TakeOver()])

    def forward(self, inputs_embeds, attention_mask, position_ids, past_key_values, use_cache):
        states = inputs_embeds
        for block in self.h:
            states = block(states, past_key_values)
        return SimpleNamespace(last_hidden_state=states)


class Machine(nn.Module):
    """The model, for the words of a tokenizer. `decided` is how far apart it puts the options, in nats."""

    def __init__(self, tokenizer, decided=100.0):
        super().__init__()
        words = tokenizer.get_vocab()
        self.config = GPT2Config(n_layer=2, n_embd=SIZE, vocab_size=len(words))
        self.base_model = Body()
        self.embeddings = nn.Embedding(len(words), SIZE)
        self.readout = nn.Linear(SIZE, len(words), bias=False)
        self.embeddings.weight.data.zero_()
        self.readout.weight.data.zero_()
        for word, sign in SIGNS.items():
            self.embeddings.weight.data[words[word], 0] = sign
        for word, sign in OPTIONS.items():
            self.readout.weight.data[words[word], 0] = sign * decided / 2

    def get_input_embeddings(self):
        return self.embeddings

    def get_output_embeddings(self):
        return self.readout
