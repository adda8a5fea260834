"""The exception that users see, and the words of its messages.

`StudyError` is raised for every mistake that a user can mend; its message can always be printed. `explain`
makes one sentence of each error that pydantic finds in settings, `undefined` and `hint` are about unknown
names; `explained` and `one_line` are about the errors of other libraries.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from reprlib import Repr
from textwrap import shorten
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, RootModel, ValidationError

SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 60
PANIC = "PanicException"
LONGEST = 1000  # characters of a line of a message
# The extra of this package that installs a library which asking a model does not need.
EXTRAS = {"peft": "lora", "datasets": "hub"} | dict.fromkeys(
    (
        "jinja2",
        "matplotlib",
        "pandas",
        "platformdirs",
        "pynvml",
        "scipy",
        "sklearn",
        "statsmodels",
    ),
    "workflow",
)


class StudyError(ValueError):
    """A mistake that the user can mend: in a setting, a question file, a path or a checkpoint.

    Its message can be printed whatever it quotes: see `printable`.
    """

    def __init__(self, message: str) -> None:
        super().__init__("\n".join(map(printable, message.split("\n"))))


def printable(line: str) -> str:
    """A line of at most 1,000 characters; control characters and the like as escapes (\\x1b)."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line[:LONGEST])
    return shown if len(shown) < LONGEST else f"{shown[: LONGEST - 4]} ..."


def one_line(error: BaseException) -> str:
    """The message of `error` on one line of at most 200 characters; its type if it has no message."""
    return shorten(str(error), 200, placeholder=" ...") or type(error).__name__


@contextmanager
def explained(sentence: str) -> Iterator[None]:
    """Raise what other libraries raise in the block as StudyError: `sentence`, and their message in brackets.

    This includes the panics of libraries written in Rust, which are not of type Exception.
    """
    try:
        yield
    except StudyError:
        raise
    except BaseException as error:
        if isinstance(error, Exception) or type(error).__name__ == PANIC:
            raise StudyError(f"{sentence} ({one_line(error)})") from error
        raise


def missing(error: ModuleNotFoundError) -> str | None:
    """The sentence about a library that is not installed, with the extra that has it; None if none has."""
    library = (error.name or "").partition(".")[0]
    if (extra := EXTRAS.get(library)) is None:
        return None
    return f"{library} is not installed; install the extra {extra}: pip install -e '.[{extra}]'"


# ------------------------------------------------------------------------------------------------ names


def check_defined(key: str, names: Iterable[str], defined: Collection[str]) -> None:
    """ValueError for `names` at `key` that are not `defined`."""
    if wrong := "\n".join(undefined(key, names, defined)):
        raise ValueError(wrong)


def undefined(key: str, names: Iterable[str], defined: Collection[str]) -> Iterator[str]:
    """One sentence for each of the `names` at `key` that is not `defined`."""
    return (f"{key}: {name} is not defined{hint(name, defined)}" for name in names if name not in defined)


def hint(name: str, names: Iterable[Any]) -> str:
    """The end of a sentence about an unknown `name`: the most similar of `names`, or all of them."""
    known = [str(one) for one in names]
    similar = get_close_matches(name, known, n=1)
    return f"; did you mean {similar[0]}?" if similar else f"; there are {', '.join(known)}"


# ------------------------------------------------------------------------------- mistakes in settings


def explain(error: ValidationError, model: type[BaseModel], prefix: str = "") -> list[str]:
    """One sentence for each mistake in settings of type `model`; their keys are given below `prefix`."""
    sentences = [_sentence(mistake, model, prefix) for mistake in error.errors()]
    return [line for sentence in sentences for line in sentence.splitlines()]


def _sentence(mistake: Any, model: type[BaseModel], prefix: str) -> str:
    """One mistake in words: the key, what is wrong with its value, and the value."""
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
            return f"{key}.{_missing_tag(tag, mistake['input'])}"
        key += f".{tag}"
    message = mistake["msg"].removeprefix("Value error, ")
    if not key:
        return message
    if message.partition(":")[0] in _keys(kind):
        return f"{key}.{message}"
    given = mistake["input"]
    value = "" if isinstance(given, dict) else f" (it is {SHORT.repr(given)})"
    quoted = mistake["type"] == "string_type" and not isinstance(given, dict | list)
    return f"{key}: {message}{value}{'; put it in quotes if it is text' * quoted}"


def _missing_tag(tag: str, keys: Iterable[Any]) -> str:
    """What is wrong with settings whose kind the key `tag` must name."""
    misspelt = get_close_matches(tag, map(str, keys), n=1)
    return f"{misspelt[0]}: unknown key; did you mean {tag}?" if misspelt else f"{tag}: is missing"


def _located(location: Iterable[Any], model: type[BaseModel]) -> tuple[Any, list[str]]:
    """The type at a pydantic location, and the keys that lead to it in the file.

    Pydantic also lists the chosen member of a union and the marker of a mapping's key; a file has neither.
    """
    kind: Any = model
    place: list[str] = []
    for part in location:
        member = _member(kind, part)
        if member is None and part != "[key]":
            place.append(str(part))
        kind = _value(kind, part) if member is None else member
    return _plain(kind), place


def _member(kind: Any, tag: Any) -> Any:
    """The member of a union of settings that has a literal field `tag`; None if there is none."""
    for member in get_args(_plain(kind)):
        fields = member.model_fields.values() if _is_model(member) else ()
        if any(get_args(field.annotation) == (tag,) for field in fields):
            return member
    return None


def _value(kind: Any, part: Any) -> Any:
    """The type of the value at a key or index; None if it is unknown."""
    kind = _plain(kind)
    if _is_model(kind):
        return kind.model_fields[part].annotation if part in kind.model_fields else None
    if get_origin(kind) is tuple:
        return get_args(kind)[0]
    return get_args(kind)[-1] if get_args(kind) else None


def _plain(kind: Any) -> Any:
    """Strip Annotated, Optional and RootModel from a type."""
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
