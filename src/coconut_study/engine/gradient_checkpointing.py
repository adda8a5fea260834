"""Gradient checkpointing that works with the live cache of the engine (Chen et al. 2016).

In transformers a checkpointed layer does not use the cache. Here the backward pass recomputes a layer from a
copy of the cache as it was before the layer, so that nothing is appended to the live cache twice.
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
    """Store no activations inside the layers of `model`; the backward pass recomputes them."""
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
        in_forward_pass = True

        def compute(*args: Any, **kwargs: Any) -> Tensor:
            nonlocal in_forward_pass
            if in_forward_pass:
                in_forward_pass = False
                return forward(*args, **kwargs)
            args = tuple(_replaced(value, caches, before) for value in args)
            kwargs = {name: _replaced(value, caches, before) for name, value in kwargs.items()}
            return forward(*args, **kwargs)

        return checkpoint(compute, *args, use_reentrant=False, **kwargs)

    return run


def _copied(cache: Cache) -> Cache:
    """A cache with the same content; columns appended to one do not appear in the other."""
    other = copy(cache)
    other.layers = [copy(layer) for layer in cache.layers]
    return other


def _replaced(value: Any, caches: list[Cache], before: list[Cache]) -> Any:
    """A copy of the earlier state of `value` if it is one of `caches`; anything else as it is."""
    for cache, other in zip(caches, before, strict=True):
        if value is cache:
            return _copied(other)
    return value
