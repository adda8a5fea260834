"""Checkpoints: ordinary Hugging Face folders with a card that says where they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from coconut_study import base, tokens
from coconut_study.errors import StudyError

CARD = "card.json"


def load(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The model and tokenizer in `folder`; StudyError when it is no checkpoint of this project."""
    card(folder)
    try:
        model = base.load(str(folder))
    except SafetensorError as error:
        raise StudyError(f"{folder}: the weights cannot be read ({error})") from error
    return model, tokens.load(folder)


def card(folder: Path) -> dict[str, Any]:
    """What the checkpoint in `folder` says of itself."""
    path = folder / CARD
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"{folder}: not a checkpoint of this study (no {CARD} in it)") from error
    except json.JSONDecodeError as error:
        raise StudyError(f"{path}: not JSON ({error.msg})") from error


def save(
    folder: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, facts: dict[str, Any]
) -> None:
    """Write model, tokenizer and card into an existing folder."""
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / CARD).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
