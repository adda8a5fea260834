"""What the settings of every package are made of: a closed model, common types and checks, overlays."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from coconut_study.common.errors import StudyError, explain

Settings = TypeVar("Settings", bound=BaseModel)

Probability = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Field(min_length=1)]


class Closed(BaseModel):
    """Settings with known keys and finite numbers only, which do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="wrap")
    @classmethod
    def _booleans_are_not_numbers(cls, settings: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        model = read(settings)
        for key, value in settings.items() if isinstance(settings, dict) else ():
            result = getattr(model, key)
            pairs = zip(value, result, strict=True) if isinstance(value, list) else [(value, result)]
            if any(isinstance(given, bool) and not isinstance(taken, bool) for given, taken in pairs):
                raise ValueError(f"{key}: expected a number, got true or false")
        return model


def rising(pair: tuple[int, int]) -> tuple[int, int]:
    """A pair (minimum, maximum) as given; ValueError if the minimum exceeds the maximum."""
    if pair[0] > pair[1]:
        raise ValueError(f"minimum {pair[0]} exceeds maximum {pair[1]}")
    return pair


def check_folder(name: str) -> None:
    """ValueError if `name` is written as a path (it starts with ., / or ~) and is not a folder."""
    if name.startswith((".", "/", "~")) and not Path(name).expanduser().is_dir():
        raise ValueError(f"{name} is not a folder")


def short_id(settings: Closed) -> str:
    """Eight hexadecimal digits that stand for all of `settings`: the beginning of their SHA-256."""
    return sha256(settings.model_dump_json().encode()).hexdigest()[:8]


def read_settings(kind: type[Settings], text: str) -> Settings:
    """Settings of type `kind` from JSON; StudyError has one sentence for each mistake."""
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise StudyError("; ".join(explain(error, kind))) from error


def overlaid(settings: Settings, changes: Mapping[str, Any], key: str) -> Settings:
    """`settings` with `changes` merged into them; ValueError names a wrong key or value below `key`.

    What is not set has its default again, which may depend on the changes.
    """
    try:
        return type(settings).model_validate(merged(settings.model_dump(exclude_unset=True), changes))
    except ValidationError as error:
        raise ValueError("\n".join(explain(error, type(settings), key))) from error


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `changes` over it; mappings inside are merged too, every other value is replaced."""
    inner = {
        key: merged(base[key], value)
        for key, value in changes.items()
        if isinstance(value, Mapping) and isinstance(base.get(key), Mapping)
    }
    return {**base, **changes, **inner}
