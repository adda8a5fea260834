"""Checkpoints: ordinary Hugging Face folders with a card that says where they come from."""

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
ADAPTERS = "adapter_config.json"  # names the checkpoint that adapters belong to


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer in `folder`; StudyError when it is no checkpoint of this study, or damaged."""
    prove(folder)
    try:
        model = load_model(str(folder))
    except SafetensorError as error:
        raise StudyError(f"{folder}: the weights cannot be read ({error})") from error
    return model, load_tokenizer(folder)


def prove(folder: Path) -> None:
    """StudyError names a file that is not as it was saved."""
    for name, known in card(folder).get("sha256", {}).items():
        path = folder / name
        if not path.is_file():
            raise StudyError(f"{path}: missing; {_mended(folder)}")
        if file_hash(path) != known:
            raise StudyError(f"{path}: damaged (its sha256 is not that in {CARD}); {_mended(folder)}")
    if (folder / ADAPTERS).is_file():
        prove(Path(json.loads((folder / ADAPTERS).read_text(encoding="utf-8"))["base_model_name_or_path"]))


def card(folder: Path) -> dict[str, Any]:
    """What the checkpoint in `folder` says of itself; StudyError when that cannot be relied on."""
    path = folder / CARD
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"{folder}: not a checkpoint of this study (no {CARD} in it)") from error
    except ValueError as error:
        raise StudyError(f"{path}: damaged, not JSON ({error}); {_mended(folder)}") from error
    if not isinstance(facts, dict):
        raise StudyError(f"{path}: damaged, not a JSON object; {_mended(folder)}")
    if facts.pop("seal", None) not in (None, _seal(facts)):
        raise StudyError(f"{path}: damaged (its seal is another's); {_mended(folder)}")
    return facts


def _seal(facts: dict[str, Any]) -> str:
    return sha256(json.dumps(facts).encode()).hexdigest()


def _mended(folder: Path) -> str:
    return f"remove {folder}, and the study makes it again"


def save(
    folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, facts: dict[str, Any]
) -> None:
    """Write model, tokenizer and card into an existing folder; the card has the sha256 of all that is there,
    and a seal on what it says itself."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    facts = facts | {"sha256": {path.name: file_hash(path) for path in sorted(folder.iterdir())}}
    sealed = facts | {"seal": _seal(facts)}
    (folder / CARD).write_text(json.dumps(sealed, indent=2) + "\n", encoding="utf-8")


# What transformers raises for a folder that it cannot make a model of.
UNREADABLE = (OSError, ValueError, RuntimeError, ImportError, SafetensorError, StrictDataclassError)
# Output transformations that some architectures apply behind the output embeddings.
UNSUPPORTED = {"final_logit_softcapping": None, "logit_scale": 1.0, "logits_scaling": 1.0}


def load_model(path: str, dtype: str = "auto") -> PreTrainedModel:
    """The causal language model of a hub name or folder, in its own dtype or in another; weights are read
    from safetensors alone, and code from the hub is never run."""
    try:
        found: Any = AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
    except UNREADABLE as error:
        raise StudyError(f"{path}: no causal language model there ({one_line(error)})") from error
    model, read = found
    if lacking := sorted(name for name in read["missing_keys"] if "token_adapter" not in name):
        raise StudyError(f"{path}: the weights lack {lacking[0]} and {len(lacking) - 1} more")
    check_supported(model)
    return fused(model)


def fused(model: PreTrainedModel) -> PreTrainedModel:
    """The model with GPT-2's activation computed at once instead of in six operations; the same function."""
    for module in model.modules():
        for name, part in module.named_children():
            if isinstance(part, NewGELUActivation):
                setattr(module, name, torch.nn.GELU(approximate="tanh"))
    return model


def check_supported(model: PreTrainedModel) -> None:
    """StudyError for an architecture whose logits are more than a linear map of the last hidden state."""
    for name, harmless in UNSUPPORTED.items():
        value = getattr(model.config, name, harmless)
        if value not in (None, harmless):
            raise StudyError(f"{model.config.model_type} models with {name}: {value} are not supported")
