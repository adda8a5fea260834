"""Checkpoints: ordinary Hugging Face folders with a card that says where they come from."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study import base, tokens
from coconut_study.errors import StudyError
from coconut_study.provenance import file_hash

CARD = "card.json"
ADAPTERS = "adapter_config.json"  # names the checkpoint that adapters belong to


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer in `folder`; StudyError when it is no checkpoint of this study, or damaged."""
    prove(folder)
    try:
        model = base.load(str(folder))
    except SafetensorError as error:
        raise StudyError(f"{folder}: the weights cannot be read ({error})") from error
    return model, tokens.load(folder)


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
