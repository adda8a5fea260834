"""What tables and figures are made from: one function for each kind of file, which reads and checks it.

Each takes files by the name of what they hold: a run (dataset/method/seedN), a data set, a stage, a split. A
table is made only if every file is there and holds what its name says.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from coconut_study.common.errors import StudyError, hint
from coconut_study.common.reading import read_csv, read_yaml
from coconut_study.evaluation.columns import (
    ATTENTION,
    CLOCK,
    DECODED,
    ENDING,
    GRADES,
    INTERVENTIONS,
    KEYS,
    LINEAR,
    REMOVAL,
    TRACING,
    VALUES,
)
from coconut_study.questions import describe
from coconut_study.questions import shortcuts as simple_rules
from coconut_study.report.scores import COIN, MEASURES, RUN, by_group

if TYPE_CHECKING:
    from coconut_study.evaluation.responses import Response
    from coconut_study.questions.question import Question

Files = Mapping[str, Path]

HISTORY = ("stage", "epoch", "questions", "loss", "accuracy")  # columns that tables need

ASKED = ("trained", "asked", "method", "seed", "k", "question", "group", "right")

# Columns that hold text, whatever it looks like, and those that hold true or false.
TEXT = (
    "dataset",
    "method",
    "outcome",
    "device",
    "node",
    "token",
    "rule",
    "measure",
    "series",
    "label",
    "way",
    "size",
    "trained",
    "asked",
    "steps",
    "thoughts",
    "content",
    "part",
    "later",
    "place",
    "model",
    "labels",
    "facts",
    "removed",
    "heads",
    "row",
    "claim",
    "methods",
    "unit",
    "verdict",
    "note",
)
FLAGS = ("right", "right number", "finished", "fixed right", "classifier right", "correct", "option")
# Columns of which a cell may be empty.
GAPS = ("following", "right number", "accuracy", "loss", "value", "threshold")


def grades(files: Files) -> pd.DataFrame:
    """The counts of every run (see `scores.by_group`). Each file is summed up by itself: a study may have
    more grades than fit into memory."""
    runs = (by_group(_graded(name, path)) for name, path in files.items())
    return pd.concat(runs, ignore_index=True)


def graded(files: Files) -> pd.DataFrame:
    """The grades of every run, one row per response."""
    return pd.concat([_graded(name, path) for name, path in files.items()], ignore_index=True)


def responses(files: Files, n_questions: int) -> Sequence[Response]:
    """The responses of one run to `n_questions` questions; StudyError if they are of another run."""
    from coconut_study.evaluation import responses as written

    ((name, path),) = files.items()
    run, found = written.read(path, n_questions)
    if name != (there := f"{run['dataset']}/{run['method']}/seed{run['seed']}"):
        raise StudyError(f"{path}: has responses of {there}; expected those of {name} alone")
    return found


def asked(files: Files) -> pd.DataFrame:
    """The answers of runs that are asked the questions of other data sets, and those to their own (files by
    run and data set asked): one row per run, data set, k and question, with the columns of `ASKED`."""
    tables = [_asked(name, path) for name, path in files.items()]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*ASKED])


def rewritten(files: Files) -> pd.DataFrame:
    """The same of runs that are asked rewrites."""
    return asked(files)


def hops(files: Files) -> pd.DataFrame:
    """The number of steps of every question of the data sets that are asked, and what a coin answers right
    (`null`, in percent): missing for questions without a graph, which have no two options."""
    from coconut_study.questions import schema

    rows = [
        (name, number, len(question.steps), math.nan if question.graph is None else COIN)
        for name, path in files.items()
        for number, question in enumerate(schema.read(path))
    ]
    return pd.DataFrame(rows, columns=["asked", "question", "hops", "null"])


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


def tracing(files: Files) -> pd.DataFrame:
    """The probabilities of both options in the clean, corrupt and patched runs of every question."""
    return _runs(files, TRACING)


def interventions(files: Files) -> pd.DataFrame:
    """What every run answers with its thoughts replaced."""
    return _runs(files, INTERVENTIONS, _intervened)


def linear(files: Files) -> pd.DataFrame:
    """What linear probes read off the states of every run and of its base model."""
    return _runs(files, LINEAR)


def attention(files: Files) -> pd.DataFrame:
    """What the thoughts of every run and of its base model attend to."""
    return _runs(files, ATTENTION)


def removal(files: Files) -> pd.DataFrame:
    """The probabilities of both options with a direction removed from a thought, of every run."""
    return _runs(files, REMOVAL)


def histories(files: Files) -> dict[str, pd.DataFrame]:
    """The history of every stage, by the stage's name."""
    return {name: _read(path, HISTORY) for name, path in files.items()}


def shortcuts(files: Files) -> pd.DataFrame:
    """The points of every shortcut on the questions of every data set; no rows of one without graphs."""
    tables = [_read(path, simple_rules.COLUMNS).assign(dataset=name) for name, path in files.items()]
    return pd.concat(tables, ignore_index=True).astype({"question": int, "group": int, "points": float})


def statistics(files: Files) -> dict[str, pd.Series]:
    """The statistics of every split, by the split's title."""
    return {name: _read(path, describe.COLUMNS).set_index("measure")["value"] for name, path in files.items()}


def questions(files: Files) -> list[Question]:
    """The questions of one file."""
    from coconut_study.questions import schema

    return schema.read(_only(files))


def paper(files: Files) -> Any:
    """The numbers and claims of the paper."""
    return read_yaml(_only(files))


def table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """A table of the report."""
    return _read(path, columns, gaps=columns)


def _runs(
    files: Files, columns: tuple[str, ...], check: Callable[[pd.DataFrame, Path], None] | None = None
) -> pd.DataFrame:
    """The rows of every run; a table without rows if there are no files."""
    tables = [_run(name, path, columns) for name, path in files.items()]
    for table, path in zip(tables, files.values(), strict=True):
        if check is not None:
            check(table, path)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(columns))


def _intervened(table: pd.DataFrame, path: Path) -> None:
    """StudyError if a question was not asked with its own thoughts, which all others are compared with."""
    own = set(table.loc[table["content"] == "own", "question"])
    if lacking := sorted({*table["question"]} - own):
        raise StudyError(f"{path}: has no row of question {lacking[0]} with content own; expected one")


def _asked(name: str, path: Path) -> pd.DataFrame:
    trained, method, seed, other = name.split("/")
    table = _graded(f"{other}/{method}/{seed}", path)
    return table.assign(trained=trained).rename(columns={"dataset": "asked"})[[*ASKED]]


def _graded(name: str, path: Path) -> pd.DataFrame:
    """The grades of one run; StudyError for an unknown outcome, which no share would count, or if a question
    is graded at one k and not at another."""
    table = _run(name, path, GRADES)
    graded = table.groupby("k")["question"].count()
    if (n_questions := int(table["question"].max()) + 1) != graded.min():
        raise StudyError(f"{path}: has {graded.min()} of {n_questions} questions with k = {graded.idxmin()}")
    if unknown := sorted({*table["outcome"]} - {*MEASURES[1:]}):
        raise StudyError(f"{path}: {unknown[0]} is not an outcome{hint(unknown[0], MEASURES[1:])}")
    return table


def _run(name: str, path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """The rows of one run; StudyError if there are none, if some are of another run, or one is repeated."""
    table = _read(path, columns)
    runs = {f"{dataset}/{method}/seed{seed}" for dataset, method, seed in table[RUN].itertuples(index=False)}
    if runs != {name}:
        there = ", ".join(sorted(runs - {name})) or "no rows"
        raise StudyError(f"{path}: has {there}; expected rows of {name} alone")
    key = [*KEYS[columns]]
    if (repeated := table.duplicated(key)).any():
        row = int(repeated.argmax())
        words = ", ".join(f"{column} {table[column].iloc[row]}" for column in key)
        raise StudyError(f"{path}, row {row + 2}: is a second row with {words}; expected one")
    return table


def _read(path: Path, columns: Sequence[str], gaps: Sequence[str] = GAPS) -> pd.DataFrame:
    """A table of this project: a column of one name holds the same kind of values in all of them."""
    return read_csv(path, columns, text=TEXT, flags=FLAGS, gaps=gaps)


def _only(files: Files) -> Path:
    (path,) = files.values()
    return path
