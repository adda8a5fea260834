"""The residual stream, recorded or replaced while a batch is read.

Layer 0 is what the first block gets (embeddings, with positions where a model adds them), layer l what block
l returns. Blocks are found where GPT-2 (`transformer.h`) and models like Llama (`model.layers`) keep them.

Dimensions: L layers (one more than blocks), B rows, T columns, D hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from coconut_study.common.errors import StudyError
from coconut_study.engine.batches import Batch
from coconut_study.engine.forward import Reader


@dataclass(frozen=True, slots=True)
class Patch:
    """What replaces a part of the residual stream: in `layer`, states (B, T, D) where where_BT is true."""

    layer: int
    states_BTD: Tensor
    where_BT: Tensor


def blocks_of(model: PreTrainedModel) -> list[nn.Module]:
    """The decoder blocks of a model, in order; StudyError if they are not where they are looked for."""
    for name in ("h", "layers"):
        blocks = getattr(model.base_model, name, None)
        if isinstance(blocks, nn.ModuleList):
            return [*blocks]
    raise StudyError(
        f"{model.config.model_type} models keep their blocks neither in transformer.h nor in model.layers, "
        "so their residual stream cannot be read"
    )


@torch.no_grad()
def read(model: PreTrainedModel, batch: Batch, patch: Patch | None = None) -> tuple[Tensor, Tensor]:
    """Last hidden states (B, T, D) and residual streams (L, B, T, D) of a batch, its thoughts filled in.

    With `patch`, all that comes after what is replaced is computed from it, also the thoughts: a state that
    is replaced in the question reaches them, and one that is replaced in the column of a thought reaches the
    next thought. The batch must be `aligned` and without shared prefixes (see `collate`).
    """
    if batch.prefixes is not None:
        raise ValueError("the residual stream of shared prefixes is not recorded; share none")
    reader = _Recorder(model, batch, patch)
    with reader.hooked():
        blocks = reader.think(batch)
        stop = batch.first_thought + batch.n_thoughts
        if stop < batch.mask_BT.shape[1]:
            after = reader.embed(batch.tokens_BT[:, stop:])
            blocks.append(reader.read(after, batch.mask_BT, batch.positions_BT[:, stop:]))
    return torch.cat(blocks, dim=1), torch.stack([reader.states[layer] for layer in sorted(reader.states)])


class _Recorder(Reader):
    """A reader that records the residual stream of what it reads, after replacing a part of it."""

    def __init__(self, model: PreTrainedModel, batch: Batch, patch: Patch | None) -> None:
        super().__init__(model)
        self.blocks, self.patch, self.columns = blocks_of(model), patch, slice(0, 0)
        self.shape = batch.tokens_BT.shape
        self.states: dict[int, Tensor] = {}  # by layer

    def read(
        self, embeds_BTD: Tensor, mask: Tensor, positions_BT: Tensor, n_read: int | None = None
    ) -> Tensor:
        stop = mask.shape[-1]
        self.columns = slice(stop - embeds_BTD.shape[1], stop)
        return super().read(embeds_BTD, mask, positions_BT)  # the states of all columns are recorded

    @contextmanager
    def hooked(self) -> Iterator[None]:
        """A block in which the model's blocks pass their states through `_passed`."""

        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return self._passed(0, inputs[0]), *inputs[1:]

        def after(layer: int) -> Any:
            def hook(_: nn.Module, __: Any, output: Any) -> Any:
                if isinstance(output, tuple):
                    return self._passed(layer, output[0]), *output[1:]
                return self._passed(layer, output)

            return hook

        handles = [self.blocks[0].register_forward_pre_hook(before)]
        handles += [block.register_forward_hook(after(layer)) for layer, block in enumerate(self.blocks, 1)]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _passed(self, layer: int, states_BTD: Tensor) -> Tensor:
        """The states of the columns that are being read, in a layer, after replacing some."""
        patch, columns = self.patch, self.columns
        if patch is not None and patch.layer == layer:
            where_BT1 = patch.where_BT[:, columns, None]
            states_BTD = torch.where(where_BT1, patch.states_BTD[:, columns], states_BTD)
        if layer not in self.states:
            self.states[layer] = states_BTD.new_zeros(*self.shape, states_BTD.shape[-1])
        self.states[layer][:, columns] = states_BTD
        return states_BTD
