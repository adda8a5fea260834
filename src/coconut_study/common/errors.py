"""The one exception a user sees, and mistakes in settings as one sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from reprlib import Repr
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 60


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """One sentence for each mistake in the settings of a class, whose keys stand behind `prefix`."""
    sentences = [_sentence(mistake, model, prefix) for mistake in error.errors()]
    return [line for sentence in sentences for line in sentence.splitlines()]


def _sentence(mistake: Any, model: type[BaseModel], prefix: str) -> str:
    kind, place = _located(mistake["loc"], model)
    key = ".".join([prefix] * bool(prefix) + place)
    if mistake["type"] == "extra_forbidden":
        owner, _ = _located(mistake["loc"][:-1], model)
        return f"{key}: unknown key{hint(place[-1], _keys(owner))}"
    if mistake["type"] == "missing":
        return f"{key}: is missing"
    if mistake["type"].startswith("union_tag"):
        tag = mistake["ctx"]["discriminator"].strip("'")
        if mistake["type"] == "union_tag_not_found":
            misspelt = get_close_matches(tag, map(str, mistake["input"]), n=1)
            return (
                f"{key}.{misspelt[0]}: unknown key; did you mean {tag}?"
                if misspelt
                else f"{key}.{tag}: is missing"
            )
        key += f".{tag}"
    message = mistake["msg"].removeprefix("Value error, ")
    if not key:
        return message
    if message.partition(":")[0] in _keys(kind):
        return f"{key}.{message}"
    shown = "" if isinstance(mistake["input"], dict) else f" (it is {SHORT.repr(mistake['input'])})"
    return f"{key}: {message}{shown}"


# ------------------------------------------------------------------------------------ where a mistake is


def _located(location: Iterable[Any], model: type[BaseModel]) -> tuple[Any, list[str]]:
    """The type of what is wrong, and its place as the file has it: pydantic also names members of unions."""
    kind: Any = model
    place: list[str] = []
    for part in location:
        member = _member(kind, part)
        if member is None and part != "[key]":
            place.append(str(part))
        kind = _value(kind, part) if member is None else member
    return _plain(kind), place


def _member(kind: Any, tag: Any) -> Any:
    """The member of a union of settings that a key of its own names, if this is one."""
    for member in get_args(_plain(kind)):
        fields = member.model_fields.values() if _is_model(member) else ()
        if any(get_args(field.annotation) == (tag,) for field in fields):
            return member
    return None


def _value(kind: Any, part: Any) -> Any:
    """What stands at a key or number."""
    kind = _plain(kind)
    if _is_model(kind):
        return kind.model_fields[part].annotation if part in kind.model_fields else None
    if get_origin(kind) is tuple:
        return get_args(kind)[0]
    return get_args(kind)[-1] if get_args(kind) else None


def _plain(kind: Any) -> Any:
    """A type without its remarks, without None beside it, and what a class with a root holds."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if _is_model(kind) and issubclass(kind, RootModel):
        return _plain(kind.model_fields["root"].annotation)
    others = [one for one in get_args(kind) if one is not NoneType]
    return _plain(others[0]) if NoneType in get_args(kind) and len(others) == 1 else kind


def _keys(kind: Any) -> Iterable[str]:
    return kind.model_fields if _is_model(kind) else ()


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


# ------------------------------------------------------------------------------------------------ names


def unknown(key: str, names: Iterable[str], there: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each name that is not there."""
    return (f"{key}: {name} is not defined{hint(name, there)}" for name in names if name not in there)


def known(key: str, names: Iterable[str], there: Mapping[str, Any]) -> None:
    """ValueError for a name that is not there."""
    if wrong := "\n".join(unknown(key, names, there)):
        raise ValueError(wrong)


def hint(name: str, there: Iterable[Any]) -> str:
    """The nearest name there is, or all of them."""
    names = [str(one) for one in there]
    near = get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(names)}"


class StudyError(ValueError):
    """Something the user can mend: a setting, a question file, a path, a checkpoint."""


def first_line(error: Exception) -> str:
    """The first line of a message, or the kind of error where there is none."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
