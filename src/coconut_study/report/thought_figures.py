"""Figures of what thoughts hold: one function each. They draw the numbers of tables and compute none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Rectangle

from coconut_study.common.errors import StudyError
from coconut_study.evaluation.outcomes import Map
from coconut_study.questions.question import Question, facts_of
from coconut_study.report import marks
from coconut_study.report.cells import rounded
from coconut_study.report.palette import INK, PAPER, ROLES, RULE, SECONDARY, WRITTEN
from coconut_study.report.style import Drawn, page
from coconut_study.report.thoughts import ADVANTAGE, ALL, DECIDED, OVER_UNIFORM

Point = tuple[float, float]


def _of(table: pd.DataFrame, name: str, dataset: str) -> pd.DataFrame:
    """The rows of a data set in the table `name`; StudyError if there are none."""
    rows = table[table["dataset"] == dataset]
    if rows.empty:
        raise StudyError(f"{name}.csv: has no rows of {dataset}")
    return rows


def _after(k: int) -> str:
    return f"after {k} thought{'s' * (k != 1)}" if k else "before any thought"


# --------------------------------------------------------------------------------------- values


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
        axis.scatter([], [], s=15, color=[tint], label=_after(k))
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
            0.5, i - 0.5, f"{_after(row['k'])} ({row['questions']} questions)", fontsize=8.2, color=SECONDARY,
            ha="center", va="center", transform=axis.get_yaxis_transform(),
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
        said.append(f"{titles[method]}, {_after(k)}: {', '.join(parts)}.")
    for _, row in contrasts[contrasts["measure"] == DECIDED].iterrows():
        said.append(f"{titles[row['method']]}, second step minus first at equal numbers: {_points(row)}.")
    return " ".join(said)


def _points(row: pd.Series) -> str:
    span = "" if pd.isna(row["low"]) else f" [{rounded(row['low'])}, {rounded(row['high'])}]"
    return f"{rounded(row['mean'])}{span} points"


# ------------------------------------------------------------------------------------------ search tree

BAR = 0.42  # height of a full bar, in rows
BARS = 0.62  # width of all bars of a node, in columns
MIDDLE = 0.07  # from the place of a node down to the middle of its bars, in rows


def tree(
    values: pd.DataFrame,
    questions: Sequence[Question],
    *,
    titles: Mapping[str, str],
    roles: Mapping[str, str],
    method: str,
    case: int,
) -> Drawn:
    """The latent search tree of question number `case` (paper Figure 7): the nodes that its root leads to, a
    column for each distance, and the value of every candidate as one bar per seed.

    `values` has the runs of one data set and method. The option that the root does not lead to is drawn
    beside.
    """
    candidates = values[values["question"] == case]
    if candidates.empty:
        last = values["question"].max()
        raise StudyError(f"probing.case: question {case} was not probed; the last one probed is {last}")
    question = questions[case]
    assert question.graph is not None
    graph_map = Map(question.graph)
    reached = graph_map.digraph.subgraph(graph_map.depth)
    places = _laid_out(reached, graph_map.depth)
    columns, rows = (max(place[i] for place in places.values()) for i in (0, 1))
    other = question.graph.names[question.graph.neg_target]
    rows += any(x == columns and y > rows - 1 for x, y in places.values())  # room for the other option
    title, alt = _named(candidates, titles[method])
    asked = question.question[question.question.index(" Is ") + 1 :]
    how = f"“{asked}” Bars: the value of a node in every seed, from 0 to 100 %. Line: all candidates equal."
    figure, axes = page(0.3 + 0.55 * (rows + 1), title, how)
    axis = axes[0][0]
    axis.set(xlim=(-0.2, columns + 0.8), ylim=(rows + 0.4, -0.95))
    axis.set_axis_off()
    gold = [facts_of(step)[0] for step in question.steps]
    _edges(axis, reached, places, gold)
    named = {graph_map.target: "target", other: "other option"}
    for node, (x, y) in {**places, other: (columns, rows)}.items():
        own = candidates[candidates["node"] == node]
        up = y + MIDDLE if own.empty else y - 0.3
        at, ha = (x + BARS / 2 - 0.04, "right") if node == graph_map.root else (x, "center")
        weight = "bold" if any(node in edge for edge in gold) else "normal"
        axis.text(at, up, node, ha=ha, va="center", weight=weight, zorder=4)
        axis.text(x + BARS / 2 + 0.04, up, named.get(node, ""), fontsize=8.2, color=SECONDARY, va="center")
        _bars(axis, (x, y), own, candidates, ROLES[roles[method]])
    for frontier, k in sorted(dict(zip(candidates["frontier"], candidates["k"], strict=True)).items()):
        axis.text(frontier, -0.8, _after(k), fontsize=8.5, color=SECONDARY, ha="center")
    return Drawn(figure, title, f"{asked} {alt}")


def _named(candidates: pd.DataFrame, name: str) -> tuple[str, str]:
    """Title and words: in how many seeds a correct candidate has the highest value."""
    highest = candidates.sort_values("value", kind="stable").groupby(["k", "seed"]).last()["correct"]
    open_ks = [k for k, rows in candidates.groupby("k") if not rows["correct"].all()]
    first = {k: (int(found.sum()), len(found)) for k, found in highest.groupby("k")}
    said = [f"{_after(k)} {n} of {total} seeds value a correct node most" for k, (n, total) in first.items()]
    words = "; ".join(said) + "."
    if not open_ks:
        return f"The values of {name} on one question, whose candidates are all correct", words
    k = open_ks[-1]
    n, total = first[k]
    return f"One question: {_after(k)}, {n} of {total} seeds value a correct node most", words


def _laid_out(digraph: nx.DiGraph, depth: dict[str, int]) -> dict[str, Point]:
    """A place (column, row) for every node: columns by depth, each ordered by the places of its neighbours in
    other columns."""
    layers = [[node for node in digraph if depth[node] == row] for row in range(max(depth.values()) + 1)]
    across = {node: float(i) for layer in layers for i, node in enumerate(layer)}
    for layer in layers * 12:
        near = {
            node: [other for other in nx.all_neighbors(digraph, node) if depth[other] != depth[node]]
            for node in layer
        }
        wanted = {
            node: sum(across[other] for other in near[node]) / max(len(near[node]), 1) for node in layer
        }
        across |= _spread(wanted)
    top = min(across.values())
    return {node: (depth[node], across[node] - top) for node in digraph}


def _spread(wanted: dict[str, float]) -> dict[str, float]:
    """The nodes of a column at least 1 apart, in the order of their wanted places and with the same mean
    place."""
    places: dict[str, float] = {}
    last = -math.inf
    for node in sorted(wanted, key=lambda node: wanted[node]):
        places[node] = last = max(wanted[node], last + 1)
    shift = sum(wanted[node] - places[node] for node in wanted) / len(wanted)
    return {node: place + shift for node, place in places.items()}


def _edges(axis: Axes, digraph: nx.DiGraph, places: dict[str, Point], gold: list[tuple[str, str]]) -> None:
    """Arrows to the next column from side to side, others bent; thick ones on the gold path."""
    for head, tail in digraph.edges:
        (x, y), (to_x, to_y) = places[head], places[tail]
        on_path = (head, tail) in gold
        side, bend = BARS / 2 + 0.05, 0.0
        start, end = (x + side, y + MIDDLE), (to_x - side, to_y + MIDDLE)
        if to_x == x and abs(to_y - y) < 1.5:
            start, end = (x, y + 0.33), (x, to_y - 0.42)
            if to_y < y:
                start, end = (x, y - 0.42), (x, to_y + 0.33)
        elif to_x <= x:
            end, bend = (to_x + side, to_y + MIDDLE), math.copysign(0.4, y - to_y)
        axis.annotate(
            "", end, start, zorder=1,
            arrowprops={
                "arrowstyle": "-|>", "color": INK if on_path else RULE, "mutation_scale": 10,
                "linewidth": 2.4 if on_path else 1.2, "shrinkA": 0, "shrinkB": 0,
                "connectionstyle": f"arc3,rad={bend}",
            },
        )  # fmt: skip


def _bars(axis: Axes, place: Point, own: pd.DataFrame, candidates: pd.DataFrame, colour: str) -> None:
    """One bar per seed for a candidate, and the line of equal values; nothing for another node."""
    if own.empty:
        return
    x, y = place
    bars = own.sort_values("seed")
    width, bottom = BARS / len(bars), y + MIDDLE + BAR / 2
    for i, value in enumerate(bars["value"]):
        left = x - BARS / 2 + i * width
        for height, fill, alpha in ((1.0, RULE, 0.45), (value, colour, 1.0)):
            axis.add_patch(
                Rectangle((left + 0.05 * width, bottom), 0.9 * width, -BAR * height, color=fill, linewidth=0,
                          alpha=alpha, zorder=2)
            )  # fmt: skip
    rivals = candidates[candidates["k"] == bars["k"].iloc[0]]["node"].nunique()
    level = bottom - BAR / rivals
    axis.plot(
        [x - BARS / 2 - 0.03, x + BARS / 2 + 0.03], [level, level], color=WRITTEN, linewidth=1.4, zorder=3
    )
