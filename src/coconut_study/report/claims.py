"""The paper claim by claim: what it reports, what we measure, and whether the claim holds. Pure.

Measurements are one long table: dataset, method, seed, k, measure, value. Claims speak of the paper's data
sets and rows; `stand_ins` says which of ours stand for them. A claim that nothing was run for stays in the
table as "not run".

| claim                  | holds                                                                         |
|------------------------|-------------------------------------------------------------------------------|
| a number               | the 95 % interval of ours, or the paper's mean ± its deviation, holds the other |
| one thing above another| the 95 % interval of the difference, seed by seed, is above 0                   |

With less than two seeds there is no interval: nothing is decided ("open"); an interval on both sides of 0
decides nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from coconut_study.report.intervals import ANSWER, RUN, Interval, interval
from coconut_study.report.markup import rounded, with_interval

NUMBERS = {"accuracy": ANSWER, "tokens": "tokens"}  # of the paper's accuracy tables, and what measures them
SECONDS = "seconds"
LAST = "last"  # the number of thoughts a run was trained for
COLUMNS = ["claim", "reference", "dataset", "paper", "ours", "low", "high", "n", "difference", "holds"]

Row = dict[str, Any]


def measurements(runs: pd.DataFrame, times: pd.DataFrame | None, values: pd.DataFrame | None) -> pd.DataFrame:
    """What runs (summed up by `tables.by_seed`), one-at-a-time timings and probes measure, in long form."""
    found = [runs.melt(id_vars=[*RUN, "k"], var_name="measure")]
    if times is not None:
        single = times[times["batch size"] == 1]
        seconds = single["seconds"] / single["questions"]
        found.append(single[[*RUN, "k"]].assign(measure=SECONDS, value=seconds))
    if values is not None:
        found += _probed(values)
    return pd.concat(found, ignore_index=True)


def _probed(values: pd.DataFrame) -> list[pd.DataFrame]:
    """Mean value of a question's best candidate, and of correct and incorrect ones, for each run and k."""
    at = [*RUN, "k"]
    best = values.groupby([*at, "question"])["value"].max().groupby(at).mean().reset_index()
    kinds = values["correct"].map({True: "value of correct", False: "value of incorrect"})
    both = values.groupby([*at, kinds.rename("measure")])["value"].mean().reset_index()
    return [best.assign(measure="largest value"), both]


def table(measured: pd.DataFrame, paper: Mapping[str, Any], stand_ins: Mapping[str, Any]) -> pd.DataFrame:
    """One row a claim and data set of ours that stands for the paper's, with the columns of `COLUMNS`.

    `low` and `high` are the interval of ours over seeds, `difference` is ours minus the paper's.
    `stand_ins` has `datasets` and `methods`, each from a name of the paper's to ours, and `trained`: the k
    that a (dataset, method) was trained for.
    """
    rows = [*_comparisons(measured, paper, stand_ins), *_numbers(measured, paper, stand_ins)]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"paper": float, "ours": float, "n": int})


# --------------------------------------------------------------------------------------------- numbers


def _numbers(measured: pd.DataFrame, paper: Mapping[str, Any], stand_ins: Mapping[str, Any]) -> Iterator[Row]:
    """A row for every number in the paper's tables."""
    for dataset, methods in paper["accuracy"].items():
        for (method, reported), number in product(methods.items(), NUMBERS):
            if reported.get(number) is None:
                continue
            claim = f"{paper['names'][method]} on {paper['names'][dataset]}: {number}"
            said = (float(reported[number]), float(reported.get("sd") or 0) if number == "accuracy" else 0.0)
            point = {"method": method, "measure": NUMBERS[number]}
            for ours, values in _measured(measured, dataset, point, stand_ins):
                yield _number(claim, reported["reference"], ours, values, said)
    for dataset, methods in paper["seconds"].items():
        for method, seconds in methods.items():
            claim = f"{paper['names'][method]} on {paper['names'][dataset]}: seconds per question"
            point = {"method": method, "measure": SECONDS}
            for ours, values in _measured(measured, dataset, point, stand_ins):
                yield _number(claim, "Table 4", ours, values, (float(seconds), 0.0))


def _number(
    claim: str, reference: str, dataset: str | None, values: pd.Series, said: tuple[float, float]
) -> Row:
    mean, deviation = said
    found = interval(values.tolist())
    near = abs(found.mean - mean) <= deviation or found.low <= mean <= found.high
    return _row(claim, reference, dataset, mean, found, "yes" if near else "no")


# ----------------------------------------------------------------------------------------- comparisons


def _comparisons(
    measured: pd.DataFrame, paper: Mapping[str, Any], stand_ins: Mapping[str, Any]
) -> Iterator[Row]:
    """A row for every claim that one thing is above another."""
    for claim in paper["claims"]:
        more, less = ({"measure": ANSWER} | claim[side] for side in ("more", "less"))
        below = dict(_measured(measured, claim["dataset"], less, stand_ins))
        for ours, above in _measured(measured, claim["dataset"], more, stand_ins):
            apart = interval((above - below[ours]).dropna().tolist()) if ours in below else interval([])
            holds = "yes" if apart.low > 0 else "no" if apart.high < 0 else "open"
            said = _said(paper, claim["dataset"], more, less)
            yield _row(claim["claim"], claim["reference"], ours, said, apart, holds)


def _said(paper: Mapping[str, Any], dataset: str, more: Mapping[str, Any], less: Mapping[str, Any]) -> float:
    """The difference in the paper's tables; NaN where they do not have both."""
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
    """(our data set, values by seed) for every data set of ours that has the point; else (None, nothing)."""
    found: list[tuple[str | None, pd.Series]] = []
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
            found.append((our_dataset, rows.set_index("seed")["value"]))
    return found or [(None, pd.Series(dtype=float))]


def _row(claim: str, reference: str, dataset: str | None, paper: float, ours: Interval, holds: str) -> Row:
    """A row of the table; nothing run is "not run", and nothing is decided by a single seed."""
    decided = "not run" if ours.n == 0 else "open" if ours.n == 1 else holds
    return {
        "claim": claim,
        "reference": reference,
        "dataset": dataset,
        "paper": paper,
        "ours": ours.mean,
        "low": ours.low,
        "high": ours.high,
        "n": ours.n,
        "difference": ours.mean - paper,
        "holds": decided,
    }


def show_claims(table: pd.DataFrame, titles: Mapping[str, str]) -> pd.DataFrame:
    """The show_claims as they are read."""
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
