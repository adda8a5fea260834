"""One model over several processes: each keeps a shard of every parameter, of its gradient and of AdamW's
state, and has a layer whole only while it computes (FSDP2; Zhao et al. 2023).

A layer is gathered by all processes together, so all make the same calls of the model: each works on its
rows of every batch, and on all validation questions.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn import Parameter
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from coconut_study.engine.batches import Batch


def shard(model: PreTrainedModel, device: torch.device, n_processes: int) -> None:
    """Shard each layer, both embeddings together (they may be tied), and what is left, onto a device.

    The engine calls the embeddings and the base model apart. FSDP takes the first module called for the
    root of all, so the base model, which is the root, is called here.
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
            unit.set_force_sum_reduction_for_comms(True)  # and gloo knows no scaled sum
    with torch.no_grad():
        body(input_ids=torch.zeros(1, 1, dtype=torch.long, device=device), use_cache=False)


def rows(batch: Batch, index: int, n_processes: int) -> Batch:
    """The rows of a batch that fall to a process, in the same columns; where none do, a question stands in,
    with thoughts that do not count and without loss. Nothing is read once for several rows."""
    n_rows, width = batch.tokens_BT.shape
    first = min(index, n_rows - 1)
    own = batch.only(batch.predictor_N // width % n_processes == index)
    mask_BT = batch.mask_BT[first::n_processes].clone()
    if first < index:
        mask_BT[:, batch.first_thought :] = 0
    return replace(
        own,
        beginnings=None,
        tokens_BT=batch.tokens_BT[first::n_processes],
        mask_BT=mask_BT,
        positions_BT=batch.positions_BT[first::n_processes],
        predictor_N=own.predictor_N // width // n_processes * width + own.predictor_N % width,
    )


def gather(model: PreTrainedModel, *, keep: bool) -> None:
    """Put whole parameters where the shards are, in processes that `keep` them: a model only to be saved."""
    for parameter in list(model.parameters()):
        whole = gathered(parameter)
        for module in model.modules() if keep else ():
            for name in [name for name, one in module.named_parameters(recurse=False) if one is parameter]:
                module.register_parameter(name, Parameter(whole, parameter.requires_grad))


def gathered(value: Tensor) -> Tensor:
    """A tensor that may be sharded, whole and in the memory of the host."""
    return value.full_tensor().cpu() if isinstance(value, DTensor) else value


def like(parameter: Tensor, value: Tensor) -> Tensor:
    """A whole tensor, sharded if a parameter of its shape is."""
    if not isinstance(parameter, DTensor) or parameter.shape != value.shape:
        return value
    return distribute_tensor(value, parameter.device_mesh, parameter.placements)


def own(value: Tensor) -> Tensor:
    """The part of a tensor that this process has."""
    return value.to_local() if isinstance(value, DTensor) else value


def placed(parameter: Tensor, value: Tensor) -> Tensor:
    """The other way round: this process's part of a tensor, sharded as a parameter is."""
    if not isinstance(parameter, DTensor) or value.dim() == 0:
        return value
    mesh, placements, local = parameter.device_mesh, parameter.placements, value.to(parameter.device)
    return DTensor.from_local(local, mesh, placements, shape=parameter.shape, stride=parameter.stride())
