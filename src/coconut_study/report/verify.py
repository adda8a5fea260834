"""Does another run of a study give the same numbers? Pure, but for `read`.

Both are given by their tables. Another run with the same seeds is another draw (on another processor, of a
later version), so its mean may lie outside the interval of the first by chance. A number *differs* only if
it does, and the seeds of both runs differ beyond chance (Welch's test, adjusted by Holm's method over all
numbers) and by more than a margin. Rules that do not plan depend on the questions alone and have to agree to
the last digit.
"""

from __future__ import annotations

import math
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from rich.table import Table
from rich.text import Text
from scipy import stats

from coconut_study.common.errors import StudyError
from coconut_study.report.cells import SHORTCUT, rounded, with_interval
from coconut_study.report.inputs import table
from coconut_study.report.intervals import FEWEST
from coconut_study.report.scores import ANSWER
from coconut_study.report.verdicts import ALPHA, adjusted

POINT = ["dataset", "method", "k"]
USED = {  # tables, and what is read of them
    "main": ("dataset", "method", "accuracy", "low", "high"),
    "sweep": (*POINT, "measure", "mean", "low", "high"),
    "sweep_seeds": (*POINT, "seed", ANSWER),
    "claims": ("claim", "dataset", "verdict"),
}


class Found(StrEnum):
    """What became of a number."""

    WITHIN = "within the interval"
    NEAR = "outside, not beyond chance"
    DIFFERS = "differs"
    MISSING = "not there"


class Tables(NamedTuple):
    """The tables of a run of a study that are compared."""

    main: pd.DataFrame
    sweep: pd.DataFrame
    sweep_seeds: pd.DataFrame
    claims: pd.DataFrame


def read(folder: Path) -> Tables:
    """The tables in `folder`, or in its folder `tables`; StudyError names the first that is not there."""
    place = folder / "tables" if (folder / "tables").is_dir() else folder
    for name in USED:
        if not (path := place / f"{name}.csv").is_file():
            raise StudyError(f"{path}: is not there; give results of a study that has ended, or its tables")
    return Tables(*(table(place / f"{name}.csv", columns) for name, columns in USED.items()))


def compared(ours: Tables, theirs: Tables, margin: float) -> pd.DataFrame:
    """One row for each number of right answers that `theirs` has, in percent: both means, the interval of
    theirs, the adjusted p value of the difference, and what was found.

    The first rows are methods at every number of thoughts, the others rules, whose k is 0.
    """
    rows = theirs.sweep[theirs.sweep["measure"] == ANSWER].rename(columns={"mean": "theirs"})
    rows = rows[[*POINT, "theirs", "low", "high"]].reset_index(drop=True)
    of_ours, of_theirs = (
        one.sweep_seeds.groupby(POINT)[ANSWER].apply(list).to_dict() for one in (ours, theirs)
    )
    values = [
        (of_ours.get(point, []), of_theirs[point]) for point in rows[POINT].itertuples(index=False, name=None)
    ]
    rows["ours"] = [sum(own) / len(own) if own else math.nan for own, _ in values]
    rows["adjusted"] = adjusted([_p_value(*both) for both in values])
    rows["found"] = [_found(row, margin) for _, row in rows.iterrows()]
    return pd.concat([rows, _rules(ours.main, theirs.main)], ignore_index=True)


def _p_value(ours: list[float], theirs: list[float]) -> float:
    """Two-sided p value of equal means; missing with fewer than three seeds on a side."""
    if min(len(ours), len(theirs)) < FEWEST:
        return math.nan
    if len({*ours}) == len({*theirs}) == 1:  # no seed differs from another: nothing is left to chance
        return float(ours[0] == theirs[0])
    return float(stats.ttest_ind(ours, theirs, equal_var=False).pvalue)


def _found(row: pd.Series, margin: float) -> Found:
    if math.isnan(row["ours"]):
        return Found.MISSING
    if row["low"] <= row["ours"] <= row["high"]:
        return Found.WITHIN
    beyond = row["adjusted"] < ALPHA and abs(row["ours"] - row["theirs"]) > margin
    return Found.DIFFERS if beyond else Found.NEAR


def _rules(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the rules."""
    at = ["dataset", "method"]
    rules = theirs[theirs["method"].str.startswith(SHORTCUT)]
    both = rules.merge(ours[[*at, "accuracy"]], on=at, how="left", suffixes=("", " ours"))
    same = (both["accuracy"] - both["accuracy ours"]).abs() < 1e-6
    found = [Found.WITHIN if one else Found.DIFFERS for one in same]
    return pd.DataFrame(
        {
            **{name: both[name] for name in at},
            "k": 0,
            "theirs": both["accuracy"],
            "low": both["low"],
            "high": both["high"],
            "ours": both["accuracy ours"],
            "adjusted": math.nan,
            "found": [
                Found.MISSING if math.isnan(own) else one
                for own, one in zip(both["accuracy ours"], found, strict=True)
            ],
        }
    )


def changed(ours: pd.DataFrame, theirs: pd.DataFrame) -> list[str]:
    """A sentence for each claim with another verdict, from the tables `claims`."""
    at = ["claim", "dataset"]
    both = theirs.merge(ours, on=at, suffixes=("", " ours"))
    other = both[both["verdict"] != both["verdict ours"]]
    return [f"{row['claim']}: {row['verdict']}, now {row['verdict ours']}" for _, row in other.iterrows()]


def shown(rows: pd.DataFrame) -> Table:
    """The rows of `compared`, for a terminal."""
    columns = {
        "data set": rows["dataset"],
        "method": rows["method"],
        "k": rows["k"].astype(int).astype(str),
        "there (%)": with_interval(rows["theirs"], rows["low"], rows["high"]),
        "here (%)": rows["ours"].map(rounded),
        "found": rows["found"].map(str),
    }
    shown = Table(*columns, box=None, header_style="dim", pad_edge=False)
    for cells in zip(*columns.values(), strict=True):
        shown.add_row(*map(Text, cells))
    return shown
