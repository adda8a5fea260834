"""Tables -> figures, one function each. Draws what it is given and computes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from coconut_study.files import whole
from coconut_study.paths import Outcome
from coconut_study.tables import ANSWER

# Okabe and Ito's colours, told apart with any colour vision: greens and blues are right, the others wrong.
COLOURS: Mapping[str, str] = {
    Outcome.CORRECT_LABEL: "#0072B2",
    Outcome.CORRECT_PATH: "#56B4E9",
    Outcome.LONGER_PATH: "#009E73",
    Outcome.WRONG_TARGET: "#F0E442",
    Outcome.HALLUCINATION: "#E69F00",
    Outcome.INCORRECT_LABEL: "#D55E00",
}
STYLE: Any = {
    "svg.hashsalt": "coconut-study",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 10,
    "figure.dpi": 150,
    "savefig.bbox": "tight",
}


def save(figure: Figure, path: Path) -> None:
    """Write a figure as .svg, .pdf and .png; without dates, so that the same figure is the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix, undated in ((".svg", {"Date": None}), (".pdf", {"CreationDate": None}), (".png", {})):
        with whole(path.with_suffix(suffix)) as part, mpl.rc_context(STYLE):
            figure.savefig(part, format=suffix[1:], metadata=undated)
    plt.close(figure)


def accuracy(table: pd.DataFrame, seeds: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """The main table as points: every seed, mean and interval of each method, the paper's number beside."""
    with _style():
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


def sweep(table: pd.DataFrame, titles: Mapping[str, str], references: Sequence[str]) -> Figure:
    """Two panels as in the paper's figure on the number of thoughts: right answers, and stacked outcomes.

    `table` holds one data set; the swept method comes from k high to low, then the `references`.
    """
    swept = table[~table["method"].isin(references)].sort_values("k", ascending=False, kind="stable")
    rows = pd.concat([swept, *(table[table["method"] == name] for name in references)])
    rows["bar"] = [
        titles[method] if method in references else f"{titles[method]}, k = {k}"
        for method, k in zip(rows["method"], rows["k"], strict=True)
    ]
    bars = list(dict.fromkeys(rows["bar"]))
    with _style():
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


def learning(table: pd.DataFrame, titles: Mapping[str, str]) -> Figure:
    """Validation accuracy against training questions seen, one line a method, and the stages of each."""
    with _style():
        names = list(dict.fromkeys(table["dataset"]))
        methods = list(dict.fromkeys(table["method"]))
        palette = dict(zip(methods, sns.color_palette("colorblind", len(methods)), strict=True))
        markers = dict(zip(methods, "osD^vPX*<>", strict=False))
        figure, axes = plt.subplots(
            1, len(names), figsize=(1.8 + 5.2 * len(names), 3.4), squeeze=False, layout="constrained"
        )
        for axis, name in zip(axes[0], names, strict=True):
            rows = table[table["dataset"] == name]
            for method, line in rows.groupby("method", sort=False):
                axis.plot(line["seen"], line["mean"], color=palette[method], marker=markers[method],
                          markersize=4, label=titles[method])  # fmt: skip
                if line["n"].min() > 2:  # an interval of two seeds covers everything
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
    """A line where the staged methods go on to the next stage, named at the top."""
    staged = rows.groupby("method").filter(lambda run: run["stage"].nunique() > 1)
    ends = staged.groupby("stage")["seen"].max().sort_index()
    start = 0.0
    for stage, end in ends.items():
        axis.axvline(end, color="#00000030", linewidth=0.8, zorder=0)
        axis.text(
            (start + end) / 2, 100.5, f"stage {stage}", ha="center", va="bottom", fontsize=7, color="#555"
        )
        start = end


def _style() -> AbstractContextManager[None]:
    settings: Any = sns.axes_style("ticks") | STYLE
    return mpl.rc_context(settings)
