"""The base model every run of a study starts from: loaded, or made from a configuration.

The result is an ordinary Hugging Face folder whose tokenizer and embeddings already hold the marks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.activations import NewGELUActivation

from coconut_study import tokens
from coconut_study.errors import StudyError
from coconut_study.settings import Model, NewTokens
from coconut_study.streams import torch_seed
from coconut_study.templates import Text

# What transformers raises for a folder that it cannot make a model of.
UNREADABLE = (OSError, ValueError, RuntimeError, ImportError, SafetensorError, StrictDataclassError)
# Output transformations that some architectures apply behind the output embeddings.
UNSUPPORTED = {"final_logit_softcapping": None, "logit_scale": 1.0, "logits_scaling": 1.0}


def make(
    settings: Model, seed: int, texts: Iterable[Text]
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The base model and its tokenizer; `texts` give the words of a `words` tokenizer."""
    tokenizer = tokens.word_level(texts) if settings.tokenizer == "words" else tokens.load(settings.tokenizer)
    known = len(tokenizer)
    tokens.add_marks(tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed("base", seed))
        if settings.path is not None:
            model = load(settings.path, settings.dtype)
            _resize(model, tokenizer, known, settings.new_tokens)
        else:
            model = _new(settings, tokenizer).to(getattr(torch, settings.dtype))
    return model, tokenizer


def load(path: str, dtype: str = "auto") -> PreTrainedModel:
    """The causal language model of a hub name or folder, in its own dtype or in another; weights are read
    from safetensors alone, and code from the hub is never run."""
    try:
        found: Any = AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
    except UNREADABLE as error:
        raise StudyError(f"{path}: no causal language model there ({tokens.first_line(error)})") from error
    model, read = found
    if lacking := sorted(name for name in read["missing_keys"] if "token_adapter" not in name):
        raise StudyError(f"{path}: the weights lack {lacking[0]} and {len(lacking) - 1} more")
    check(model)
    return fused(model)


def fused(model: PreTrainedModel) -> PreTrainedModel:
    """The model with GPT-2's activation computed at once instead of in six operations; the same function."""
    for module in model.modules():
        for name, part in module.named_children():
            if isinstance(part, NewGELUActivation):
                setattr(module, name, torch.nn.GELU(approximate="tanh"))
    return model


def check(model: PreTrainedModel) -> None:
    """StudyError for an architecture whose logits are more than a linear map of the last hidden state."""
    for name, harmless in UNSUPPORTED.items():
        value = getattr(model.config, name, harmless)
        if value not in (None, harmless):
            raise StudyError(f"{model.config.model_type} models with {name}: {value} are not supported")


def _new(settings: Model, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    architecture = dict(settings.architecture or {})
    config = AutoConfig.for_model(
        architecture.pop("model_type"),
        vocab_size=len(tokenizer),
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        **architecture,
    )
    model = AutoModelForCausalLM.from_config(config)
    check(model)
    return fused(model)


def _resize(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, known: int, settings: NewTokens
) -> None:
    """Give the marks rows in both embeddings, with first values as `settings` say."""
    size = max(model.config.get_text_config().vocab_size, len(tokenizer))
    model.resize_token_embeddings(size, mean_resizing=False)
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        rows = layer.get_parameter("weight").data
        if settings.init == "copy":
            rows[known : len(tokenizer)] = rows[_token(tokenizer, str(settings.of))]
        elif settings.init == "mean":
            rows[known : len(tokenizer)] = rows[:known].mean(dim=0)
        else:
            rows[known : len(tokenizer)].normal_(std=getattr(model.config, "initializer_range", 0.02))


def _token(tokenizer: PreTrainedTokenizerBase, name: str) -> int:
    known = tokenizer.get_vocab()
    if name not in known:
        raise StudyError(f"model.new_tokens.of: {name} is no single token of {tokenizer.name_or_path}")
    return known[name]
