"""Mistakes in settings -> one sentence each: the key, what is wrong with it, the nearest key there is."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

SOURCES = ("prosqa", "balanced", "prontoqa", "arithmetic", "files", "hub")  # inner names of a union


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """One sentence for each mistake in the settings of a class, whose keys stand behind `prefix`."""
    return [_sentence(mistake, model, prefix) for mistake in error.errors()]


def _sentence(mistake: Any, model: type[BaseModel], prefix: str) -> str:
    place = [part for part in mistake["loc"] if part not in SOURCES]
    key = ".".join([prefix] * bool(prefix) + [str(part) for part in place])
    if mistake["type"] == "extra_forbidden":
        near = get_close_matches(str(place[-1]), _fields(model), n=1)
        return f"{key}: unknown key" + (f"; did you mean {near[0]}?" if near else "")
    if mistake["type"] == "missing":
        return f"{key}: is missing"
    message = mistake["msg"].removeprefix("Value error, ")
    if not key:
        return message
    shown = f" (it is {mistake['input']!r})" if not isinstance(mistake["input"], dict) else ""
    return f"{key}: {message}{shown}"


def _fields(model: Any, seen: frozenset[type] = frozenset()) -> set[str]:
    """Every key anywhere in a settings class."""
    names: set[str] = set()
    for kind in _classes(model):
        if kind not in seen:
            for name, field in kind.model_fields.items():
                names |= {name, *_fields(field.annotation, seen | {kind})}
    return names


def _classes(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [kind for part in getattr(annotation, "__args__", ()) for kind in _classes(part)]


def known(key: str, names: tuple[str, ...], there: Mapping[str, Any]) -> None:
    """ValueError for a name that is not there."""
    for name in names:
        if name not in there:
            near = get_close_matches(name, there, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(there)}"
            raise ValueError(f"{key}: {name} is not defined{hint}")


def overlaid(settings: Any, own: Mapping[str, Any], key: str) -> Any:
    """Settings with others laid over them, key by key; ValueError names a wrong one behind `key`."""
    try:
        return type(settings).model_validate(merged(settings.model_dump(), own))
    except ValidationError as error:
        raise ValueError("; ".join(explain(error, type(settings), key))) from error


def merged(settings: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with another laid over it; mappings within are merged, all else is replaced."""
    both = {
        key: merged(settings[key], value)
        for key, value in own.items()
        if isinstance(value, Mapping) and isinstance(settings.get(key), Mapping)
    }
    return {**settings, **own, **both}
