"""Files read as text, JSON, YAML and tables.

Whatever is wrong with a file is one StudyError that names the file and the place in it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic_core import from_json

from coconut_study.common.errors import SHORT, StudyError, one_line

if TYPE_CHECKING:
    import pandas as pd

MAX_NODES = 100_000  # of a YAML document whose aliases are written out


def read_text(path: Path, content: str = "questions", *, blank: bool = False) -> str:
    """The text of a file of questions, or of other `content`; StudyError if it cannot be read, or is `blank`
    and may not be."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}); give a file of {content}") from error
    except ValueError as error:
        raise StudyError(f"{path}: is not UTF-8 text; give a file of {content}") from error
    if not (blank or text.strip()):
        raise StudyError(f"{path}: holds no {content}")
    return text


# ----------------------------------------------------------------------------------------- JSON and YAML


def read_json(path: Path) -> Any:
    """The value of a JSON file."""
    return parse_json(read_text(path, "JSON"), path)


def parse_json(text: str, path: Path, line: int = 1) -> Any:
    """The value of a JSON text that begins on a line of a file.

    StudyError names the line if it is not JSON, is nested more than 200 deep, or has an integer of more than
    4,300 digits or half of a surrogate pair.
    """
    try:
        return from_json(text)
    except ValueError as error:
        message, _, place = str(error).rpartition(" at line ")
        row, _, column = place.partition(" column ")
        raise StudyError(
            f"{path}, line {line + int(row) - 1}: not JSON ({message}, column {column})"
        ) from error


def read_yaml(path: Path) -> Any:
    """The value of a YAML file."""
    return parse_yaml(read_text(path, "settings"), str(path))


def parse_yaml(text: str, place: str) -> Any:
    """The value of a YAML document that stands at `place`.

    StudyError if it is not one document, has a key twice, is nested too deeply, or has aliases that stand for
    too much or for themselves.
    """
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            raise StudyError(f"{place}: holds no settings")
        if _size(root, place, {}) > MAX_NODES:
            raise StudyError(f"{place}: its aliases stand for more than {MAX_NODES:,} values; write them out")
        return loader.construct_document(root)
    except StudyError:
        raise
    except RecursionError as error:
        raise StudyError(f"{place}: is nested too deeply") from error
    except (yaml.YAMLError, ValueError) as error:
        raise StudyError(f"{place}: cannot be read ({one_line(error)})") from error


def _size(node: yaml.Node, place: str, known: dict[yaml.Node, float]) -> float:
    """The number of nodes that a node stands for; infinite if it is a part of itself.

    StudyError for a key that a mapping has twice.
    """
    if node not in known:
        known[node] = inf
        children = node.value if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            _check_keys(node, place)
            children = [child for pair in node.value for child in pair]
        known[node] = 1 + sum(_size(child, place, known) for child in children)
    return known[node]


def _check_keys(mapping: yaml.MappingNode, place: str) -> None:
    seen: dict[tuple[str, str], yaml.Node] = {}
    for key, _ in mapping.value:
        if isinstance(key, yaml.ScalarNode) and (first := seen.setdefault((key.tag, key.value), key)) != key:
            lines = f"on line {_line(first)} and again on line {_line(key)}"
            raise StudyError(f"{place}: the key {key.value} is {lines}; keep one of them")


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1


# ------------------------------------------------------------------------------------------------ tables


def read_csv(
    path: Path,
    columns: Sequence[str],
    *,
    text: Collection[str] = (),
    flags: Collection[str] = (),
    gaps: Collection[str] = (),
    **options: Any,
) -> pd.DataFrame:
    """A table that has `columns`; `options` are those of pandas.

    Columns of `text` are read as they are written ("NA", "007"), those of `flags` hold true or false, all
    others numbers. Cells of `gaps` may be empty, and their numbers infinite. StudyError names a missing
    column, or the first row with a wrong cell (the header is row 1).
    """
    import numpy as np

    table = _table(path, text, options)
    if missing := [column for column in columns if column not in table]:
        raise StudyError(f"{path}: has no column {', '.join(missing)}; it has {', '.join(map(str, table))}")
    for column in dict.fromkeys(columns):
        wanted = "text" if column in text else "true or false" if column in flags else "a number"
        right = _is_right(table[column], wanted)
        if column in gaps:
            right |= table[column].isin([np.nan, np.inf])
        if not right.all():
            row = int(right.argmin())
            found = SHORT.repr(table[column].tolist()[row])
            raise StudyError(f"{path}, row {row + 2}: {column} is not {wanted} (it is {found})")
    return table


def _table(path: Path, text: Collection[str], options: dict[str, Any]) -> pd.DataFrame:
    """A table whose columns of `text` are as they are written; only empty cells of others are missing."""
    import pandas as pd

    try:
        others = [column for column in pd.read_csv(path, nrows=0, **options) if column not in text]
        table = pd.read_csv(
            path,
            dtype=dict.fromkeys(text, str),
            keep_default_na=False,
            na_values=dict.fromkeys(others, ("", *options.pop("na_values", ()))),
            **options,
        )
    except (OSError, ValueError, OverflowError) as error:
        raise StudyError(f"{path}: cannot be read as a table ({one_line(error)})") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise StudyError(f"{path}: has rows with more cells than columns")
    return table


def _is_right(cells: pd.Series, wanted: str) -> pd.Series:
    """For each cell whether it is as wanted."""
    import numpy as np
    import pandas as pd

    if wanted == "text":
        return cells.notna()
    if wanted == "true or false":
        return cells.isin([True, False])
    if pd.api.types.is_numeric_dtype(cells) and cells.dtype != bool:
        return cells.abs() < np.inf
    return pd.Series(False, cells.index)
