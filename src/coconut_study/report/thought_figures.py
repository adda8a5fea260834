"""Figures of what thoughts hold: one function each. They draw the numbers of tables and compute none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import networkx as nx
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from coconut_study.common.errors import StudyError
from coconut_study.evaluation.outcomes import Map
from coconut_study.questions.question import Question, facts_of
from coconut_study.report.style import style

# Okabe and Ito's colours, which differ for every kind of colour vision.
ROOT, TARGET, OTHER = "#1F3A5F", "#009E73", "#E69F00"
FRONTIERS = ("#56B4E9", "#CC79A7", "#D55E00", "#F0E442")
CORRECT, INCORRECT = "#0072B2", "#D55E00"
AREAS = {1: "#08519C", 2: "#4292C6", 3: "#BDD7E7"}
NODE_SIZE = 1700  # points squared

Point = tuple[float, float]


def _of(table: pd.DataFrame, name: str, dataset: str, method: str) -> pd.DataFrame:
    """The rows of a data set and method in the table `name`; StudyError if there are none."""
    rows = table[(table["dataset"] == dataset) & (table["method"] == method)]
    if rows.empty:
        raise StudyError(f"{name}.csv: has no rows of {method} on {dataset}")
    return rows


def _after(k: int) -> str:
    return f"After {k} thought" + "s" * (k != 1)


# ------------------------------------------------------------------------------------------ search tree


def tree(values: pd.DataFrame, questions: Sequence[Question], *, case: int) -> Figure:
    """The latent search tree of question number `case` of a run (paper Figure 7)."""
    candidates = values[values["question"] == case]
    if candidates.empty:
        last = values["question"].max()
        raise StudyError(f"probing.case: question {case} was not probed; the last one probed is {last}")
    return search_tree(questions[case], candidates)


def search_tree(question: Question, values: pd.DataFrame) -> Figure:
    """The nodes that the root of a graph question leads to, one row for each distance from it.

    `values` holds the question's candidates after each k: columns k, node and value. The option that the root
    does not lead to is drawn beside them.
    """
    assert question.graph is not None
    graph_map = Map(question.graph)
    other = question.graph.names[question.graph.neg_target]
    reached = graph_map.digraph.subgraph(graph_map.depth)
    places = _places(reached, graph_map.depth)
    left, right = min(x for x, _ in places.values()), max(x for x, _ in places.values()) + 1
    bottom = min(y for _, y in places.values())
    places[other] = (right, bottom)
    roles = {graph_map.root: ROOT, graph_map.target: TARGET, other: OTHER}
    with style():
        size = (0.9 * (right - left + 1), 1.1 - 1.1 * bottom)
        figure, axis = plt.subplots(figsize=size, layout="constrained")
        axis.set(xlim=(left - 0.5, right + 0.5), ylim=(bottom - 0.65, 0.45))
        axis.set_axis_off()
        _edges(axis, reached, places, [facts_of(step)[0] for step in question.steps])
        _nodes(axis, places, roles, values)
        handles = _legend(sorted(set(values["k"])))
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _places(digraph: nx.DiGraph, depth: dict[str, int]) -> dict[str, Point]:
    """A place for every node: rows by depth, each ordered by the places of the neighbours in other rows."""
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
    return {node: (across[node], -depth[node]) for node in digraph}


def _spread(wanted: dict[str, float]) -> dict[str, float]:
    """The nodes of a row at least 1 apart, in the order of their wanted places and with the same mean
    place."""
    places: dict[str, float] = {}
    last = -math.inf
    for node in sorted(wanted, key=lambda node: wanted[node]):
        places[node] = last = max(wanted[node], last + 1)
    shift = sum(wanted[node] - places[node] for node in wanted) / len(wanted)
    return {node: place + shift for node, place in places.items()}


def _edges(axis: Axes, digraph: nx.DiGraph, places: dict[str, Point], gold: list[tuple[str, str]]) -> None:
    """Straight arrows downwards, bent ones within a row and upwards; thick ones on the gold path."""
    for head, tail in digraph.edges:
        on_path = (head, tail) in gold
        apart = abs(places[tail][0] - places[head][0])
        bend = 0.0 if places[tail][1] < places[head][1] else max(0.9 / max(apart, 2.5), 0.15)
        nx.draw_networkx_edges(
            digraph, places, ax=axis, edgelist=[(head, tail)], node_size=NODE_SIZE,
            width=2.6 if on_path else 0.8, edge_color=TARGET if on_path else "#8a8a8a",
            arrowsize=14 if on_path else 8, connectionstyle=f"arc3,rad={bend}",
        )  # fmt: skip


def _nodes(axis: Axes, places: dict[str, Point], roles: dict[str, str], values: pd.DataFrame) -> None:
    """Circles with names: filled by role; a candidate has the outline of its frontier and its value."""
    k_of = dict(zip(values["node"], values["k"], strict=True))
    value_of = dict(zip(values["node"], values["value"], strict=True))
    outlines = dict(zip(sorted(set(values["k"])), cycle(FRONTIERS), strict=False))
    for node, place in places.items():
        fill = roles.get(node, "white")
        ink = "black" if fill in ("white", OTHER) else "white"
        edge, width = (outlines[k_of[node]], 3.0) if node in k_of else ("#555555", 0.9)
        label = f"{node}\n{_short(value_of[node])}" if node in value_of else node
        axis.scatter(*place, s=NODE_SIZE, color=fill, edgecolor=edge, linewidth=width, zorder=3)
        axis.text(*place, label, color=ink, ha="center", va="center", fontsize=7, zorder=4)


def _short(value: float) -> str:
    """Two decimals, or scientific notation for a small value."""
    return f"{value:.2f}" if value >= 0.005 else f"{value:.0e}".replace("e-0", "e-")


def _legend(ks: list[int]) -> list[Line2D]:
    filled = {"root": ROOT, "target": TARGET, "other option": OTHER}
    dots = [
        Line2D([], [], marker="o", linestyle="none", markersize=9, color=colour, label=name)
        for name, colour in filled.items()
    ]
    rings = [
        Line2D(
            [], [], marker="o", linestyle="none", markersize=9, markerfacecolor="white",
            markeredgecolor=colour, markeredgewidth=2.4, label=f"{_after(k).lower()}: candidate, value",
        )
        for k, colour in zip(ks, cycle(FRONTIERS), strict=False)
    ]  # fmt: skip
    return [*dots, Line2D([], [], color=TARGET, linewidth=2.6, label="gold path"), *rings]


# ------------------------------------------------------------------------------------------ parallelism


def parallelism(table: pd.DataFrame, *, dataset: str, method: str) -> Figure:
    """The value of the best one, two and three candidates, over questions (paper Figure 8), for each k."""
    table = _of(table, "parallelism", dataset, method)
    ks = list(dict.fromkeys(table["k"]))
    with style():
        figure, axes = plt.subplots(
            1, len(ks), figsize=(0.6 + 3.2 * len(ks), 3.0), sharey=True, squeeze=False, layout="constrained"
        )
        for axis, k in zip(axes[0], ks, strict=True):
            _areas(axis, table[table["k"] == k])
            axis.set(title=_after(k), xlabel="percentile of questions", xlim=(0, 1), ylim=(0, 1))
        axes[0][0].set_ylabel("value")
        axes[0][-1].legend(loc="lower right", framealpha=0.9)
        sns.despine(figure)
    return figure


def _areas(axis: Axes, curves: pd.DataFrame) -> None:
    """Areas between the curves, the lowest one darkest, with white borders."""
    below = 0.0
    for top, colour in AREAS.items():
        curve = curves[curves["top"] == top].set_index("percentile")["value"]
        axis.fill_between(curve.index, below, curve, color=colour, linewidth=0, label=f"top {top}")
        axis.plot(curve.index, curve, color="white", linewidth=1.2)
        below = curve


# --------------------------------------------------------------------------------------- value by height


def heights(table: pd.DataFrame, *, dataset: str, method: str) -> Figure:
    """Mean value of correct and incorrect candidates against height (paper Figure 9): one panel per k.

    Thick lines are intervals over questions, thin lines reach from the lowest to the highest mean of a single
    seed. The numbers of candidates are below the axis.
    """
    table = _of(table, "heights", dataset, method)
    ks = list(dict.fromkeys(table["k"]))
    highest = int(table["height"].max())
    with style():
        figure, axes = plt.subplots(
            1, len(ks), figsize=(0.8 + 3.4 * len(ks), 3.2), sharey=True, squeeze=False, layout="constrained"
        )
        for axis, k in zip(axes[0], ks, strict=True):
            rows = table[table["k"] == k]
            _means(axis, rows[rows["correct"]], highest, "correct", CORRECT, "o", -1)
            _means(axis, rows[~rows["correct"]], highest, "incorrect", INCORRECT, "s", 1)
            axis.set(title=_after(k), ylim=(0, 1), xlim=(-0.5, highest + 0.5))
            axis.set_xlabel("height (in colour: number of candidates)", labelpad=24)
            axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes[0][0].set_ylabel("value (mean)")
        axes[0][-1].legend(loc="upper right", frameon=False)
        sns.despine(figure)
    return figure


def _means(
    axis: Axes, rows: pd.DataFrame, highest: int, name: str, colour: str, marker: str, side: int
) -> None:
    """One kind of candidate, a little beside the height, with its numbers below the axis."""
    by_height = rows.set_index("height").reindex(range(highest + 1))  # a gap at heights without candidates
    x = by_height.index + 0.06 * side
    axis.vlines(x, by_height["lowest seed"], by_height["highest seed"], color=colour, linewidth=0.8)
    axis.vlines(x, by_height["low"], by_height["high"], color=colour, linewidth=3.5, alpha=0.5)
    axis.plot(x, by_height["mean"], color=colour, marker=marker, markersize=5, linewidth=1, label=name)
    for height, count in zip(rows["height"], rows["candidates"], strict=True):
        axis.annotate(
            str(count), (height, 0), (0, -26 - 5 * side), xycoords=axis.get_xaxis_transform(),
            textcoords="offset points", ha="center", va="center", fontsize=7.5, color=colour,
        )  # fmt: skip
