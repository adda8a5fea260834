"""The base model that every run of a study starts from: loaded, or created from a configuration.

The result is an ordinary Hugging Face folder whose tokenizer and embeddings include the marks.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.errors import StudyError
from coconut_study.common.seeds import torch_seed
from coconut_study.engine.checkpoints import check_supported, load_model
from coconut_study.engine.gpt2 import faster
from coconut_study.engine.tokenizer import add_marks, load_tokenizer, word_level
from coconut_study.sequences.templates import Text
from coconut_study.training.settings import Model, NewTokens


def make(
    settings: Model, seed: int, texts: Iterable[Text]
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The base model and its tokenizer; a tokenizer of `words` has those of `texts`."""
    tokenizer = word_level(texts) if settings.tokenizer == "words" else load_tokenizer(settings.tokenizer)
    known = len(tokenizer)
    add_marks(tokenizer)
    with torch.random.fork_rng():
        torch.manual_seed(torch_seed("base", seed))
        if settings.path is not None:
            model = load_model(settings.path, settings.dtype)
            _resize(model, tokenizer, known, settings.new_tokens)
        else:
            model = _new(settings, tokenizer).to(getattr(torch, settings.dtype))
    return model, tokenizer


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
    check_supported(model)
    return faster(model)


def _resize(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, known: int, settings: NewTokens
) -> None:
    """Add rows for the marks to both embeddings, initialized as `settings` say."""
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
        raise StudyError(f"model.new_tokens.of: {name} is not a single token of {tokenizer.name_or_path}")
    return known[name]
