"""Wrong inputs by a grammar: what can be wrong with a value, a key, a cell, a text."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np

SEED = 0
DEPTH = 100_000
WRONG_VALUES: dict[str, Any] = {
    "null": None,
    "a truth value": True,
    "text": "x",
    "empty text": "",
    "a list": [1],
    "an empty list": [],
    "a mapping": {"a": 1},
    "negative": -1,
    "zero": 0,
    "a fraction": 0.5,
    "huge": 10**30,
    "not a number": float("nan"),
    "infinite": float("inf"),
    "a control character": "a\x00b\x1b[31m",
    "another direction": "\u202eabc",
    "half a surrogate": "\ud800",
    "a long text": "y" * 100_000,
    "a word YAML reads otherwise": "null",
    "a number as text": "007",
    "a path upwards": "../../x",
    "braces": "{x}",
}
WRONG_CELLS = {
    "empty": "", "text": "x", "missing": "NA", "negative": "-1", "infinite": "1e999", "a truth value": "True",
    "a fraction": "0.5", "huge": "9" * 400, "a carriage return": "a\rb", "a control character": "a\x00b",
    "a quotation mark": '"', "long": "y" * 100_000,
}  # fmt: skip


def some(items: Iterable[Any], number: int) -> list[Any]:
    """A random sample with a fixed seed, in the order of the items."""
    items = list(items)
    chosen = np.random.default_rng(SEED).permutation(len(items))[:number]
    return [items[index] for index in sorted(chosen)]


# ---------------------------------------------------------------------------------------------- values


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path to every value inside a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*at, key)
        yield from places(inner, (*at, key))


def mutated(value: Any) -> Iterator[tuple[str, Any]]:
    """(what is wrong, the value with it) for every place and every kind of wrong value or key."""
    for at in places(value):
        named = ".".join(map(str, at))
        for kind, wrong in WRONG_VALUES.items():
            yield f"{named} is {kind}", _replaced(value, at, wrong)
        yield f"{named} is missing", _replaced(value, at, None, keep=False)
        if isinstance(at[-1], str):
            for kind, key in (("misspelt", f"{at[-1]}x"), ("a number", 7), ("null", None), ("true", True)):
                yield f"the key {named} is {kind}", _renamed(value, at, key)


def _replaced(value: Any, at: tuple[Any, ...], new: Any, keep: bool = True) -> Any:
    value = deepcopy(value)
    owner = _inside(value, at[:-1])
    if keep:
        owner[at[-1]] = new
    else:
        del owner[at[-1]]
    return value


def _renamed(value: Any, at: tuple[Any, ...], key: Any) -> Any:
    value = deepcopy(value)
    owner = _inside(value, at[:-1])
    owner[key] = owner.pop(at[-1])
    return value


def _inside(value: Any, at: tuple[Any, ...]) -> Any:
    for key in at:
        value = value[key]
    return value


# ----------------------------------------------------------------------------------------------- texts


def wrong_texts(text: str) -> Iterator[tuple[str, bytes]]:
    """(what is wrong, the bytes) for a text file that is damaged as a whole."""
    data = text.encode()
    for tenth in range(10):
        yield f"cut at {tenth} tenths", data[: len(data) * tenth // 10]
    yield "deep", ("[" * DEPTH + "]" * DEPTH).encode()
    yield "a deep mapping", ('{"a":' * DEPTH + "1" + "}" * DEPTH).encode()
    yield "an integer of 5,000 digits", json.dumps({"question": 0}).replace("0", "9" * 5000).encode()
    yield "not UTF-8", b"\xff\xfe" + data
    yield "NUL bytes", b"\x00" * 100
    yield "a byte order mark", b"\xef\xbb\xbf" + data
    yield "binary", bytes(range(256)) * 4
    yield "blank lines", b"\n\n\n"
    yield "a list", b"[1, 2]"
    yield "a number", b"7"
    yield "twice", data + data


def wrong_lines(text: str) -> Iterator[tuple[str, bytes]]:
    """The same for JSON lines; or their first record is wrong."""
    yield from wrong_texts(text)
    first, _, rest = text.partition("\n")
    for what, record in some(mutated(json.loads(first)), 40):
        yield what, (json.dumps(record) + "\n" + rest).encode()


def wrong_json(text: str) -> Iterator[tuple[str, bytes]]:
    """The same for a JSON file; or a value in it is wrong."""
    yield from wrong_texts(text)
    for what, record in some(mutated(json.loads(text)), 40):
        yield what, json.dumps(record).encode()


def wrong_yaml(text: str) -> Iterator[tuple[str, bytes]]:
    """The same for a YAML file; or it has a key twice, or aliases or tags that it must not have."""
    yield from wrong_texts(text)
    bomb = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    for what, more in {
        "a key twice": text.partition("\n")[0],
        "aliases for much": bomb,
        "an alias for itself": "a: &a [*a]",
        "a merge with itself": "a: &a {<<: *a}",
        "an alias for nothing": "a: *nothing",
        "an object": "a: !!python/object/apply:os.system [ls]",
        "a second document": "---\na: 1",
        "a key that is a list": "? [a]\n: 1",
        "a key that is null": "null: 1",
        "an integer of 5,000 digits": "a: " + "9" * 5000,
        "a day that there is not": "a: 2024-13-45",
        "a control character": 'a: "\\u0007\\ud800"',
        "a tab": "a:\n\tb: 1",
    }.items():
        yield what, f"{text}\n{more}\n".encode()


def wrong_table(text: str) -> Iterator[tuple[str, bytes]]:
    """The same for a table; or one of its columns or cells is wrong."""
    yield from wrong_texts(text)
    header, first, *rest = csv.reader(io.StringIO(text))
    for column, name in enumerate(header):
        for what, cell in WRONG_CELLS.items():
            yield f"{name} is {what}", _table(header, _with(first, column, cell), *rest)
        yield f"{name} is misspelt", _table(_with(header, column, f"{name}x"), first, *rest)
        yield f"{name} is a column twice", _table([*header, name], [*first, first[column]], *rest)
        yield (
            f"{name} is missing",
            _table(*(row[:column] + row[column + 1 :] for row in (header, first, *rest))),
        )
    yield "no rows", _table(header)
    yield "a longer row", _table(header, [*first, "1"], *rest)
    yield "a row twice", _table(header, first, first, *rest)
    yield "a row less", _table(header, *rest)


def _with(row: list[str], column: int, cell: str) -> list[str]:
    return [*row[:column], cell, *row[column + 1 :]]


def _table(*rows: list[str]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()
