"""Low-rank adapters through peft: the model's own weights stay, adapters and the marks' embeddings learn.

The model keeps its class, so that the engine works on it unchanged; its checkpoints hold the adapters
alone and name the base model they belong to, as peft's own do.
"""

from __future__ import annotations

from collections.abc import Sequence

from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from coconut_study.common.errors import StudyError
from coconut_study.training.settings import Lora


def add(model: PreTrainedModel, settings: Lora, marks: Sequence[int]) -> None:
    """Add adapters, and let the input embeddings of the tokens in `marks` learn beside them."""
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


def added(model: PreTrainedModel) -> bool:
    """Whether a model has adapters."""
    return bool(getattr(model, "peft_config", None))


def wake(model: PreTrainedModel) -> None:
    """Let the adapters of a loaded model learn again."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name or "trainable_tokens_delta" in name)
