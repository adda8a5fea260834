"""The points of an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from coconut_study.report import marks
from coconut_study.report.cells import rounded
from coconut_study.report.palette import (
    ROLES,
    THOUGHTS,
    THOUGHTS_PALE,
    THOUGHTS_TINT,
)
from coconut_study.report.scores import ANSWER
from coconut_study.report.style import Drawn, page


def comparison(
    table: pd.DataFrame,
    seeds: pd.DataFrame,
    main: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    x: str,
    xlabel: str,
) -> Drawn:
    """Right answers of the points of an experiment: one panel per data set, one line per series.

    `x` is "label", "tokens" or "k". Labels that are not numbers are rows instead of places on the axis.
    """
    names = list(dict.fromkeys(table["dataset"]))
    colours = _colours(table, roles)
    numeric = x != "label" or _numeric(table["label"])
    n_rows = table.groupby("dataset").size().max()
    title, alt = _compared(table, titles, by_k=x == "k")
    how = (
        "Dots: seeds; lines: means and, upright, 95 % intervals, from three seeds on."
        if numeric
        else marks.HOW
    )
    how += " Dotted: a coin." * any(marks.baselines(main, name) for name in names)
    needed = 2.8 if numeric else 1.05 + 0.3 * n_rows
    figure, axes = page(needed, title, how, ncols=len(names), sharey=True, sharex=numeric)
    for axis, name in zip(axes[0], names, strict=True):
        rows, own = table[table["dataset"] == name], seeds[seeds["dataset"] == name]
        draw = _curves if numeric else _listed
        draw(axis, rows, own, colours, **({"x": x, "xlabel": xlabel} if numeric else {}))
        if marks.baselines(main, name):
            marks.coin(axis, vertical=not numeric)
        marks.heading(axis, titles[name], up=0 if numeric else 13)
    if numeric:
        axes[0][0].set_ylabel(marks.ANSWERS)
    return Drawn(figure, title, alt)


def _colours(table: pd.DataFrame, roles: Mapping[str, str]) -> dict[str, str]:
    """The colour of every series: that of its first method; further series with thoughts are lighter."""
    thoughts = iter((THOUGHTS, THOUGHTS_TINT, THOUGHTS_PALE))
    first = table.groupby("series", sort=False)["method"].first()
    return {
        series: next(thoughts, THOUGHTS_PALE) if roles[method] == "thoughts" else ROLES[roles[method]]
        for series, method in first.items()
    }


def _numeric(labels: Iterable[str]) -> bool:
    """Whether all labels are numbers."""
    return bool(np.isfinite(pd.to_numeric(pd.Series(labels), errors="coerce")).all())


def _name(point: pd.Series) -> str:
    """The series and label of a point that is a row; once if they are the same."""
    return ": ".join(dict.fromkeys([point["series"], str(point["label"])]))


def _spoken(point: pd.Series, *, by_k: bool) -> str:
    """A point within a sentence: its series, and its label in brackets unless that is the same."""
    series, label = point["series"], str(point["label"])
    name = series if label == series else f"{series} ({label})"
    return f"{name} {marks.after(point['k'])}" if by_k else name


def _compared(table: pd.DataFrame, titles: Mapping[str, str], *, by_k: bool) -> tuple[str, str]:
    """Which point is ahead, if one is; in the alternative text, every point."""
    points = [
        f"{titles[row['dataset']]}, {_spoken(row, by_k=by_k)}: {marks.percent(row, 'mean')}"
        for _, row in table.iterrows()
    ]
    said = {titles[name]: _ahead(rows, by_k=by_k) for name, rows in table.groupby("dataset", sort=False)}
    title = "; ".join(f"{name}: {one}" if len(said) > 1 else one for name, one in said.items())
    return title, f"Right answers: {'; '.join(points)}."


def _ahead(points: pd.DataFrame, *, by_k: bool) -> str:
    """The point of a data set whose interval is above those of all others, or the series whose intervals all
    are above those of other series; if there is none, how far the points reach."""
    best = points.iloc[points["mean"].argmax()]
    highest = rounded(best["mean"])
    same_run = (points["method"] == best["method"]) & (points["k"] == best["k"])
    if same_run.all():
        return f"{_spoken(best, by_k=by_k)} answers {highest} %"
    if _above(points[same_run], points[~same_run]):
        return f"{_spoken(best, by_k=by_k)} answers most, {highest} %"
    same_series = points["series"] == best["series"]
    if _above(points[same_series], points[~same_series]):
        lowest = rounded(points.loc[same_series, "mean"].min())
        return f"{best['series']} answers most, {lowest} to {highest} %"
    return f"{rounded(points['mean'].min())} to {highest} % right, no point ahead of all others"


def _above(points: pd.DataFrame, others: pd.DataFrame) -> bool:
    """Whether all intervals of points are above all those of others; False if one is missing."""
    low, high = points["low"].min(skipna=False), others["high"].max(skipna=False)
    return bool(low > high)


def _curves(
    axis: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, colours: Mapping[str, str], *, x: str, xlabel: str
) -> None:
    axis.set(xlabel=xlabel, ylim=marks.span([*rows["mean"], *rows["low"], *seeds[ANSWER]]))
    ends = {}
    for series, line in rows.groupby("series", sort=False):
        at = pd.to_numeric(line[x])
        marks.curve(axis, at.tolist(), line, seeds, colours[series])
        if x == "tokens":
            for (_, point), where in zip(line.iterrows(), at, strict=True):
                axis.annotate(str(point["label"]), (where, point["mean"]), (5, 5), textcoords="offset points",
                              fontsize=8.2, color=colours[series])  # fmt: skip
        ends[series] = (line["mean"].iloc[-1], colours[series])
    if x != "tokens":
        axis.set_xticks(sorted(set(pd.to_numeric(rows[x]))))
    marks.labels(axis, ends)


def _listed(axis: Axes, rows: pd.DataFrame, seeds: pd.DataFrame, colours: Mapping[str, str]) -> None:
    names = [_name(row) for _, row in rows.iterrows()]
    marks.answers(axis, [*rows["mean"], *rows["low"], *seeds[ANSWER]])
    marks.rows(axis, range(len(rows)), names)
    for at, (_, row) in enumerate(rows.iterrows()):
        marks.point(axis, row, marks.of_runs(seeds, row), at, colours[row["series"]], halo=True)
