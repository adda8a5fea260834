"""Several processes (one per GPU) that train one model.

Without sharding, every process has the whole model and works on its share of the batches; gradients are
summed. With sharding (FSDP2; Zhao et al. 2023), every process keeps a part of each parameter, of its gradient
and of the state of AdamW, and has a layer whole only while it computes it. A layer is gathered by all
processes together, so all make the same calls of the model: each works on its rows of every batch, and on all
validation questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn import Parameter
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from coconut_study.engine.batches import Batch, Supervised

T = TypeVar("T")

# ------------------------------------------------------------------------------------------- collectives


class Processes:
    """This process among those that train the model: its share of the work, and sums over all."""

    def __init__(self, accelerator: Accelerator, *, sharded: bool) -> None:
        self.accelerator = accelerator
        self.index, self.count = accelerator.process_index, accelerator.num_processes
        self.is_main = accelerator.is_main_process
        self.sharded = sharded and self.count > 1

    def share(self, items: Sequence[T]) -> Sequence[T]:
        """This process's share of `items`; all of them if the model is sharded."""
        return items if self.sharded else items[self.index :: self.count]

    def share_batches(self, batches: Sequence[Batch]) -> Sequence[Batch]:
        """This process's share of `batches`; its rows of every batch if the model is sharded."""
        if not self.sharded:
            return self.share(batches)
        return [rows(batch, self.index, self.count) for batch in batches]

    def total(self, count: int) -> int:
        """Sum of a count over the shares of all processes."""
        if self.count == 1 or self.sharded:
            return count
        return int(self._sum(torch.tensor(count, device=self.accelerator.device)))

    def sum(self, number: float) -> float:
        """Sum of a number over all processes."""
        if self.count == 1:
            return number
        return float(self._sum(torch.tensor(number, device=self.accelerator.device)))

    def sum_update(self, parameters: Iterable[Tensor], total: Tensor) -> Tensor:
        """Sum the gradients of `parameters` in place, and return the sum of `total`, over all processes.

        FSDP has summed the gradients of a sharded model already.
        """
        if self.count == 1:
            return total
        for parameter in () if self.sharded else parameters:
            grad = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
            parameter.grad = self._sum(grad)
        return self._sum(total)

    def any_process(self, flag: bool) -> bool:
        """True if `flag` is true on any process."""
        return -self.min_over_processes(-int(flag)) == 1

    def min_over_processes(self, number: int) -> int:
        """The smallest `number` of all processes."""
        if self.count == 1:
            return number
        numbers = self.accelerator.gather(torch.tensor([number], device=self.accelerator.device))
        return int(numbers.min())

    def _sum(self, value: Tensor) -> Tensor:
        return self.accelerator.reduce(value, reduction="sum")


# ---------------------------------------------------------------------------------------------- sharding


def shard(model: PreTrainedModel, device: torch.device, n_processes: int) -> None:
    """Shard a model in place: each layer, both embeddings together (they may be tied), and the rest.

    The engine calls the embeddings and the base model separately. FSDP takes the first module that is called
    as the root, which must be the base model, so it is called here.
    """
    mesh = init_device_mesh(device.type, (n_processes,))
    body = model.base_model
    for layer in list(body.modules()):
        if isinstance(layer, GradientCheckpointingLayer):
            fully_shard(layer, mesh=mesh)
    fully_shard([model.get_input_embeddings(), model.get_output_embeddings()], mesh=mesh)
    fully_shard(body, mesh=mesh, reshard_after_forward=True)
    for unit in model.modules():
        if isinstance(unit, FSDPModule):
            unit.set_gradient_divide_factor(1.0)  # gradients are summed, not averaged
            unit.set_force_sum_reduction_for_comms(True)  # gloo has no scaled sum
    with torch.no_grad():
        body(input_ids=torch.zeros(1, 1, dtype=torch.long, device=device), use_cache=False)


def rows(batch: Batch, index: int, n_processes: int) -> Batch:
    """The rows of a batch for process `index`, with all columns and without shared prefixes.

    A process without rows gets a dummy row without loss, so that all make the same calls. The thoughts of
    the dummy row are masked.
    """
    n_rows, width = batch.tokens_BT.shape
    first = min(index, n_rows - 1)
    own = batch.only(batch.predictor_N // width % n_processes == index)
    mask_BT = batch.mask_BT[first::n_processes].clone()
    if first < index:
        mask_BT[:, batch.first_thought :] = 0
    return replace(
        own,
        prefixes=None,
        supervised=batch.supervised and _own_thoughts(batch.supervised, width, index, n_processes),
        tokens_BT=batch.tokens_BT[first::n_processes],
        mask_BT=mask_BT,
        positions_BT=batch.positions_BT[first::n_processes],
        loops_B=None if batch.loops_B is None else batch.loops_B[first::n_processes],
        predictor_N=own.predictor_N // width // n_processes * width + own.predictor_N % width,
    )


def _own_thoughts(supervised: Supervised, width: int, index: int, n_processes: int) -> Supervised:
    """What the thoughts in the rows of process `index` have to predict."""
    own_M = supervised.predictor_M // width % n_processes == index
    predictor_M = supervised.predictor_M[own_M]
    return Supervised(
        predictor_M // width // n_processes * width + predictor_M % width,
        supervised.target_M[own_M],
        supervised.count_M[own_M],
    )


def gather(model: PreTrainedModel, *, keep: bool) -> None:
    """Replace sharded parameters with whole ones on processes that `keep` them; all processes must call it.

    The model can then only be saved.
    """
    for parameter in list(model.parameters()):
        whole = gathered(parameter)
        for module in model.modules() if keep else ():
            for name in [name for name, one in module.named_parameters(recurse=False) if one is parameter]:
                module.register_parameter(name, Parameter(whole, parameter.requires_grad))


def gathered(value: Tensor) -> Tensor:
    """The whole tensor in host memory if `value` is sharded, else `value` itself."""
    return value.full_tensor().cpu() if isinstance(value, DTensor) else value


def sharded_like(parameter: Tensor, value: Tensor) -> Tensor:
    """Shard a whole tensor like `parameter` if it has the same shape."""
    if not isinstance(parameter, DTensor) or parameter.shape != value.shape:
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements)


def own(value: Tensor) -> Tensor:
    """This process's shard of a tensor."""
    return value.to_local() if isinstance(value, DTensor) else value


def from_own(parameter: Tensor, value: Tensor) -> Tensor:
    """Inverse of `own`: wrap a local shard as a DTensor, sharded like `parameter`."""
    if not isinstance(parameter, DTensor) or value.dim() == 0:
        return value
    mesh, placements, local = parameter.device_mesh, parameter.placements, value.to(parameter.device)
    return DTensor.from_local(local, mesh, placements, shape=parameter.shape, stride=parameter.stride())
