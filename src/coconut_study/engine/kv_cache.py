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
            self.rooms = None
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
        held = self.get_seq_length()
        self.rooms = _room(like, len(like), size), _room(like, len(like), size)
        for room, had in zip(self.rooms, (self.keys, self.values), strict=True):
            if held and had is not None:
                room[:, :, :held] = had

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep some of the rows, or have some several times."""
        if torch.is_grad_enabled() or self.rooms is None:
            self.rooms = None
            return super().batch_select_indices(indices)
        keys, values = self.keys, self.values
        assert keys is not None
        assert values is not None
        held = self.get_seq_length()
        size = held + held // 2
        self.rooms = key_room, value_room = _room(keys, len(indices), size), _room(values, len(indices), size)
        self.keys = torch.index_select(keys, 0, indices, out=key_room[:, :, :held])
        self.values = torch.index_select(values, 0, indices, out=value_room[:, :, :held])


def _room(like: Tensor, n_rows: int, size: int) -> Tensor:
    """An empty tensor for other rows and another number of columns."""
    return like.new_empty(n_rows, like.shape[1], size, like.shape[3])
