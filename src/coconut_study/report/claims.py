"""The paper's claims one by one: what it reports, what we measure, and whether the claim holds. Pure.

Measurements are one long table: dataset, method, seed, k, measure, value. Claims name the paper's data sets
and methods; `stand_ins` says which of ours are compared with them. A claim for which nothing was run is in
the table as "not run".

| claim                  | holds                                                                         |
|------------------------|-------------------------------------------------------------------------------|
| a number               | our 95 % interval contains it, or our mean is within the paper's deviation      |
| one thing above another| the 95 % interval of the difference, seed by seed, is above 0                   |

With fewer than two seeds there is no interval, and the claim is "open"; so is a comparison whose interval
contains 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from coconut_study.report.cells import rounded, with_interval
from coconut_study.report.intervals import ANSWER, RUN, Interval, interval

NUMBERS = {"accuracy": ANSWER, "tokens": "tokens"}  # in the paper's accuracy tables, and our measures of them
SECONDS = "seconds"
LAST = "last"  # the number of thoughts that a run was trained with


class Row(NamedTuple):
    """A row of the table. The interval is that of ours over seeds; `difference` is ours minus the paper's."""

    claim: str
    reference: str
    dataset: str | None  # ours
    paper: float
    ours: float
    low: float
    high: float
    n: int
    difference: float
    holds: str


def claims(
    grades: pd.DataFrame,
    timings: pd.DataFrame,
    values: pd.DataFrame,
    paper: Mapping[str, Any],
    *,
    stand_ins: Mapping[str, Any],
) -> pd.DataFrame:
    """One row per claim and data set of ours, from `grades` (see `intervals.by_run`), timings and probed
    values."""
    return compare(measurements(grades, timings, values), paper, stand_ins)


def measurements(grades: pd.DataFrame, timings: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """What grades, timings of one question at a time and probed values measure, in long form."""
    tables = [grades.melt(id_vars=[*RUN, "k"], var_name="measure")]
    if not timings.empty:
        single = timings[timings["batch size"] == 1]
        seconds = single["seconds"] / single["questions"]
        tables.append(single[[*RUN, "k"]].assign(measure=SECONDS, value=seconds))
    if not values.empty:
        tables += _probed(values)
    return pd.concat(tables, ignore_index=True)


def _probed(values: pd.DataFrame) -> list[pd.DataFrame]:
    """Mean value of a question's best candidate, and of correct and incorrect ones, for each run and k."""
    at = [*RUN, "k"]
    best = values.groupby([*at, "question"])["value"].max().groupby(at).mean().reset_index()
    kinds = values["correct"].map({True: "value of correct", False: "value of incorrect"})
    both = values.groupby([*at, kinds.rename("measure")])["value"].mean().reset_index()
    return [best.assign(measure="largest value"), both]


def compare(measured: pd.DataFrame, paper: Mapping[str, Any], stand_ins: Mapping[str, Any]) -> pd.DataFrame:
    """One row (see `Row`) per claim and data set of ours that stands for the paper's.

    `stand_ins` has `datasets` and `methods`, each from a name of the paper's to a list of ours, and
    `trained`: the k that each "dataset method" was trained with.
    """
    rows = [*_comparisons(measured, paper, stand_ins), *_numbers(measured, paper, stand_ins)]
    return pd.DataFrame(rows, columns=list(Row._fields)).astype({"paper": float, "ours": float, "n": int})


# --------------------------------------------------------------------------------------------- numbers


def _numbers(measured: pd.DataFrame, paper: Mapping[str, Any], stand_ins: Mapping[str, Any]) -> Iterator[Row]:
    """One row for every number in the paper's tables."""
    for dataset, methods in paper["accuracy"].items():
        for (method, reported), number in product(methods.items(), NUMBERS):
            if reported.get(number) is None:
                continue
            claim = f"{paper['names'][method]} on {paper['names'][dataset]}: {number}"
            deviation = float(reported.get("sd") or 0) if number == "accuracy" else 0.0
            point = {"method": method, "measure": NUMBERS[number]}
            for ours, values in _measured(measured, dataset, point, stand_ins):
                yield _number(claim, reported["reference"], ours, values, float(reported[number]), deviation)
    for dataset, methods in paper["seconds"].items():
        for method, seconds in methods.items():
            claim = f"{paper['names'][method]} on {paper['names'][dataset]}: seconds per question"
            point = {"method": method, "measure": SECONDS}
            for ours, values in _measured(measured, dataset, point, stand_ins):
                yield _number(claim, "Table 4", ours, values, float(seconds), 0.0)


def _number(
    claim: str, reference: str, dataset: str | None, values: pd.Series, paper: float, deviation: float
) -> Row:
    """Whether the paper's number, or one within its deviation, is ours."""
    ours = interval(values.tolist())
    near = abs(ours.mean - paper) <= deviation or ours.low <= paper <= ours.high
    return _row(claim, reference, dataset, paper, ours, "yes" if near else "no")


# ----------------------------------------------------------------------------------------- comparisons


def _comparisons(
    measured: pd.DataFrame, paper: Mapping[str, Any], stand_ins: Mapping[str, Any]
) -> Iterator[Row]:
    """One row for every claim that one thing is above another."""
    for claim in paper["claims"]:
        more, less = ({"measure": ANSWER} | claim[side] for side in ("more", "less"))
        below = dict(_measured(measured, claim["dataset"], less, stand_ins))
        for ours, above in _measured(measured, claim["dataset"], more, stand_ins):
            pairs = (above - below[ours]).dropna().tolist() if ours in below else []
            difference = interval(pairs)
            holds = "yes" if difference.low > 0 else "no" if difference.high < 0 else "open"
            reported = _reported(paper, claim["dataset"], more, less)
            yield _row(claim["claim"], claim["reference"], ours, reported, difference, holds)


def _reported(
    paper: Mapping[str, Any], dataset: str, more: Mapping[str, Any], less: Mapping[str, Any]
) -> float:
    """The difference in the paper's tables; NaN unless they have both numbers."""
    sides = []
    for side in (more, less):
        reported = paper["accuracy"].get(dataset, {}).get(side["method"], {})
        number = {column: name for name, column in NUMBERS.items()}.get(side["measure"])
        value = paper["seconds"].get(dataset, {}).get(side["method"]) if side["measure"] == SECONDS else None
        if number is not None and side.get("k", LAST) == LAST:
            value = reported.get(number)
        sides.append(np.nan if value is None else float(value))
    return sides[0] - sides[1]


# ---------------------------------------------------------------------------------------------- shared


def _measured(
    measured: pd.DataFrame, dataset: str, point: Mapping[str, Any], stand_ins: Mapping[str, Any]
) -> list[tuple[str | None, pd.Series]]:
    """(our data set, values by seed) for every data set of ours in which the point was measured.

    One pair of None and an empty series if there is none.
    """
    pairs: list[tuple[str | None, pd.Series]] = []
    ours = product(stand_ins["datasets"].get(dataset, []), stand_ins["methods"].get(point["method"], []))
    for our_dataset, our_method in ours:
        k = point.get("k", LAST)
        wanted = stand_ins["trained"].get(f"{our_dataset} {our_method}") if k == LAST else k
        rows = measured[
            (measured["dataset"] == our_dataset)
            & (measured["method"] == our_method)
            & (measured["measure"] == point["measure"])
            & (measured["k"] == wanted)
        ]
        if len(rows):
            pairs.append((our_dataset, rows.set_index("seed")["value"]))
    return pairs or [(None, pd.Series(dtype=float))]


def _row(claim: str, reference: str, dataset: str | None, paper: float, ours: Interval, holds: str) -> Row:
    """A row of the table: "not run" without seeds, and "open" with a single one, whatever `holds` says."""
    decided = "not run" if ours.n == 0 else "open" if ours.n == 1 else holds
    return Row(claim, reference, dataset, paper, *ours, ours.mean - paper, decided)


def format_claims(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per claim and data set."""
    return pd.DataFrame(
        {
            "claim": table["claim"],
            "holds": table["holds"],
            "where": table["reference"],
            "our data set": table["dataset"].map(lambda name: titles.get(name, "–"), na_action=None),
            "paper": table["paper"].map(lambda value: rounded(value, 2)),
            "ours [95 % interval]": with_interval(table["ours"], table["low"], table["high"], 2),
            "n": table["n"].astype(str),
            "difference": table["difference"].map(lambda value: rounded(value, 2)),
        }
    )
