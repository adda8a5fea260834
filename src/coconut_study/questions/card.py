"""The card beside the questions of a data set: the settings they come from and the SHA-256 of each split.

It is written when every question has been proved, so a file with the SHA-256 on its card need not be proved
again.

A command that reads questions can be given their card. It refuses questions that the card does not describe,
so that no result claims other questions than it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from coconut_study.common import provenance
from coconut_study.common.errors import StudyError, explain
from coconut_study.common.files import file_hash, written
from coconut_study.common.reading import read_json
from coconut_study.common.settings import Closed

SHOWN = 3  # settings that a message compares
REMEDY = "restore the setting, or remove the folder of the card to have the questions made again"


class Card(Closed):
    """What the card of a data set says."""

    settings: dict[str, Any]
    sha256: dict[str, str]
    commit: str | None
    python: str
    versions: dict[str, str]


def write(path: Path, settings: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Write the card of the question `files`, by split, that were made with `settings`.

    It holds no time: the same questions have the same card.
    """
    hashes = {split: file_hash(file) for split, file in files.items()}
    card = Card(settings=dict(settings), sha256=hashes, **provenance.origin())
    with written(path) as out:
        out.write(json.dumps(card.model_dump(mode="json"), indent=2) + "\n")


def read(path: Path) -> Card:
    """The card at `path`; StudyError says what is wrong with it."""
    try:
        return Card.model_validate(read_json(path))
    except ValidationError as error:
        raise StudyError(f"{path}: {'; '.join(explain(error, Card))}; {_remedy(path)}") from error


def check(
    path: Path | None,
    files: Mapping[str, Path],
    settings: Mapping[str, Any] | None = None,
    owner: str = "the study has",
) -> None:
    """StudyError if the question `files`, by split, or their `settings` are not those on the card at `path`.

    `owner` says whose the settings are, with a verb. Without a card nothing is checked.
    """
    if path is None:
        return
    _check_files(path, files)
    if settings is not None and (wrong := difference(path, settings, owner)):
        raise StudyError(f"{wrong}; {REMEDY}")


def difference(path: Path, settings: Mapping[str, Any], owner: str = "the study has") -> str | None:
    """How the settings on the card differ from others, as a sentence; None if they do not."""
    made, wanted = dict(_flat(read(path).settings)), dict(_flat(settings))
    different = [key for key in {**wanted, **made} if made.get(key) != wanted.get(key)][:SHOWN]
    if not different:
        return None
    return (
        f"{path}: the questions were made with {_listed(made, different)}, but {owner} "
        f"{_listed(wanted, different)}"
    )


def outdated(wanted: Mapping[Path, Mapping[str, Any]]) -> list[str]:
    """A sentence for each card that is there and cannot be read or has other settings than are wanted."""
    wrong = []
    for path, settings in wanted.items():
        try:
            wrong.append(difference(path, settings) if path.exists() else None)
        except StudyError as error:
            wrong.append(str(error))
    return [*filter(None, wrong)]


def check_trained(path: Path | None, hashes: Mapping[str, str], checkpoint: Path) -> None:
    """StudyError if `checkpoint` was trained on splits with other `hashes` than those on the card."""
    described = hashes if path is None else read(path).sha256
    for split, trained in hashes.items():
        if described.get(split) != trained:
            raise StudyError(
                f"{path}: describes other {split} questions than those that {checkpoint} was trained on "
                f"(their sha256 differs); restore the questions, or remove {checkpoint} to train again"
            )


def _check_files(path: Path, files: Mapping[str, Path]) -> None:
    described = read(path).sha256
    for split, file in files.items():
        if split not in described:
            raise StudyError(f"{file}: {path} describes {', '.join(described)}, and no {split} questions")
        if file_hash(file) != described[split]:
            raise StudyError(
                f"{file}: not the {split} questions that {path} describes (their sha256 differs); "
                f"{_remedy(path)}"
            )


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The settings by their dotted keys."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _listed(settings: Mapping[str, Any], keys: list[str]) -> str:
    return ", ".join(f"{key}: {settings[key]}" if key in settings else f"no {key}" for key in keys)


def _remedy(path: Path) -> str:
    return f"remove {path.parent} to have the questions made again"
