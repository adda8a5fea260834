"""What a study predicted before it was run, and what became of that. Pure.

A prediction says that `more` is above `less`, or that `one` and `other` are alike. A side is a data set, a
method, a number of thoughts k, the data set whose questions are `asked` (None for its own) and a measure; or
a value. `verdicts` decides, as for the claims of the paper.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd
from scipy import stats

from coconut_study.report.cells import rounded, with_interval
from coconut_study.report.intervals import FEWEST, Estimate, estimate
from coconut_study.report.scores import ANSWER, Bases, by_base, difference, means, scores
from coconut_study.report.transfer import pairs
from coconut_study.report.verdicts import Verdict, adjusted, decide, lacking, p_value

Side = Mapping[str, Any]
Score = Callable[[Side], pd.DataFrame]
OWN = ["dataset", "method", "k"]
OTHER = ["trained", "asked", "method", "k"]


def predictions(
    counts: pd.DataFrame,
    asked: pd.DataFrame,
    *,
    predictions: Sequence[Mapping[str, Any]],
    margin: float,
    bases: Bases,
) -> pd.DataFrame:
    """One row per prediction: both sides, their difference in percentage points with its interval, and the
    verdict.

    `counts` is the table of `scores.by_group`, `asked` that of `inputs.asked`; `bases` names the base model
    of every method and seed.
    Differences within `margin` points do not matter. `adjusted` is p after Holm's method over all predictions
    of the study.
    """
    score = partial(_score, counts, asked)
    found = [_difference(score, _sides(one), bases) for one in predictions]
    ps = adjusted([p_value(apart) for apart in found])
    return pd.DataFrame(
        [
            _row(one, [_mean(score, side) for side in _sides(one)], apart, p, margin, bases)
            for one, apart, p in zip(predictions, found, ps, strict=True)
        ]
    )


def _sides(one: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The two sides, that which is above first."""
    return [one[name] for name in ("more", "less", "one", "other") if one.get(name) is not None]


def _row(
    one: Mapping[str, Any], both: Sequence[float], apart: Estimate, p: float, margin: float, bases: Bases
) -> dict[str, Any]:
    alike, base_of = one.get("one") is not None, bases[_sides(one)[0]["method"]]
    unit = "seed" if len({*base_of.values()}) in (1, len(base_of)) else "base model"  # as in `by_base`
    verdict = decide(apart, p, margin, alike=alike)
    undecided = verdict is Verdict.UNDECIDED
    return {
        "claim": one["claim"],
        "first": both[0],
        "second": both[1],
        "difference": apart.mean,
        "low": apart.interval().low,
        "high": apart.interval().high,
        "units": apart.units,
        "p": p_value(apart),
        "adjusted": p,
        "p within": apart.p_within(margin),
        "margin": margin,
        "verdict": verdict.value,
        "note": lacking(apart, p, margin, unit, alike=alike) if undecided else "",
    }


def _score(counts: pd.DataFrame, asked: pd.DataFrame, side: Side) -> pd.DataFrame:
    """The score table of a side that is measured: one row per seed, one column per group."""
    if side["asked"] is None:
        runs = counts[(counts[OWN] == [side[name] for name in OWN]).all(axis=1)]
        return scores(runs, ANSWER)
    place = [side["dataset"], side["asked"], side["method"], side["k"]]
    rows = asked[(asked[OTHER] == place).all(axis=1)]
    if side["measure"] == "right answers":
        return 100 * means(rows, "right")
    moved = pairs(rows)
    return 100 * means(moved[moved["before"].astype(bool)], "after")


def _mean(score: Score, side: Side) -> float:
    """The measure of a side in percent, or its value."""
    if side["value"] is not None:
        return float(side["value"])
    return float(score(side).mean(axis=1).mean())


def _difference(score: Score, sides: Sequence[Side], bases: Bases) -> Estimate:
    """The first side minus the second, seed by seed. Where both answer the same questions, these are compared
    one by one; else the means of the seeds are, and the interval is over seeds alone."""
    first, second = sides
    above, of_first = score(first), bases[first["method"]]
    if second["value"] is not None:
        return estimate(by_base(above - second["value"], of_first))
    below, of_second = score(second), bases[second["method"]]
    both = {seed: f"{of_first[seed]} {of_second[seed]}" for seed in above.index.intersection(below.index)}
    if _questions(first) == _questions(second):
        return estimate(by_base(difference(above, below), both))
    apart = by_base(difference(above.mean(axis=1).to_frame(), below.mean(axis=1).to_frame()), both)[0]
    se = float(stats.sem(apart)) if len(apart) >= FEWEST else math.nan
    return Estimate(float(apart.mean()), se, len(apart) - 1, len(apart), 1, 0.0)


def _questions(side: Side) -> tuple[str, bool]:
    """What tells the questions of a side: the data set, and whether only those answered right count."""
    return side["asked"] or side["dataset"], side["measure"] == "following"


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
