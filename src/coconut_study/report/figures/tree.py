"""The latent search tree of one question."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import networkx as nx
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from coconut_study.common.errors import StudyError
from coconut_study.evaluation.outcomes import Map
from coconut_study.questions.question import Question, facts_of
from coconut_study.report import marks
from coconut_study.report.palette import INK, ROLES, RULE, SECONDARY, WRITTEN
from coconut_study.report.style import Drawn, page

Point = tuple[float, float]

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
        axis.text(frontier, -0.8, marks.after(k), fontsize=8.5, color=SECONDARY, ha="center")
    return Drawn(figure, title, f"{asked} {alt}")


def _named(candidates: pd.DataFrame, name: str) -> tuple[str, str]:
    """Title and words: in how many seeds a correct candidate has the highest value."""
    highest = candidates.sort_values("value", kind="stable").groupby(["k", "seed"]).last()["correct"]
    open_ks = [k for k, rows in candidates.groupby("k") if not rows["correct"].all()]
    first = {k: (int(found.sum()), len(found)) for k, found in highest.groupby("k")}
    said = [
        f"{marks.after(k)} {n} of {total} seeds value a correct node most" for k, (n, total) in first.items()
    ]
    words = "; ".join(said) + "."
    if not open_ks:
        return f"The values of {name} on one question, whose candidates are all correct", words
    k = open_ks[-1]
    n, total = first[k]
    return f"One question: {marks.after(k)}, {n} of {total} seeds value a correct node most", words


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
