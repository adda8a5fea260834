"""Gradient checkpointing that works with the live cache of the engine (Chen et al. 2016).

The layers of transformers drop the cache when they are checkpointed. Here a layer is computed again in the
backward pass from what the cache held before it, on a copy, so that nothing is appended twice.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

from torch import Tensor, is_grad_enabled
from torch.utils.checkpoint import checkpoint
from transformers import Cache, PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer


def checkpoint_layers(model: PreTrainedModel) -> None:
    """Keep no activations inside the layers of `model`; they are computed again when they are needed."""
    for layer in model.modules():
        if isinstance(layer, GradientCheckpointingLayer):
            layer.forward = _checkpointed(layer.forward)


def _checkpointed(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    @wraps(forward)
    def run(*args: Any, **kwargs: Any) -> Tensor:
        if not is_grad_enabled():
            return forward(*args, **kwargs)
        caches = [value for value in (*args, *kwargs.values()) if isinstance(value, Cache)]
        before = [_copied(cache) for cache in caches]
        first = True

        def compute(*args: Any, **kwargs: Any) -> Tensor:
            nonlocal first
            live, first = first, False
            if live:
                return forward(*args, **kwargs)
            args = tuple(_replaced(value, caches, before) for value in args)
            kwargs = {name: _replaced(value, caches, before) for name, value in kwargs.items()}
            return forward(*args, **kwargs)

        return checkpoint(compute, *args, use_reentrant=False, **kwargs)

    return run


def _copied(cache: Cache) -> Cache:
    """A cache with the same content that grows by itself."""
    other = copy(cache)
    other.layers = [copy(layer) for layer in cache.layers]
    return other


def _replaced(value: Any, caches: list[Cache], before: list[Cache]) -> Any:
    """The copy of a cache in its place; anything else as it is."""
    for cache, other in zip(caches, before, strict=True):
        if value is cache:
            return _copied(other)
    return value
