"""A key-value cache that is written in place while nothing is learnt.

The cache of transformers is copied whole for every token that is appended, which is a third of the time of
decoding short answers on a CPU. This one keeps room behind what it holds.

Dimensions: B rows, H heads, T columns, D size of a head.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedConfig
from transformers.cache_utils import DynamicLayer


class RoomyCache(DynamicCache):
    """A dynamic cache whose layers keep room; layers with a sliding window stay as they are."""

    def __init__(self, config: PreTrainedConfig) -> None:
        super().__init__(config=config)
        self.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in self.layers]


class RoomyLayer(DynamicLayer):
    """Keys and values (B, H, T, D), each the beginning of a longer tensor; copied as ever where there are
    gradients, which need what they saw."""

    rooms: tuple[Tensor, Tensor] | None = None

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append columns; all columns."""
        if torch.is_grad_enabled():
            return super().update(key_states, value_states, *args, **kwargs)
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        held = self.get_seq_length()
        stop = held + key_states.shape[2]
        if self.rooms is None or self.rooms[0].shape[2] < stop:
            self._move(key_states, stop + stop // 2)
        assert self.rooms is not None
        keys, values = self.rooms
        keys[:, :, held:stop], values[:, :, held:stop] = key_states, value_states
        self.keys, self.values = keys[:, :, :stop], values[:, :, :stop]
        return self.keys, self.values

    def _move(self, like: Tensor, size: int) -> None:
        """Take what is held to larger tensors."""
        n_rows, n_heads, _, d = like.shape
        keys, values = (like.new_empty(n_rows, n_heads, size, d) for _ in range(2))
        if held := self.get_seq_length():
            assert self.keys is not None
            assert self.values is not None
            keys[:, :, :held], values[:, :, :held] = self.keys, self.values
        self.rooms = keys, values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep some of the rows."""
        super().batch_select_indices(indices)
        self.rooms = None
