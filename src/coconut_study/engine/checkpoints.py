"""Models as folders: checkpoints of this study and the models of others, read and written.

A checkpoint is an ordinary Hugging Face folder and a card that says where it comes from and holds the SHA-256
of every file.
"""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from coconut_study.common.errors import StudyError, explained
from coconut_study.common.files import file_hash
from coconut_study.common.provenance import read_card
from coconut_study.common.reading import read_json
from coconut_study.engine.gpt2 import faster
from coconut_study.engine.tokenizer import load_tokenizer

CARD = "card.json"
ADAPTERS = "adapter_config.json"  # of a checkpoint with adapters only; it names the checkpoint of their model
# Output transformations that some architectures apply after the output embeddings, and their neutral values.
UNSUPPORTED = {"final_logit_softcapping": None, "logit_scale": 1.0, "logits_scaling": 1.0}


# ------------------------------------------------------------------------------------------ checkpoints


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer of a checkpoint; StudyError if it is damaged or not one of this study."""
    verify(folder)
    model, tokenizer = load_model(str(folder)), load_tokenizer(folder)
    size = model.config.get_text_config().vocab_size
    if (last := max(tokenizer.get_vocab().values(), default=-1)) >= size:
        raise StudyError(f"{folder}: its tokenizer has token {last}, and its model knows {size} tokens")
    return model, tokenizer


def verify(folder: Path) -> None:
    """StudyError names a file that is missing or differs from what was saved."""
    folders = with_models(folder)
    for adapters, one in pairwise(folders):
        if not (one / CARD).is_file():
            raise StudyError(f"{adapters / ADAPTERS}: names {one}, which is not a checkpoint of this study")
    for one in folders:
        for name, expected in card(one).get("sha256", {}).items():
            path = one / name
            if not path.is_file():
                raise StudyError(f"{path}: missing; {_remedy(one)}")
            if file_hash(path) != expected:
                raise StudyError(f"{path}: damaged (its sha256 is not that in {CARD}); {_remedy(one)}")


def with_models(folder: Path) -> list[Path]:
    """A folder and, if it holds adapters, the folder of their model, and so on.

    StudyError if adapters name no model, or lead back to themselves.
    """
    folders = [folder]
    while (path := folders[-1] / ADAPTERS).is_file():
        adapters = read_json(path)
        name = adapters.get("base_model_name_or_path") if isinstance(adapters, dict) else None
        if not isinstance(name, str) or not name:
            raise StudyError(f"{path}: base_model_name_or_path is not the name of a model (it is {name!r})")
        if any(Path(name).resolve() == known.resolve() for known in folders):
            raise StudyError(f"{path}: base_model_name_or_path leads back to the adapters ({name})")
        folders.append(Path(name))
    return folders


def card(folder: Path) -> dict[str, Any]:
    """The facts on the card of a checkpoint; StudyError if it is missing or damaged."""
    path = folder / CARD
    if not path.is_file():
        raise StudyError(f"{folder}: not a checkpoint of this study (it has no {CARD})")
    try:
        facts = read_card(path)
    except StudyError as error:
        wrong = str(error).removeprefix(str(path)).lstrip(",: ")
        raise StudyError(f"{path}: damaged, {wrong}; {_remedy(folder)}") from error
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
    with_models(Path(path))
    with explained(f"{path}: no causal language model there"):
        found: Any = AutoModelForCausalLM.from_pretrained(
            path, dtype=dtype, trust_remote_code=False, use_safetensors=True, output_loading_info=True
        )
    model, loading = found
    if missing := sorted(name for name in loading["missing_keys"] if "token_adapter" not in name):
        raise StudyError(f"{path}: the weights lack {len(missing)} tensors of the model, first {missing[0]}")
    check_supported(model)
    return faster(model)


def check_supported(model: PreTrainedModel) -> None:
    """StudyError for a model whose logits are not a linear map of the last hidden state."""
    for name, neutral in UNSUPPORTED.items():
        value = getattr(model.config, name, neutral)
        if value not in (None, neutral):
            raise StudyError(f"{model.config.model_type} models with {name}: {value} are not supported")
