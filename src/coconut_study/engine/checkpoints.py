"""Models as folders: checkpoints of this study and the models of others, read and written.

A checkpoint is an ordinary Hugging Face folder and a card that says where it comes from and holds the SHA-256
of every file.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase
from transformers.activations import NewGELUActivation

from coconut_study.common.errors import StudyError, one_line
from coconut_study.common.files import file_hash
from coconut_study.engine.tokenizer import load_tokenizer

CARD = "card.json"
ADAPTERS = "adapter_config.json"  # of a checkpoint with adapters only; it names the checkpoint of their model
# What transformers raises for a folder from which it cannot make a model.
UNREADABLE = (OSError, ValueError, RuntimeError, ImportError, SafetensorError, StrictDataclassError)
# Output transformations that some architectures apply after the output embeddings, and their neutral values.
UNSUPPORTED = {"final_logit_softcapping": None, "logit_scale": 1.0, "logits_scaling": 1.0}


# ------------------------------------------------------------------------------------------ checkpoints


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer of a checkpoint; StudyError if it is damaged or not one of this study."""
    verify(folder)
    try:
        model = load_model(str(folder))
    except SafetensorError as error:
        raise StudyError(f"{folder}: the weights cannot be read ({error})") from error
    return model, load_tokenizer(folder)


def verify(folder: Path) -> None:
    """StudyError names a file that is missing or differs from what was saved."""
    for name, expected in card(folder).get("sha256", {}).items():
        path = folder / name
        if not path.is_file():
            raise StudyError(f"{path}: missing; {_remedy(folder)}")
        if file_hash(path) != expected:
            raise StudyError(f"{path}: damaged (its sha256 is not that in {CARD}); {_remedy(folder)}")
    if (folder / ADAPTERS).is_file():
        verify(Path(json.loads((folder / ADAPTERS).read_text(encoding="utf-8"))["base_model_name_or_path"]))


def card(folder: Path) -> dict[str, Any]:
    """The facts on the card of a checkpoint; StudyError if it is missing or damaged."""
    path = folder / CARD
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"{folder}: not a checkpoint of this study (it has no {CARD})") from error
    except ValueError as error:
        raise StudyError(f"{path}: damaged, not JSON ({error}); {_remedy(folder)}") from error
    if not isinstance(facts, dict):
        raise StudyError(f"{path}: damaged, not a JSON object; {_remedy(folder)}")
    if facts.pop("seal", None) not in (None, _seal(facts)):
        raise StudyError(f"{path}: damaged (its seal does not match its facts); {_remedy(folder)}")
    return facts


def save(
    folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, facts: dict[str, Any]
) -> None:
    """Write model, tokenizer and card into an existing folder.

    The card holds `facts`, the SHA-256 of every other file, and a seal: the SHA-256 of all of these.
    """
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    facts = facts | {"sha256": {path.name: file_hash(path) for path in sorted(folder.iterdir())}}
    sealed = facts | {"seal": _seal(facts)}
    (folder / CARD).write_text(json.dumps(sealed, indent=2) + "\n", encoding="utf-8")


def _seal(facts: dict[str, Any]) -> str:
    return sha256(json.dumps(facts).encode()).hexdigest()


def _remedy(folder: Path) -> str:
    return f"remove {folder} to have it made again"


# ----------------------------------------------------------------------------------------------- models


def load_model(path: str, dtype: str = "auto") -> PreTrainedModel:
    """The causal language model of a hub name or folder, in its own dtype or another.

    Weights are read from safetensors files only, and code from the hub is never run.
    """
    try:
        found: Any = AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
    except UNREADABLE as error:
        raise StudyError(f"{path}: no causal language model there ({one_line(error)})") from error
    model, loading = found
    if missing := sorted(name for name in loading["missing_keys"] if "token_adapter" not in name):
        raise StudyError(f"{path}: the weights lack {len(missing)} tensors of the model, first {missing[0]}")
    check_supported(model)
    return fuse_gelu(model)


def fuse_gelu(model: PreTrainedModel) -> PreTrainedModel:
    """Compute GPT-2's activation in one operation instead of six; the same function. Returns `model`."""
    for module in model.modules():
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, torch.nn.GELU(approximate="tanh"))
    return model


def check_supported(model: PreTrainedModel) -> None:
    """StudyError for a model whose logits are not a linear map of the last hidden state."""
    for name, neutral in UNSUPPORTED.items():
        value = getattr(model.config, name, neutral)
        if value not in (None, neutral):
            raise StudyError(f"{model.config.model_type} models with {name}: {value} are not supported")
