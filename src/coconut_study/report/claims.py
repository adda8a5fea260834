"""The paper's claims one by one: what it reports, what we measure, and what that decides. Pure.

A claim that one side is above another has `more` and `less`, a claim that two are alike has `one` and `other`
(see `stand_ins` for sides). The paper's numbers are compared with ours only where both the questions and the
model are the paper's, and seconds never, because hardware differs. `verdicts` decides.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd
from scipy import stats

from coconut_study.report.cells import rounded, with_interval
from coconut_study.report.intervals import FEWEST, Estimate, estimate
from coconut_study.report.markup import Folded
from coconut_study.report.scores import ANSWER, TOKENS
from coconut_study.report.sides import COSTS, SECONDS, Scores, measured
from coconut_study.report.stand_ins import LAST, Pair, Sides, StandIns, pairs
from coconut_study.report.verdicts import ALPHA, Verdict, adjusted, decide, lacking, p_value

NUMBERS = {"accuracy": ANSWER, "tokens": TOKENS}  # in the paper's accuracy tables, and our measures of them
POINTS, PERCENT = "points", "%"  # units of differences: between percentages, and of costs
DECIDED = (Verdict.SUPPORTED, Verdict.CONTRADICTED)
ROUNDING = 0.05  # of the tokens that the paper prints
NOTHING = Estimate(math.nan, math.nan, math.nan, 0, 0, math.nan)


class Question(NamedTuple):
    """What a claim asks: how far `found`, the difference between its sides, is from 0. `margin` is in
    `unit`."""

    claim: str
    reference: str
    alike: bool
    null: str
    paper: float
    unit: str
    margin: float
    dataset: str | None = None
    methods: str = ""
    tested: str = ""
    found: Estimate = NOTHING
    seeds: int = 0


def claims(
    counts: pd.DataFrame,
    timings: pd.DataFrame,
    ends: pd.DataFrame,
    values: pd.DataFrame,
    intervened: pd.DataFrame,
    shortcuts: pd.DataFrame,
    paper: Mapping[str, Any],
    *,
    stand_ins: Mapping[str, Any],
    margin: float,
    bases: Mapping[str, Mapping[int, str]],
) -> pd.DataFrame:
    """One row per claim and data set of ours (see `compare`), from the tables that `sides.measured` takes."""
    scores = measured(counts, timings, ends, values, intervened, shortcuts)
    return compare(scores, paper, stand_ins=stand_ins, margin=margin, bases=bases)


def compare(
    scores: Scores,
    paper: Mapping[str, Any],
    *,
    stand_ins: Mapping[str, Any],
    margin: float,
    bases: Mapping[str, Mapping[int, str]],
) -> pd.DataFrame:
    """One row per claim and data set of ours on which both of its sides were measured; one without a data set
    if there is none.

    `stand_ins` and `bases` are those of `stand_ins.StandIns`. Differences below `margin` percentage points do
    not matter. `p` is of no difference, `adjusted` the same after Holm's method over all rows of a data set,
    and `p within` of equivalence within the margin. The interval is that of the difference, in `unit`.
    """
    ours = StandIns(stand_ins, scores, bases)
    asked = [*_comparisons(ours, paper, margin), *_numbers(ours, paper, margin)]
    p = pd.Series([p_value(one.found) for one in asked], dtype=float)
    holm = p.groupby([str(one.dataset) for one in asked]).transform(lambda family: adjusted(family.tolist()))
    return pd.DataFrame([_row(one, one_p) for one, one_p in zip(asked, holm, strict=True)])


def _row(asked: Question, p: float) -> dict[str, Any]:
    """A row of the table; `p` is adjusted."""
    found, margin = asked.found, asked.margin
    verdict = decide(found, p, margin, alike=asked.alike)
    told = ("claim", "reference", "dataset", "methods", "null", "tested", "paper", "unit", "margin", "seeds")
    return {name: getattr(asked, name) for name in told} | {
        "units": found.units,
        "groups": found.groups,
        "difference": found.mean,
        "low": found.interval().low,
        "high": found.interval().high,
        "p": p_value(found),
        "adjusted": p,
        "p within": found.p_within(margin),
        "verdict": verdict.value,
        "note": _note(asked, verdict, p),
    }


def _note(asked: Question, verdict: Verdict, p: float) -> str:
    """What a reader should know beside the verdict."""
    if verdict is Verdict.UNDECIDED:
        unit = "seed" if asked.found.units == asked.seeds else "base model"
        note = lacking(asked.found, p, asked.margin, unit, alike=asked.alike)
        raw = p_value(asked.found)
        return f"{note}; p = {raw:.2g}, adjusted {p:.2g}" if asked.found.p() < ALPHA else note
    if verdict is Verdict.EQUIVALENT and p < ALPHA:
        return "there is a difference, within the margin"
    if verdict in DECIDED and not asked.alike and min(map(abs, asked.found.interval()[1:3])) < asked.margin:
        return "may be smaller than the margin"
    return ""


# ----------------------------------------------------------------------------------------- comparisons


def _comparisons(ours: StandIns, paper: Mapping[str, Any], margin: float) -> Iterator[Question]:
    """What the claims about two sides ask."""
    for claim in paper["claims"]:
        alike = "one" in claim
        sides = [claim[side] for side in (("one", "other") if alike else ("more", "less"))]
        unit = PERCENT if sides[0].get("measure") in COSTS else POINTS
        asked = Question(
            claim=claim["claim"],
            reference=claim["reference"],
            alike=alike,
            null=claim.get("against", f"{margin:g} {unit} apart" if alike else "no difference"),
            paper=_reported(paper, claim["dataset"], sides),
            unit=unit,
            margin=margin,
        )
        found = [_answered(ours, paper, asked, pair) for pair in pairs(ours, claim["dataset"], sides)]
        yield from found or [asked]


def _reported(paper: Mapping[str, Any], dataset: str, sides: Sides) -> float:
    """The difference in the paper's tables; NaN unless they have both numbers."""
    more, less = (_number(paper, dataset, side) for side in sides)
    return 100 * (more / less - 1) if sides[1].get("measure") in COSTS else more - less


def _number(paper: Mapping[str, Any], dataset: str, side: Mapping[str, Any]) -> float:
    """The number of a side in the paper's tables; NaN if they have none."""
    method, measure = side.get("method"), side.get("measure", ANSWER)
    if side.get("k", LAST) != LAST:
        return math.nan
    if measure == SECONDS:
        return float(paper["seconds"].get(dataset, {}).get(method, math.nan))
    number = {column: name for name, column in NUMBERS.items()}.get(measure)
    return float(paper["accuracy"].get(dataset, {}).get(method, {}).get(number, math.nan))


# --------------------------------------------------------------------------------------------- numbers


def _numbers(ours: StandIns, paper: Mapping[str, Any], margin: float) -> Iterator[Question]:
    """What the numbers of the paper's accuracy tables ask of runs on its questions with its model.

    Accuracies are compared within the margin, or the paper's own deviation if that is larger, and tokens
    within the rounding of the printed number.
    """
    printed = (
        (dataset, method, number, reported)
        for dataset, methods in paper["accuracy"].items()
        for method, reported in methods.items()
        for number in NUMBERS
        if reported.get(number) is not None
    )
    for dataset, method, number, reported in printed:
        sides = ({"method": method, "measure": NUMBERS[number]}, {"value": reported[number]})
        unit = COSTS.get(NUMBERS[number], POINTS)
        within = max(margin, reported.get("sd") or 0.0) if unit == POINTS else ROUNDING
        asked = Question(
            claim=f"{paper['names'][method]} on {paper['names'][dataset]}: {number}",
            reference=reported["reference"],
            alike=True,
            null=f"{within:g} {unit} apart",
            paper=float(reported[number]),
            unit=unit,
            margin=within,
        )
        found = pairs(ours, dataset, sides)
        yield from (_answered(ours, paper, asked, pair) for pair in found if all(_same(ours, paper, pair)))


# ---------------------------------------------------------------------------------------------- shared


def _answered(ours: StandIns, paper: Mapping[str, Any], asked: Question, pair: Pair) -> Question:
    """The question with what was measured."""
    data, model = _same(ours, paper, pair)
    tested = {
        (True, True): "the paper's data and model",
        (True, False): "the paper's data, another model",
        (False, True): "other data, the paper's model",
        (False, False): "other data and model",
    }
    return asked._replace(
        dataset=pair.dataset,
        methods=", ".join(pair.methods.values()),
        tested=tested[data, model],
        found=_estimate(pair.table),
        seeds=pair.seeds,
    )


def _same(ours: StandIns, paper: Mapping[str, Any], pair: Pair) -> tuple[bool, bool]:
    """Whether the questions are the paper's, and whether all models are."""
    models = paper["models"]
    same = (
        ours.given["models"].get(own) == models.get(name, models["default"])
        for name, own in pair.methods.items()
    )
    return pair.dataset in ours.given["published"], all(same)


def _estimate(table: pd.DataFrame) -> Estimate:
    """The mean of a score table, which varies over units alone if there is one group (seconds of a run)."""
    units, groups = table.shape
    if groups > 1 or units < FEWEST:
        return estimate(table)
    return Estimate(table.mean(axis=None), float(stats.sem(table.iloc[:, 0])), units - 1, units, 1, 0.0)


# --------------------------------------------------------------------------------------------- as text


def format_claims(table: pd.DataFrame, *, titles: Mapping[str, str]) -> Folded:
    """One row per claim and data set, those with a verdict first; the claims that were not run, folded."""
    order = [verdict.value for verdict in Verdict]
    ran = table["verdict"] != Verdict.NOT_RUN.value
    rows = table[ran].sort_values("verdict", key=lambda names: names.map(order.index), kind="stable")
    shown = pd.DataFrame(
        {
            "claim": rows["claim"],
            "verdict": rows["verdict"],
            "difference [95 % interval]": [_difference(row) for row in rows.itertuples()],
            "null": rows["null"],
            "tested on": [f"{titles[row.dataset]}: {row.tested}" for row in rows.itertuples()],
            "paper": [_paper(row) for row in rows.itertuples()],
            "seeds": [
                f"{row.seeds}" if row.units == row.seeds else f"{row.seeds}, of {row.units} base models"
                for row in rows.itertuples()
            ],
            "note": rows["note"],
        }
    )
    return Folded(shown, "Not run", table.loc[~ran, "claim"].tolist())


def _difference(row: Any) -> str:
    """The difference with its interval and, unless it is in percentage points, its unit."""
    digits = 2 if row.unit in COSTS.values() else 1
    mean, low, high = (pd.Series([value]) for value in (row.difference, row.low, row.high))
    (shown,) = with_interval(mean, low, high, digits)
    return shown if row.unit == POINTS else f"{shown} {row.unit}"


def _paper(row: Any) -> str:
    """What the paper has for it, and where."""
    return row.reference if math.isnan(row.paper) else f"{rounded(row.paper)} ({row.reference})"
