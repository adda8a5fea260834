"""What a study predicted before it was run, and what became of that. Pure.

A prediction says that `more` is above `less`, or that `one` and `other` are alike. A side is a data set, a
method and a number of thoughts k, or a value. `verdicts` decides, as for the claims of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from scipy import stats

from coconut_study.report.cells import rounded, with_interval
from coconut_study.report.intervals import FEWEST, Estimate, estimate
from coconut_study.report.scores import ANSWER, by_base, difference, scores
from coconut_study.report.verdicts import Verdict, adjusted, decide, lacking, p_value

Bases = Mapping[str, Mapping[int, str]]
POINT = ["dataset", "method", "k"]


def predictions(
    counts: pd.DataFrame, *, predictions: Sequence[Mapping[str, Any]], margin: float, bases: Bases
) -> pd.DataFrame:
    """One row per prediction: both sides, their difference in percentage points with its interval, and the
    verdict.

    `counts` is the table of `scores.by_group`, `bases` names the base model of every method and seed.
    Differences within `margin` points do not matter. `adjusted` is p after Holm's method over all predictions
    of the study.
    """
    found = [_difference(counts, _sides(one), bases) for one in predictions]
    ps = adjusted([p_value(apart) for apart in found])
    return pd.DataFrame(
        [
            _row(counts, one, apart, p, margin, bases)
            for one, apart, p in zip(predictions, found, ps, strict=True)
        ]
    )


def _sides(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The two sides, that which is above first."""
    return [one[name] for name in ("more", "less", "one", "other") if one.get(name) is not None]


def _row(
    counts: pd.DataFrame, one: Mapping[str, Any], apart: Estimate, p: float, margin: float, bases: Bases
) -> dict[str, Any]:
    alike = one.get("one") is not None
    verdict = decide(apart, p, margin, alike=alike)
    first, second = (_mean(counts, side) for side in _sides(one))
    undecided = verdict is Verdict.UNDECIDED
    return {
        "claim": one["claim"],
        "first": first,
        "second": second,
        "difference": apart.mean,
        "low": apart.interval().low,
        "high": apart.interval().high,
        "units": apart.units,
        "p": p_value(apart),
        "adjusted": p,
        "p within": apart.p_within(margin),
        "margin": margin,
        "verdict": verdict.value,
        "note": lacking(apart, p, margin, "unit", alike=alike) if undecided else "",
    }


def _table(counts: pd.DataFrame, side: Mapping[str, Any]) -> pd.DataFrame:
    """The score table of a side that is measured: one row per seed, one column per group."""
    runs = counts[(counts[POINT] == [side[name] for name in POINT]).all(axis=1)]
    return scores(runs, ANSWER)


def _mean(counts: pd.DataFrame, side: Mapping[str, Any]) -> float:
    """Right answers (%) of a side, or its value."""
    if side["value"] is not None:
        return float(side["value"])
    return float(_table(counts, side).mean(axis=1).mean())


def _difference(counts: pd.DataFrame, sides: Sequence[Mapping[str, Any]], bases: Bases) -> Estimate:
    """The first side minus the second, seed by seed. Questions of one data set are compared one by one;
    between data sets the accuracies of the seeds are, and the interval is over seeds alone."""
    first, second = sides
    above, of_first = _table(counts, first), bases[first["method"]]
    if second["value"] is not None:
        return estimate(by_base(above - second["value"], of_first))
    below, of_second = _table(counts, second), bases[second["method"]]
    both = {seed: f"{of_first[seed]} {of_second[seed]}" for seed in above.index.intersection(below.index)}
    if first["dataset"] == second["dataset"]:
        return estimate(by_base(difference(above, below), both))
    means = difference(above.mean(axis=1).to_frame(), below.mean(axis=1).to_frame())
    apart = by_base(means, both)[0]
    se = float(stats.sem(apart)) if len(apart) >= FEWEST else float("nan")
    return Estimate(float(apart.mean()), se, len(apart) - 1, len(apart), 1, 0.0)


def format_predictions(table: pd.DataFrame) -> pd.DataFrame:
    """One row per prediction, in the order in which they were written."""
    return pd.DataFrame(
        {
            "predicted": table["claim"],
            "verdict": table["verdict"],
            "the two sides (%)": [
                f"{rounded(first)}, {rounded(second)}"
                for first, second in zip(table["first"], table["second"], strict=True)
            ],
            "difference [95 % interval]": with_interval(table["difference"], table["low"], table["high"]),
            "units": table["units"].astype(str),
            "note": table["note"].fillna(""),
        }
    )
