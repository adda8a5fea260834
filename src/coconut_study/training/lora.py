"""Low-rank adapters (LoRA) through peft: adapters and the embeddings of the marks are trained, the rest is
frozen.

The model keeps its class, so the engine needs no change. Its checkpoints hold the adapters alone and name the
base model, as peft's own checkpoints do.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from coconut_study.common.errors import StudyError
from coconut_study.common.seeds import torch_seed
from coconut_study.training.settings import Lora


def prepare(model: PreTrainedModel, settings: Lora, marks: Sequence[int], seed: int) -> None:
    """Add adapters drawn for `seed`, or unfreeze those that the model has."""
    if has_adapters(model):
        unfreeze(model)
        return
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed("adapters", seed))
        add_adapters(model, settings, marks)


def add_adapters(model: PreTrainedModel, settings: Lora, marks: Sequence[int]) -> None:
    """Add adapters, and make the input embeddings of the tokens `marks` trainable; StudyError if the model
    lacks the layers that `settings` name."""
    from peft import LoraConfig  # takes seconds to import, and few runs need it

    try:
        model.add_adapter(
            LoraConfig(
                r=settings.rank,
                lora_alpha=settings.alpha,
                lora_dropout=settings.dropout,
                target_modules=list(settings.targets) if settings.targets else None,
                fan_in_fan_out=any(isinstance(layer, Conv1D) for layer in model.modules()),
                trainable_token_indices=list(marks),
                task_type="CAUSAL_LM",
            )
        )
    except ValueError as error:
        raise StudyError(f"model.lora: {error}") from error


def has_adapters(model: PreTrainedModel) -> bool:
    """True if the model has adapters."""
    return bool(getattr(model, "peft_config", None))


def unfreeze(model: PreTrainedModel) -> None:
    """Make the adapters of a loaded model trainable."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name or "trainable_tokens_delta" in name)
