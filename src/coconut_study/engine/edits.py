"""Edits of thoughts while they are computed: of what is fed back, and of what the cache keeps of it.

Dimensions: B rows, K thoughts, D hidden size, L layers, H heads of the cache, E head size.
"""

from __future__ import annotations

from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import Cache


class Edit(Protocol):
    """What becomes of the thoughts of a batch; thoughts are numbered from 0."""

    def thought(self, j: int, thought_B1D: Tensor) -> Tensor:
        """The input embedding (B, 1, D) of thought j, given the one that the model would have."""

    def stored(self, j: int, keys_LBHE: Tensor, values_LBHE: Tensor) -> tuple[Tensor, Tensor]:
        """The keys and values of thought j, given those that were computed from its input."""


@dataclass(frozen=True, slots=True)
class Thoughts:
    """The thoughts of B rows: input embeddings, and what the cache keeps of them in all layers."""

    input_BKD: Tensor
    keys_BKLHE: Tensor
    values_BKLHE: Tensor


class Recorder:
    """Keeps the thoughts as they are after another edit, or as the model has them."""

    def __init__(self, edit: Edit | None = None) -> None:
        self._edit = edit
        self._kept: dict[int, tuple[Tensor, Tensor, Tensor]] = {}
        self._inputs: dict[int, Tensor] = {}

    def thought(self, j: int, thought_B1D: Tensor) -> Tensor:
        """Keep the input of thought j; of several iterations the last."""
        thought_B1D = self._edit.thought(j, thought_B1D) if self._edit else thought_B1D
        self._inputs[j] = thought_B1D
        return thought_B1D

    def stored(self, j: int, keys_LBHE: Tensor, values_LBHE: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the keys and values of thought j."""
        stored = self._edit.stored(j, keys_LBHE, values_LBHE) if self._edit else (keys_LBHE, values_LBHE)
        self._kept[j] = self._inputs[j][:, 0], stored[0].transpose(0, 1), stored[1].transpose(0, 1)
        return stored

    @property
    def thoughts(self) -> Thoughts:
        """All thoughts that were kept."""
        return Thoughts(*(torch.stack(parts, dim=1) for parts in zip(*self._kept.values(), strict=True)))


@dataclass(frozen=True, slots=True)
class Replacement:
    """An edit that replaces some thoughts of some rows by others.

    The masks (B, K) say which inputs, keys and values are replaced by those of `thoughts`.
    """

    thoughts: Thoughts
    input_BK: Tensor
    keys_BK: Tensor
    values_BK: Tensor

    def thought(self, j: int, thought_B1D: Tensor) -> Tensor:
        """The replaced input of thought j."""
        return torch.where(self.input_BK[:, j, None, None], self.thoughts.input_BKD[:, j, None], thought_B1D)

    def stored(self, j: int, keys_LBHE: Tensor, values_LBHE: Tensor) -> tuple[Tensor, Tensor]:
        """The replaced keys and values of thought j."""
        return (
            _replaced(j, self.keys_BK, self.thoughts.keys_BKLHE, keys_LBHE),
            _replaced(j, self.values_BK, self.thoughts.values_BKLHE, values_LBHE),
        )


def _replaced(j: int, mask_BK: Tensor, new_BKLHE: Tensor, old_LBHE: Tensor) -> Tensor:
    if not mask_BK.any():
        return old_LBHE
    return torch.where(mask_BK[:, j, None, None], new_BKLHE[:, j].transpose(0, 1), old_LBHE)


def edit_columns(cache: Cache, js: Seq[int], edit: Edit) -> None:
    """Let `edit` change the last columns of a cache, which hold the thoughts `js`; no gradients are kept."""
    layers: list[Any] = cache.layers
    for j in js:
        column = j - js[-1] - 1
        keys_LBHE = torch.stack([layer.keys[:, :, column] for layer in layers])
        values_LBHE = torch.stack([layer.values[:, :, column] for layer in layers])
        changed = edit.stored(j, keys_LBHE, values_LBHE)
        for layer, keys_BHE, values_BHE in zip(layers, *changed, strict=True):
            layer.keys[:, :, column], layer.values[:, :, column] = keys_BHE, values_BHE
