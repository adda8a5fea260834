"""What tables and figures are made from: one function for each kind of file, which reads and checks it.

Each takes files by the name of what they hold: a run (dataset/method/seedN), a data set, a stage, a split. A
table is made only if every file is there and holds what its name says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from coconut_study.common.errors import StudyError
from coconut_study.common.files import read_csv, read_yaml
from coconut_study.evaluation.columns import CLOCK, DECODED, ENDING, GRADES, VALUES
from coconut_study.questions import describe
from coconut_study.questions import shortcuts as simple_rules
from coconut_study.report.intervals import RUN, by_run

if TYPE_CHECKING:
    from coconut_study.questions.question import Question

Files = Mapping[str, Path]

HISTORY = ("stage", "epoch", "questions", "loss", "accuracy")  # columns that tables need

WORDS = {"series": str, "label": str}  # columns of tables that hold text, even if it looks like numbers


def grades(files: Files) -> pd.DataFrame:
    """The grades of every run as shares (see `intervals.by_run`). Each file is summed up by itself: a study
    may have more grades than fit into memory."""
    runs = (by_run(_run(name, path, GRADES)) for name, path in files.items())
    return pd.concat(runs, ignore_index=True)


def clock(files: Files) -> pd.DataFrame:
    """The timings of every run."""
    return _runs(files, CLOCK)


def ending(files: Files) -> pd.DataFrame:
    """Where the thoughts of every run end, and whether its answers are right."""
    return _runs(files, ENDING)


def values(files: Files) -> pd.DataFrame:
    """The values of candidates for the next step, of every run."""
    return _runs(files, VALUES)


def decoded(files: Files) -> pd.DataFrame:
    """The tokens that the thoughts of every run decode to."""
    return _runs(files, DECODED)


def histories(files: Files) -> dict[str, pd.DataFrame]:
    """The history of every stage, by the stage's name."""
    return {name: read_csv(path, HISTORY) for name, path in files.items()}


def shortcuts(files: Files) -> pd.DataFrame:
    """The accuracy of the shortcuts on every data set."""
    return pd.concat(
        [read_csv(path, simple_rules.COLUMNS).assign(dataset=name) for name, path in files.items()]
    )


def statistics(files: Files) -> dict[str, pd.Series]:
    """The statistics of every split, by the split's title."""
    return {
        name: read_csv(path, describe.COLUMNS).set_index("measure")["value"] for name, path in files.items()
    }


def questions(files: Files) -> list[Question]:
    """The questions of one file."""
    from coconut_study.questions import schema

    return schema.read(_only(files))


def paper(files: Files) -> Any:
    """The numbers and claims of the paper."""
    return read_yaml(_only(files))


def table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A table of the report."""
    return read_csv(path, columns, dtype=WORDS)


def _runs(files: Files, columns: Sequence[str]) -> pd.DataFrame:
    """The rows of every run; a table without rows if there are no files."""
    tables = [_run(name, path, columns) for name, path in files.items()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(columns))


def _run(name: str, path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """The rows of one run; StudyError if there are none, or if some are of another run."""
    table = read_csv(path, columns)
    runs = {f"{dataset}/{method}/seed{seed}" for dataset, method, seed in table[RUN].itertuples(index=False)}
    if runs != {name}:
        there = ", ".join(sorted(runs - {name})) or "no rows"
        raise StudyError(f"{path}: has {there}; expected rows of {name} alone")
    return table


def _only(files: Files) -> Path:
    (path,) = files.values()
    return path
