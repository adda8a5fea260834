"""What the values of candidates tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from coconut_study.common.errors import StudyError
from coconut_study.report import marks
from coconut_study.report.cells import rounded
from coconut_study.report.contrasts import ALL
from coconut_study.report.palette import PAPER, ROLES, RULE, SECONDARY
from coconut_study.report.style import Drawn, page
from coconut_study.report.values import ADVANTAGE, DECIDED, OVER_UNIFORM


def _of(table: pd.DataFrame, name: str, dataset: str) -> pd.DataFrame:
    """The rows of a data set in the table `name`; StudyError if there are none."""
    rows = table[table["dataset"] == dataset]
    if rows.empty:
        raise StudyError(f"{name}.csv: has no rows of {dataset}")
    return rows


def values(
    best: pd.DataFrame,
    contrasts: pd.DataFrame,
    seeds: pd.DataFrame,
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    dataset: str,
) -> Drawn:
    """What the values of candidates tell (paper Figures 8 and 9), one row of panels per method.

    Left: the value of the best candidate at equal numbers of candidates, beside that of equal ones. Right: by
    how much correct candidates are valued more than incorrect ones of the same question.
    """
    best = _of(best[best["size"] != ALL], "best", dataset)
    seeds, contrasts = seeds[seeds["dataset"] == dataset], contrasts[contrasts["dataset"] == dataset]
    methods = list(dict.fromkeys(best["method"]))
    first = next((name for name in methods if roles[name] == "thoughts"), methods[0])
    title = _finding(contrasts[contrasts["method"] == first])
    how = (
        "Dots: seeds; short bars: means, with 95 % intervals from three seeds on; grey: all candidates equal."
    )
    figure, axes = page(
        0.45 + 1.7 * len(methods), title, how,
        nrows=len(methods), ncols=2, width_ratios=[2, 1], sharex="col", sharey="col",
    )  # fmt: skip
    sizes = sorted(set(best["size"]), key=int)
    advantages = contrasts[contrasts["measure"] == ADVANTAGE]
    for name, (left, right) in zip(methods, axes, strict=True):
        own = seeds[seeds["method"] == name]
        colour = ROLES[roles[name]]
        _sized(left, best[best["method"] == name], own[own["measure"] == "best"], sizes, colour)
        _told(right, advantages[advantages["method"] == name], own[own["measure"] == ADVANTAGE], colour)
        left.set_title(titles[name], color=colour)
    axes[0][1].set_title("Correct minus incorrect, points")
    _counted(axes[-1][0], best[best["method"] == first], sizes)
    figure.supylabel("value of the best candidate, %", fontsize=9, color=SECONDARY)
    axes[-1][1].set_xlabel("← incorrect higher    correct higher →", labelpad=14)
    return Drawn(figure, title, _words(contrasts, titles, dataset))


def _tints(colour: str, ks: Sequence[int]) -> dict[int, str]:
    """A tint of the colour for every k: the more thoughts, the stronger."""
    shares = np.linspace(0.4, 1, len(ks)) if len(ks) > 1 else [1.0]
    full, none = np.array(to_rgb(colour)), np.array(to_rgb(PAPER))
    return {k: to_hex(share * full + (1 - share) * none) for k, share in zip(ks, shares, strict=True)}


def _places(best: pd.DataFrame, sizes: Sequence[str]) -> dict[tuple[str, int], float]:
    """The place across the panel of every number of candidates and k."""
    ks = sorted(set(best["k"]))
    step = 0.8 / len(ks)
    return {
        (size, k): i + step * (j - (len(ks) - 1) / 2)
        for i, size in enumerate(sizes)
        for j, k in enumerate(ks)
    }


def _sized(axis: Axes, best: pd.DataFrame, seeds: pd.DataFrame, sizes: Sequence[str], colour: str) -> None:
    """The best value against the number of candidates; every k has a place beside the others."""
    ks = sorted(set(best["k"]))
    tints, places = _tints(colour, ks), _places(best, sizes)
    for i, size in enumerate(sizes):
        rows = best[best["size"] == size].sort_values("k")
        axis.plot([i - 0.42, i + 0.42], rows["uniform"].iloc[:1].repeat(2), color=SECONDARY, linewidth=1.8)
        at = [places[size, k] for k in rows["k"]]
        axis.plot(at, rows["mean"], color=RULE, linewidth=1, zorder=1)
        for x, (_, row) in zip(at, rows.iterrows(), strict=True):
            tint = tints[row["k"]]
            axis.plot([x - 0.09, x + 0.09], [row["mean"]] * 2, color=tint, linewidth=2.4, zorder=3)
            axis.plot([x, x], [row["low"], row["high"]], color=tint, linewidth=1, zorder=2)
            dots = seeds[(seeds["size"] == size) & (seeds["k"] == row["k"])]["value"].tolist()
            across = [x + 0.35 * offset for offset in marks.spread(dots, 5)]
            axis.scatter(across, dots, s=15, color=[tint], edgecolor=PAPER, linewidth=0.6, zorder=4)
    axis.set(xlim=(-0.5, len(sizes) - 0.5), ylim=(0, 103), yticks=range(0, 101, 25))
    axis.set_xticks(range(len(sizes)), sizes)
    for k, tint in tints.items():
        axis.scatter([], [], s=15, color=[tint], label=marks.after(k))
    axis.legend(loc="upper right", borderpad=0, handletextpad=0.1, labelspacing=0.2)


def _counted(axis: Axes, best: pd.DataFrame, sizes: Sequence[str]) -> None:
    """The numbers of questions below the panel."""
    places = _places(best, sizes)
    for _, row in best.iterrows():
        axis.annotate(
            str(row["questions"]), (places[row["size"], row["k"]], 0), (0, -18), ha="center", va="top",
            xycoords=axis.get_xaxis_transform(), textcoords="offset points", fontsize=8.2,
            color=SECONDARY,
        )  # fmt: skip
    axis.set_xlabel("number of candidates (above: questions)", labelpad=14)


def _told(axis: Axes, contrasts: pd.DataFrame, seeds: pd.DataFrame, colour: str) -> None:
    """Correct minus incorrect candidates: one row for every k."""
    tints = _tints(colour, sorted(set(seeds["k"])))
    axis.axvline(0, color=SECONDARY, linewidth=1.8, zorder=1)
    for i, (_, row) in enumerate(contrasts.sort_values("k").iterrows()):
        tint = tints[row["k"]]
        marks.mean(axis, row["mean"], row["low"], row["high"], i, tint)
        marks.seeds(axis, seeds[seeds["k"] == row["k"]]["value"].dropna().tolist(), i, tint)
        axis.text(
            0.5, i - 0.5, f"{marks.after(row['k'])} ({row['questions']} questions)", ha="center", va="center",
            fontsize=8.2, color=SECONDARY, transform=axis.get_yaxis_transform(),
            bbox={"facecolor": PAPER, "linewidth": 0, "pad": 1},
        )  # fmt: skip
    axis.set(ylim=(len(contrasts) - 0.5, -0.75), yticks=[])
    axis.spines["left"].set_visible(False)


def _finding(contrasts: pd.DataFrame) -> str:
    """What the intervals say; no more than they bear."""
    known = contrasts.dropna(subset="low")
    narrows, favours = (_signs(known[known["measure"] == measure]) for measure in (DECIDED, ADVANTAGE))
    if not narrows or not favours:
        return "What thoughts hold: the values of candidates for the next step"
    if narrows == favours == {0}:
        return "Neither a narrower choice nor a preference for the right nodes is detected"
    width = {1: "Thoughts narrow the choice", -1: "Thoughts widen the choice"}
    aim = {
        frozenset({1}): "nodes that lead to the asked option are preferred",
        frozenset({-1}): "nodes that lead elsewhere are preferred",
        frozenset({0}): "no preference for the right nodes is detected",
    }
    first = width.get(max(narrows, key=abs), "No narrower choice is detected")
    return f"{first}; {aim.get(frozenset(favours), 'the preference for the right nodes depends on the step')}"


def _signs(rows: pd.DataFrame) -> set[int]:
    """On which side of 0 the intervals are: 1 above, -1 below, 0 for one that holds it."""
    return {int(row["low"] > 0) - int(row["high"] < 0) for _, row in rows.iterrows()}


def _words(contrasts: pd.DataFrame, titles: Mapping[str, str], dataset: str) -> str:
    """The finding in words, from the table of contrasts."""
    said = [f"Values of the candidates for the next step on {titles[dataset]}, against equal values."]
    shown = {ADVANTAGE: "correct minus incorrect", OVER_UNIFORM: "best minus equal"}
    for (method, k), rows in contrasts.groupby(["method", "k"], sort=False):
        parts = [
            f"{shown[row['measure']]} {_points(row)} ({row['questions']} questions)"
            for _, row in rows.iterrows()
            if row["measure"] in shown
        ]
        said.append(f"{titles[method]}, {marks.after(k)}: {', '.join(parts)}.")
    for _, row in contrasts[contrasts["measure"] == DECIDED].iterrows():
        said.append(f"{titles[row['method']]}, second step minus first at equal numbers: {_points(row)}.")
    return " ".join(said)


def _points(row: pd.Series) -> str:
    span = "" if pd.isna(row["low"]) else f" [{rounded(row['low'])}, {rounded(row['high'])}]"
    return f"{rounded(row['mean'])}{span} points"
