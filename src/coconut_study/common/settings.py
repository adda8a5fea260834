"""What the settings of every package are made of: closed models, names, overlays, reading."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from coconut_study.common.errors import StudyError, explain

Settings = TypeVar("Settings", bound=BaseModel)


def overlaid(settings: Any, own: Mapping[str, Any], key: str) -> Any:
    """Settings with others laid over them, key by key; ValueError names a wrong one behind `key`."""
    try:
        return type(settings).model_validate(merged(settings.model_dump(), own))
    except ValidationError as error:
        raise ValueError("\n".join(explain(error, type(settings), key))) from error


def merged(settings: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with another laid over it; mappings within are merged, all else is replaced."""
    both = {
        key: merged(settings[key], value)
        for key, value in own.items()
        if isinstance(value, Mapping) and isinstance(settings.get(key), Mapping)
    }
    return {**settings, **own, **both}


def read_settings(kind: type[Settings], text: str) -> Settings:
    """Settings from JSON; StudyError has a sentence for every mistake."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise StudyError("; ".join(explain(error, kind))) from error


class Closed(BaseModel):
    """Settings: every key known, every number finite, no value changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _truth_is_no_number(cls, settings: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        found = read(settings)
        for key, value in settings.items() if isinstance(settings, dict) else ():
            now = getattr(found, key)
            pairs = zip(value, now, strict=True) if isinstance(value, list) else [(value, now)]
            if any(isinstance(was, bool) and not isinstance(is_, bool) for was, is_ in pairs):
                raise ValueError(f"{key}: expected a number, got true or false")
        return found


def rising(pair: tuple[int, int]) -> tuple[int, int]:
    """A pair (minimum, maximum) as given; ValueError if the minimum exceeds the maximum."""
    if pair[0] > pair[1]:
        raise ValueError(f"minimum {pair[0]} exceeds maximum {pair[1]}")
    return pair


Probability = Annotated[float, Field(ge=0, le=1)]

Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]


def check_folder(name: str) -> None:
    """ValueError for a path that is no folder; names of the hub are left to the hub."""
    if name.startswith((".", "/", "~")) and not Path(name).expanduser().is_dir():
        raise ValueError(f"{name} is not a folder")


def short_id(settings: Closed) -> str:
    """Eight hexadecimal digits that stand for all of `settings`: the beginning of their SHA-256."""
    return sha256(settings.model_dump_json().encode()).hexdigest()[:8]
