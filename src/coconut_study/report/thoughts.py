"""Tables of what thoughts hold: values of candidates, tokens, and where thoughts end. Pure.

`values` has one row per candidate for the next step, as the probe writes them (`columns.VALUES`). A candidate
is correct if it leads to the asked option. `uniform` is the value that each would have if all candidates of a
question had the same and nothing else had any: 1 / number of candidates. Values in tables are in percent.

Candidates are compared within questions: one of two candidates has a higher value than one of four, whatever
the model knows. `bases` names the base model of every method and seed (see `scores.by_base`).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from coconut_study.report.cells import rounded, titled, with_interval
from coconut_study.report.intervals import estimate
from coconut_study.report.scores import RUN, by_base, means

Bases = Mapping[str, Mapping[int, str]]

WAYS = ("fixed", "classifier")  # of ending thoughts
METHOD = ["dataset", "method"]
TOPS = (1, 2, 3)
PERCENTILES = np.linspace(0, 1, 101)
PRINTED_PERCENTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

SHARE = (0.0, 100.0)
POINTS = (-100.0, 100.0)
ALL = "all"
ADVANTAGE, AUC, OVER_UNIFORM, DECIDED = "advantage", "auc", "top over uniform", "decided"
NULLS = {
    ADVANTAGE: 0.0,
    AUC: 50.0,
    OVER_UNIFORM: 0.0,
    DECIDED: 0.0,
}  # of a model that knows nothing of the graph
BOUNDS = {ADVANTAGE: POINTS, AUC: SHARE, OVER_UNIFORM: POINTS, DECIDED: POINTS}
WITHIN = (ADVANTAGE, AUC, OVER_UNIFORM)  # measured within a question


def ending(ends: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """One row per method and way: right answers (percent), and the mean number of thoughts.

    `ends` has one row per question: dataset, method, seed, group, and for each way its k and whether it is
    right.
    """
    return pd.DataFrame(
        [
            {"dataset": dataset, "method": method, "way": way}
            | _estimate(ended(runs, way), bases[method], SHARE)
            | {"thoughts": runs[f"{way} k"].mean()}
            for (dataset, method), runs in ends.groupby(METHOD, sort=False)
            for way in WAYS
        ]
    )


def ended(ends: pd.DataFrame, way: str) -> pd.DataFrame:
    """The score table of right answers (percent) of one data set and method if thoughts end in this way."""
    return 100 * means(ends.assign(right=ends[f"{way} right"].astype(float)), "right")


# ----------------------------------------------------------------------------- values, as score tables


def advantage(values: pd.DataFrame, frontier: int) -> pd.DataFrame:
    """How much more the model values what leads to the asked option: the mean value of the correct candidates
    of a question minus that of the incorrect ones, in percentage points; 0 if it does not tell them apart.

    A score table (see `intervals`) over the questions with both kinds of candidates at this distance from the
    root, as are those of the functions below. `values` is of one data set and method. The two options do not
    count as candidates here: the question names them, so that no path need be followed to value the one that
    the root leads to above other nodes.
    """
    return _scores(_questions(_at(values, frontier)), ADVANTAGE)


def auc(values: pd.DataFrame, frontier: int) -> pd.DataFrame:
    """How often a correct candidate of a question has a higher value than an incorrect one: the share of such
    pairs in percent, ties half (the area under the ROC curve); 50 if values do not tell them apart. Over the
    candidates and questions of `advantage`."""
    return _scores(_questions(_at(values, frontier)), AUC)


def top_over_uniform(values: pd.DataFrame, frontier: int) -> pd.DataFrame:
    """The value of the best candidate minus `uniform`, in percentage points; 0 if all candidates are equal.
    Over the questions with two candidates or more."""
    return _scores(_questions(_at(values, frontier)), OVER_UNIFORM)


def decided(values: pd.DataFrame) -> pd.DataFrame:
    """How much more decided the second frontier is than the first: the value of the best candidate there
    minus that at the first, at the same number of candidates, in percentage points; 0 if thoughts narrow
    nothing down.

    Over the numbers of candidates, two or more, that both frontiers have. A number that n1 questions have at
    the first and n2 at the second has the weight n1 n2 / (n1 + n2): the mean is the coefficient of the
    frontier in a regression of the best value on frontier and number of candidates.
    """
    matched = _matched(values)
    if matched.empty:
        return pd.DataFrame()
    mean = matched.groupby(["seed", "size", "frontier"])["best"].transform("mean")
    weight = matched["weight"]
    rows = matched.assign(whole=weight * matched["best"], part=weight * (matched["best"] - mean))
    parts = rows.groupby(["seed", "group"])["part"].sum().unstack()
    return (parts.shape[1] * parts).add(rows.groupby("seed")["whole"].sum(), axis=0)


def _matched(values: pd.DataFrame) -> pd.DataFrame:
    """The questions at the first two frontiers, at the numbers of candidates that both have, with a `weight`:
    for each seed, those of the second frontier sum to 1, those of the first to -1."""
    both = [_questions(_at(values, frontier)) for frontier in (1, 2)]
    questions = pd.concat(both, ignore_index=True)
    questions = questions[questions["size"] > 1]
    n_own = questions.groupby(["seed", "size", "frontier"])["question"].transform("size")
    n_both = questions.groupby(["seed", "size"])["question"].transform("size")
    weight = 1 - n_own / n_both  # n1 n2 / (n1 + n2), divided among its own
    share = 2 * weight / weight.groupby(questions["seed"]).transform("sum")
    return questions.assign(weight=share.where(questions["frontier"] == 2, -share))[weight > 0]


def _at(values: pd.DataFrame, frontier: int) -> pd.DataFrame:
    """The values of a frontier, after as many thoughts as lead to it (the most, if several numbers do)."""
    rows = values[values["frontier"] == frontier]
    return rows[rows["k"] == rows["k"].max()]


def _questions(values: pd.DataFrame) -> pd.DataFrame:
    """One row per run, k and question: its number of candidates (`size`), their values together (`total`),
    the `best`, and the measures within questions (missing without two kinds, or two candidates), in percent.
    """
    at = [*RUN, "k", "frontier", "group", "question"]
    rows = values[[*at, "correct", "option"]].assign(value=100 * values["value"])
    found = rows.groupby(at)["value"].agg(size="size", total="sum", best="max")
    others = rows[~rows["option"]]
    others = others.assign(rank=others.groupby(at)["value"].rank())
    right, wrong = (others[others["correct"] == kind].groupby(at) for kind in (True, False))
    n_right, n_wrong = right.size(), wrong.size()
    won = right["rank"].sum() - n_right * (n_right + 1) / 2  # pairs in which the correct candidate is higher
    return found.assign(
        **{
            "uniform": 100 / found["size"],
            ADVANTAGE: right["value"].mean() - wrong["value"].mean(),
            AUC: 100 * won / (n_right * n_wrong),
            OVER_UNIFORM: (found["best"] - 100 / found["size"]).where(found["size"] > 1),
        }
    ).reset_index()


def _scores(questions: pd.DataFrame, measure: str) -> pd.DataFrame:
    """The score table of a measure; empty if no question has it."""
    measured = questions.dropna(subset=measure)
    return pd.DataFrame() if measured.empty else means(measured, measure)


def _estimate(
    scores: pd.DataFrame, bases: Mapping[int, str], bounds: tuple[float, float]
) -> dict[str, float]:
    """The mean of a score table with its interval, and the number of units."""
    return estimate(by_base(scores, bases)).interval(bounds)._asdict()


# --------------------------------------------------------------------------------------- within questions


def contrasts(values: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """What the values of a question tell, beside what they would be if they told nothing (`null`).

    One row per data set, method, k and measure (see `advantage`, `auc`, `top_over_uniform` and `decided`),
    with the number of questions that it is over.
    """
    rows = []
    for key, runs in values.groupby(METHOD, sort=False):
        for at, questions in _questions(runs).groupby(["k", "frontier"]):
            for measure in WITHIN:
                over = questions.dropna(subset=measure)
                if not over.empty:
                    rows.append((*key, *at, measure, over, _scores(over, measure)))
        matched = _matched(runs)
        if not matched.empty:
            last = matched[matched["frontier"] == 2]["k"].iloc[0]
            rows.append((*key, last, 2, DECIDED, matched, decided(runs)))
    return pd.DataFrame(
        [
            {"dataset": dataset, "method": method, "k": k, "frontier": frontier, "measure": measure}
            | {"questions": over["question"].nunique()}
            | _estimate(scores, bases[method], BOUNDS[measure])
            | {"null": NULLS[measure]}
            for dataset, method, k, frontier, measure, over, scores in rows
        ]
    )


def best(values: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """The value of the best candidate of a question, at equal numbers of candidates (`size`), and over all.

    One row per data set, method, k and size: mean and interval, `uniform`, the value of all candidates
    together (`total`), and the number of questions.
    """
    rows = []
    for key, questions in _questions(values).groupby([*METHOD, "k", "frontier"], sort=False):
        for size, sized in _by_size(questions):
            at = dict(zip([*METHOD, "k", "frontier"], key, strict=True))
            rows.append(
                at
                | {"size": size, "questions": sized["question"].nunique()}
                | _estimate(_scores(sized, "best"), bases[key[1]], SHARE)
                | {"uniform": sized["uniform"].mean(), "total": sized["total"].mean()}
            )
    return pd.DataFrame(rows)


def _by_size(questions: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The questions with each number of candidates, and all of them."""
    return [*((str(size), sized) for size, sized in questions.groupby("size")), (ALL, questions)]


def values_seeds(values: pd.DataFrame) -> pd.DataFrame:
    """The means of every run: the `best` value at each number of candidates (`size`), and the measures within
    questions over all of them."""
    rows = []
    for key, questions in _questions(values).groupby([*RUN, "k", "frontier"], sort=False):
        at = dict(zip([*RUN, "k", "frontier"], key, strict=True))
        rows += [
            at | {"measure": "best", "size": size, "value": sized["best"].mean()}
            for size, sized in _by_size(questions)
        ]
        rows += [at | {"measure": name, "size": ALL, "value": questions[name].mean()} for name in WITHIN]
    return pd.DataFrame(rows)


# ------------------------------------------------------------------------------------------ parallelism


def parallelism(values: pd.DataFrame) -> pd.DataFrame:
    """The summed value of the best candidates of a question, by percentile of questions (paper Figure 8).

    One row per data set, method, k, `top` and percentile (0 to 1): the summed value of the `top` best
    candidates, or of all candidates if there are fewer. Each curve is sorted by itself, so that it rises;
    each seed has its own curves, and `value` is their mean. `uniform` is the same curve if all candidates of
    a question had the same value: it rises as well, because questions differ in their number of candidates.
    """
    rows = [
        curves.assign(**dict(zip([*RUN, "k"], key, strict=True)))
        for key, candidates in values.groupby([*RUN, "k"], sort=False)
        for curves in [_curves(candidates)]
    ]
    at = [*METHOD, "k", "top", "percentile"]
    found = pd.concat(rows).groupby(at, sort=False)
    return found.agg(
        value=("value", "mean"), uniform=("uniform", "mean"), seeds=("value", "size")
    ).reset_index()


def _curves(values: pd.DataFrame) -> pd.DataFrame:
    """The curves of one run and k: top, percentile, value, uniform."""
    ranked = values.sort_values("value", ascending=False)
    by_question = ranked.groupby("question")["value"]
    rank = by_question.cumcount()
    ranked = ranked.assign(uniform=1 / by_question.transform("size"))
    curves = []
    for top in TOPS:
        sums = 100 * ranked[rank < top].groupby("question")[["value", "uniform"]].sum()
        curves.append(sums.quantile(PERCENTILES).rename_axis("percentile").reset_index().assign(top=top))
    return pd.concat(curves)


# -------------------------------------------------------------------------------------- value by height


def heights(values: pd.DataFrame, *, bases: Bases) -> pd.DataFrame:
    """The value of correct and of incorrect candidates by height (paper Figure 9, section 5.4).

    One row per data set, method, k, height and kind (`correct`): the mean `value` of candidates as in the
    paper, and, with its interval, that of value minus `uniform`: what remains when questions with many
    candidates and with few are put on a level. With the numbers of candidates and questions.
    """
    size = values.groupby([*RUN, "k", "question"])["value"].transform("size")
    rows = values.assign(value=100 * values["value"], above=100 * (values["value"] - 1 / size))
    at = [*METHOD, "k", "frontier", "height", "correct"]
    return pd.DataFrame(
        [
            dict(zip(at, key, strict=True))
            | {"value": cell["value"].mean()}
            | _estimate(_scores(cell, "above"), bases[key[1]], POINTS)
            | {"candidates": len(cell[["question", "node"]].drop_duplicates())}
            | {"questions": cell["question"].nunique()}
            for method, runs in rows.groupby(METHOD, sort=False)
            for key, cell in runs.groupby(at)
        ]
    )


def decoded(tokens: pd.DataFrame) -> pd.DataFrame:
    """The tokens of every thought, as the runs list them: most likely first (paper Figure 4)."""
    return tokens


# --------------------------------------------------------------------------------------------- as text


def format_ending(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per method and way to end thoughts."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "thoughts end": table["way"].map({"fixed": "at a fixed number", "classifier": "by a classifier"}),
            "seeds": table["n"].astype(str),
            "accuracy (%)": with_interval(table["mean"], table["low"], table["high"]),
            "thoughts": table["thoughts"].map(lambda value: rounded(value, 2)),
        }
    )


def format_parallelism(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k and number of best candidates, one column per percentile: the value, and `uniform`."""
    at = ["dataset", "method", "k", "top"]
    rows = table.assign(percentile=table["percentile"].round(2))
    rows = rows[rows["percentile"].isin(PRINTED_PERCENTILES)]
    rows = rows.assign(
        cell=[f"{rounded(v)} ({rounded(u)})" for v, u in rows[["value", "uniform"]].to_numpy()]
    )
    wide = rows.pivot(index=at, columns="percentile", values="cell")
    order = rows[at].drop_duplicates()
    wide = wide.loc[list(order.itertuples(index=False, name=None))].reset_index()
    columns = {share: f"percentile {100 * share:.0f}" for share in PRINTED_PERCENTILES}
    rest = wide.drop(columns=METHOD).rename(columns=columns | {"top": "best candidates"})
    return pd.DataFrame({**titled(wide, titles), **rest.astype(str)})


def format_best(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k and number of candidates."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "k": table["k"].astype(str),
            "edges from root": table["frontier"].astype(str),
            "candidates": table["size"].astype(str),
            "questions": table["questions"].astype(str),
            "best value (%)": with_interval(table["mean"], table["low"], table["high"]),
            "if all were equal (%)": table["uniform"].map(rounded),
            "all together (%)": table["total"].map(rounded),
        }
    )


MEASURED = {
    ADVANTAGE: "correct minus incorrect (points)",
    AUC: "correct above incorrect (% of pairs)",
    OVER_UNIFORM: "best minus equal (points)",
    DECIDED: "best, minus that at the first frontier (points)",
}


def format_contrasts(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k and measure."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "k": table["k"].astype(str),
            "edges from root": table["frontier"].astype(str),
            "measure": table["measure"].map(MEASURED),
            "questions": table["questions"].astype(str),
            "seeds": table["n"].astype(str),
            "ours": with_interval(table["mean"], table["low"], table["high"]),
            "if values told nothing": table["null"].map(lambda value: rounded(value, 0)),
        }
    )


def format_heights(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per k, height and kind of candidate."""
    return pd.DataFrame(
        {
            **titled(table, titles),
            "k": table["k"].astype(str),
            "height": table["height"].astype(str),
            "candidate": table["correct"].map({True: "correct", False: "incorrect"}),
            "value (%)": table["value"].map(rounded),
            "minus equal (points)": with_interval(table["mean"], table["low"], table["high"]),
            "candidates": table["candidates"].astype(str),
            "questions": table["questions"].astype(str),
        }
    )


def format_decoded(table: pd.DataFrame, *, titles: Mapping[str, str]) -> pd.DataFrame:
    """One row per thought: its most likely tokens first."""
    at = ["dataset", "method", "seed", "question", "thought"]
    cells = [
        f"{token!r} {probability:.2f}"
        for token, probability in zip(table["token"], table["probability"], strict=True)
    ]
    wide = table[at].assign(tokens=cells).groupby(at, sort=False)["tokens"].agg(", ".join).reset_index()
    numbers = {name: wide[name].astype(str) for name in ("seed", "question", "thought")}
    return pd.DataFrame({**titled(wide, titles), **numbers, "likeliest tokens": wide["tokens"]})
