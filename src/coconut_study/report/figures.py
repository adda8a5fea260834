"""Figures of accuracy: one function each. They draw the numbers of tables and compute none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coconut_study.evaluation.outcomes import Outcome
from coconut_study.report.intervals import ANSWER
from coconut_study.report.style import style

# Okabe and Ito's colours, which differ for every kind of colour vision; blue and green for right answers.
COLOURS: Mapping[str, str] = {
    Outcome.CORRECT_LABEL: "#0072B2",
    Outcome.CORRECT_PATH: "#56B4E9",
    Outcome.LONGER_PATH: "#009E73",
    Outcome.WRONG_TARGET: "#F0E442",
    Outcome.HALLUCINATION: "#E69F00",
    Outcome.INCORRECT_LABEL: "#D55E00",
}
MARKERS = "osD^vPX*<>"
LINES = ("-", "--", ":", "-.")  # the next one each time the markers start over


def accuracy(table: pd.DataFrame, seeds: pd.DataFrame, *, titles: Mapping[str, str]) -> Figure:
    """The main table as points, one panel per data set: every seed, mean and interval, the paper's number."""
    with style():
        names = list(dict.fromkeys(table["dataset"]))
        size = (1.5 + 4.2 * len(names), 1.2 + 0.36 * table["method"].nunique())
        figure, axes = plt.subplots(1, len(names), figsize=size, squeeze=False, layout="constrained")
        for axis, name in zip(axes[0], names, strict=True):
            runs = seeds[seeds["dataset"] == name]
            _accuracy_panel(axis, table[table["dataset"] == name].reset_index(), runs, titles)
            axis.set_title(titles[name])
        figure.legend(
            *axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False
        )
        sns.despine(figure)
    return figure


def _accuracy_panel(axis: Axes, rows: pd.DataFrame, runs: pd.DataFrame, titles: Mapping[str, str]) -> None:
    y = range(len(rows))[::-1]
    height = dict(zip(rows["method"], y, strict=True))
    colours = sns.color_palette("colorblind")
    axis.hlines(y, rows["low"], rows["high"], color=colours[0], linewidth=3, alpha=0.5)
    axis.scatter(
        rows["accuracy"], y, s=60, facecolor="white", edgecolor=colours[0], linewidth=2, zorder=3,
        label="ours (mean, 95 % interval)",
    )  # fmt: skip
    axis.scatter(
        runs["accuracy"], runs["method"].map(height), color="#444444", s=7, zorder=4, label="ours, each seed"
    )
    axis.scatter(
        rows["paper accuracy"], y, marker="|", s=120, color=colours[3], linewidth=2, label="paper (its data)"
    )
    axis.set_yticks(list(y), [titles.get(name, name) for name in rows["method"]])
    axis.set(xlabel="right answers (%)", xlim=(-2, 102), ylim=(-0.6, len(rows) - 0.4))
    axis.grid(axis="x", alpha=0.3)


def sweep(
    table: pd.DataFrame, *, titles: Mapping[str, str], dataset: str, method: str, references: Sequence[str]
) -> Figure:
    """Right answers and stacked outcomes by number of thoughts, as in the paper's figure on the two.

    The bars are those of `method` from the highest k to the lowest, then those of `references`, all on one
    data set.
    """
    here = table[table["dataset"] == dataset]
    swept = here[here["method"] == method].sort_values("k", ascending=False, kind="stable")
    rows = pd.concat([swept, *(here[here["method"] == name] for name in references)])
    rows["bar"] = [
        titles[name] if name in references else f"{titles[name]}, k = {k}"
        for name, k in zip(rows["method"], rows["k"], strict=True)
    ]
    bars = list(dict.fromkeys(rows["bar"]))
    with style():
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(9.5, 1.1 + 0.33 * len(bars)), width_ratios=[2, 3], sharey=True
        )
        _answers_panel(left, rows[rows["measure"] == ANSWER], bars)
        _outcomes_panel(right, rows, bars)
        figure.tight_layout()
        sns.despine(figure)
    return figure


def _answers_panel(axis: Axes, rows: pd.DataFrame, bars: Sequence[str]) -> None:
    y = [bars.index(bar) for bar in rows["bar"]]
    axis.barh(y, rows["mean"], color="#999999")
    errors = [rows["mean"] - rows["low"], rows["high"] - rows["mean"]]
    axis.errorbar(rows["mean"], y, xerr=errors, fmt="none", ecolor="black", capsize=2, linewidth=1)
    for at, mean in zip(y, rows["mean"], strict=True):
        axis.text(1.5, at, f"{mean:.1f}", va="center", fontsize=8)
    axis.set_yticks(range(len(bars)), bars)
    axis.set(xlabel="right answers (%)", title="Final answer", xlim=(0, 101))
    axis.invert_yaxis()


def _outcomes_panel(axis: Axes, rows: pd.DataFrame, bars: Sequence[str]) -> None:
    left = pd.Series(0.0, index=bars)
    for outcome in Outcome:
        part = rows[rows["measure"] == outcome.value].set_index("bar").loc[list(bars)]
        axis.barh(range(len(bars)), part["mean"], left=left, color=COLOURS[outcome], label=outcome.value)
        edge = left + part["mean"]
        errors = [(part["mean"] - part["low"]).where(part["mean"] > 0), (part["high"] - part["mean"])]
        axis.errorbar(edge, range(len(bars)), xerr=[errors[0], errors[1].where(part["mean"] > 0)],
                      fmt="none", ecolor="#00000066", capsize=1.5, linewidth=0.7)  # fmt: skip
        left = edge
    axis.set(xlabel="responses (%)", title="Reasoning process", xlim=(0, 101))
    axis.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)


def learning(table: pd.DataFrame, *, titles: Mapping[str, str]) -> Figure:
    """Validation accuracy against training questions seen: one panel per data set, one line per method."""
    with style():
        names = list(dict.fromkeys(table["dataset"]))
        methods = list(dict.fromkeys(table["method"]))
        palette = dict(zip(methods, sns.color_palette("colorblind", len(methods)), strict=True))
        markers = dict(zip(methods, cycle(MARKERS), strict=False))
        dashes = {method: LINES[i // len(MARKERS) % len(LINES)] for i, method in enumerate(methods)}
        figure, axes = plt.subplots(
            1, len(names), figsize=(1.8 + 5.2 * len(names), 3.4), squeeze=False, layout="constrained"
        )
        for axis, name in zip(axes[0], names, strict=True):
            rows = table[table["dataset"] == name]
            for method, line in rows.groupby("method", sort=False):
                axis.plot(line["seen"], line["mean"], color=palette[method], marker=markers[method],
                          linestyle=dashes[method], markersize=4, label=titles[method])  # fmt: skip
                if line["n"].min() > 2:  # the interval of two seeds is too wide to draw
                    axis.fill_between(
                        line["seen"], line["low"], line["high"], color=palette[method], alpha=0.15
                    )
            _stage_ends(axis, rows)
            axis.set_title(titles[name], pad=16)
            axis.set(xlabel="training questions seen", ylabel="right answers (%)", ylim=(0, 101))
            axis.set_xlim(left=0)
        drawn = {
            label: line
            for axis in axes[0]
            for line, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(drawn.values(), drawn.keys(), loc="outside right upper", frameon=False)
        sns.despine(figure)
    return figure


def _stage_ends(axis: Axes, rows: pd.DataFrame) -> None:
    """A vertical line at the end of every stage, and the stage's number above."""
    staged = rows.groupby("method").filter(lambda run: run["stage"].nunique() > 1)
    ends = staged.groupby("stage")["seen"].max().sort_index()
    start = 0.0
    for stage, end in ends.items():
        axis.axvline(end, color="#00000030", linewidth=0.8, zorder=0)
        axis.text(
            (start + end) / 2, 100.5, f"stage {stage}", ha="center", va="bottom", fontsize=7, color="#555"
        )
        start = end


def stages(table: pd.DataFrame, *, titles: Mapping[str, str]) -> Figure:
    """Right answers before the first update of every stage and after its last: one panel per method with
    stages."""
    runs = [(key, rows) for key, rows in table.groupby(["dataset", "method"], sort=False) if len(rows) > 1]
    columns = min(max(len(runs), 1), 5)
    lines = -(-max(len(runs), 1) // columns)
    with style():
        figure, axes = plt.subplots(
            lines, columns, figsize=(0.6 + 2.1 * columns, 0.5 + 1.9 * lines), squeeze=False, sharey=True,
            layout="constrained",
        )  # fmt: skip
        for axis, ((dataset, method), rows) in zip(axes.flat, runs, strict=False):
            _stage_panel(axis, rows)
            axis.set_title(f"{titles[method]}\n{titles[dataset]}", fontsize=7)
        for axis in axes.flat[len(runs) :]:
            axis.set_axis_off()
        for line in axes:
            line[0].set_ylabel("right answers (%)")
        labels = axes[0][0].get_legend_handles_labels()
        figure.legend(*labels, loc="outside lower center", ncols=2, frameon=False)
        sns.despine(figure)
    return figure


def _stage_panel(axis: Axes, rows: pd.DataFrame) -> None:
    colours = sns.color_palette("colorblind")
    for end, marker, colour, label in (
        ("first", "o", colours[1], "before the stage's first update"),
        ("last", "s", colours[0], "at its end"),
    ):
        errors = [rows[f"{end} mean"] - rows[f"{end} low"], rows[f"{end} high"] - rows[f"{end} mean"]]
        face = "white" if end == "first" else colour
        axis.errorbar(rows["stage"], rows[f"{end} mean"], yerr=errors, marker=marker, color=colour,
                      markerfacecolor=face, capsize=2, linewidth=1, label=label)  # fmt: skip
    axis.set(xlabel="stage", ylim=(0, 101), xticks=rows["stage"])


def comparison(table: pd.DataFrame, *, titles: Mapping[str, str], x: str, xlabel: str) -> Figure:
    """Right answers of the points of an experiment: one panel per data set, one line per series.

    `x` is "label", "tokens" or "k". Labels that are not numbers are rows instead of places on the axis.
    """
    names = list(dict.fromkeys(table["dataset"]))
    numeric = x != "label" or np.isfinite(pd.to_numeric(table["label"], errors="coerce")).all()
    with style():
        height = 3.2 if numeric else 1.2 + 0.3 * len(table[["series", "label"]].drop_duplicates())
        figure, axes = plt.subplots(
            1, len(names), figsize=(2.2 + 4.4 * len(names), height), squeeze=False, layout="constrained"
        )
        for axis, name in zip(axes[0], names, strict=True):
            rows = table[table["dataset"] == name]
            if numeric:
                _lines_panel(axis, rows, x, xlabel)
            else:
                _words_panel(axis, rows)
            axis.set_title(titles[name])
        if numeric:
            labels = axes[0][0].get_legend_handles_labels()
            figure.legend(*labels, loc="outside right upper", frameon=False)
        sns.despine(figure)
    return figure


def _lines_panel(axis: Axes, rows: pd.DataFrame, x: str, xlabel: str) -> None:
    colours = sns.color_palette("colorblind", rows["series"].nunique())
    for (series, line), colour, marker in zip(
        rows.groupby("series", sort=False), colours, cycle(MARKERS), strict=False
    ):
        at = pd.to_numeric(line[x])
        axis.plot(at, line["mean"], color=colour, marker=marker, markersize=4, label=series)
        axis.fill_between(at, line["low"], line["high"], color=colour, alpha=0.15)
        if x == "tokens":
            for where, mean, label in zip(at, line["mean"], line["label"], strict=True):
                axis.annotate(
                    str(label), (where, mean), xytext=(3, 4), textcoords="offset points", fontsize=7
                )
    axis.set(xlabel=xlabel, ylabel="right answers (%)", ylim=_span(rows))
    if x != "tokens":
        axis.set_xticks(sorted(pd.to_numeric(rows[x]).unique()))
    axis.grid(axis="y", alpha=0.3)


def _words_panel(axis: Axes, rows: pd.DataFrame) -> None:
    y = range(len(rows))[::-1]
    palette = sns.color_palette("colorblind", rows["series"].nunique())
    colours = rows["series"].map(dict(zip(dict.fromkeys(rows["series"]), palette, strict=True))).tolist()
    axis.hlines(y, rows["low"], rows["high"], colors=colours, linewidth=3, alpha=0.5)
    axis.scatter(rows["mean"], y, color=colours, s=30, zorder=3)
    axis.set_yticks(
        list(y), [f"{s}: {label}" for s, label in zip(rows["series"], rows["label"], strict=True)]
    )
    axis.set(xlabel="right answers (%)", xlim=_span(rows), ylim=(-0.6, len(rows) - 0.4))
    axis.grid(axis="x", alpha=0.3)


def _span(rows: pd.DataFrame) -> tuple[float, float]:
    """The range of the percentages drawn, with a margin."""
    numbers = rows[["low", "mean", "high"]].stack()
    room = max(1.0, 0.08 * (numbers.max() - numbers.min()))
    return max(numbers.min() - room, -0.5), min(numbers.max() + room, 100.5)
