"""The necessity map: at how many layers and hops a model needs content in its thoughts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import ceil, log2
from typing import Any, Literal, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from coconut_study.report import marks
from coconut_study.report.palette import INK, ROLES, RULE, SECONDARY, THOUGHTS_PALE
from coconut_study.report.scores import COIN
from coconut_study.report.style import WIDTH, Drawn, page
from coconut_study.report.verdicts import Verdict

LEFT, GAP, BELOW = 1.22, 0.14, 0.5  # inches: names of rows, between panels, axis below
HEAD = 0.3  # inches of the names of columns
TOP, ROW = 0.42, 0.2  # inches of a panel above its first row, and of every row, at least
FULL = 50.0  # points from which a panel has the full tint: from a coin to all answers right
# Layers from which one pass reaches so many hops, by two readings of the theory.
THRESHOLDS: Mapping[Literal["solid", "dashed"], tuple[str, Callable[[int], int]]] = {
    "solid": ("paths merge", lambda hops: ceil(log2(hops)) + 1),
    "dashed": ("one hop a layer", lambda hops: hops + 1),
}


class Grid(NamedTuple):
    """The places of the map: hops from above, layers from the left, and the rows in every panel."""

    hops: list[int]
    layers: list[int]
    rows: list[str]


def necessity(
    table: pd.DataFrame,
    seeds: pd.DataFrame,
    *,
    roles: Mapping[str, str],
    content: str,
    width: int,
) -> Drawn:
    """Right answers of every row at every number of layers and hops, with models of one width.

    The large number is what the row `content` has over the row without content. Cells without runs are
    hatched.
    """
    rows = table[table["width"] == width]
    grid = Grid(
        sorted({*map(int, rows["hops"])}),
        sorted({*map(int, rows["layers"])}),
        list(dict.fromkeys(rows["row"])),
    )
    own = rows[rows["row"] == content]
    title, alt = _finding(own, grid, content)
    needed = len(grid.hops) * (TOP + ROW * len(grid.rows) + GAP) + BELOW + HEAD
    figure, axes = page(
        needed, title, _how(rows, content), nrows=len(grid.hops), ncols=len(grid.layers), sharex=True
    )
    engine: Any = figure.get_layout_engine()
    high = figure.get_figheight()
    top = engine.get()["rect"][3] * high - HEAD
    figure.set_layout_engine("none")
    tall = (top - BELOW + GAP) / len(grid.hops) - GAP
    wide = (WIDTH - LEFT - 0.1 - GAP * (len(grid.layers) - 1)) / len(grid.layers)
    for i, hops in enumerate(grid.hops):
        for j, layers in enumerate(grid.layers):
            axis, cell = axes[i][j], rows[(rows["hops"] == hops) & (rows["layers"] == layers)]
            left, bottom = LEFT + j * (wide + GAP), top - (i + 1) * tall - i * GAP
            axis.set_position((left / WIDTH, bottom / high, wide / WIDTH, tall / high))
            _panel(axis, cell, seeds, grid, roles, content)
            if i == 0:
                axis.set_title(_layers(layers), fontsize=11)
        _names(axes[i][0], f"{hops} hop{'s' * (hops != 1)}", rows, grid, roles)
    for style, (_, threshold) in THRESHOLDS.items():
        line = _steps(axes, grid, [threshold(hops) for hops in grid.hops], GAP / WIDTH / 2, GAP / high / 2)
        figure.add_artist(Line2D(*line, color=INK, linewidth=2, linestyle=style, solid_joinstyle="miter"))
    figure.text(
        (LEFT + WIDTH) / 2 / WIDTH, 0.08 / high, marks.ANSWERS, ha="center",
        fontsize=9, color=SECONDARY,
    )  # fmt: skip
    return Drawn(figure, title, alt)


def _how(rows: pd.DataFrame, content: str) -> str:
    against = rows.loc[rows["difference"].isna(), "row"].iloc[0]
    lines = " or ".join(f"{style} ({name})" for style, (name, _) in THRESHOLDS.items())
    return (
        f"Large: {content} minus {against}, points, with its 95 % interval. Dots: seeds; dotted: a coin. "
        f"By theory thoughts are needed only to the left of the line: {lines}."
    )


def _panel(
    axis: Axes, cell: pd.DataFrame, seeds: pd.DataFrame, grid: Grid, roles: Mapping[str, str], content: str
) -> None:
    lowest = marks.span(seeds["accuracy"])[0]
    axis.set(
        xlim=(lowest, 104), ylim=(len(grid.rows) - 0.5, -0.5 - TOP / ROW), xticks=(50, 75, 100), yticks=[]
    )
    for spine in axis.spines.values():
        spine.set(visible=True, color=RULE)
    if cell.empty:
        axis.patch.set(hatch="///", edgecolor=RULE, linewidth=0)
        axis.text(0.5, 0.5, "not run", transform=axis.transAxes, ha="center", va="center", color=SECONDARY,
                  style="italic")  # fmt: skip
        return
    axis.vlines(COIN, -0.5, len(grid.rows) - 0.5, color=SECONDARY, linestyle=":", linewidth=1.2)
    for _, row in cell.iterrows():
        at, colour = grid.rows.index(row["row"]), ROLES[roles[row["method"]]]
        runs = seeds[(seeds["method"] == row["method"]) & (seeds["dataset"] == row["dataset"])]
        marks.seeds(axis, runs["accuracy"].tolist(), at, colour)
        if row["row"] == content and not pd.isna(row["difference"]):
            _large(axis, row, colour)


def _large(axis: Axes, row: pd.Series, colour: str) -> None:
    """The difference of the row with content, its interval, and the tint of the panel."""
    tint = min(max(row["difference"], 0) / FULL, 1)
    axis.axhspan(*axis.get_ylim(), color=THOUGHTS_PALE, alpha=0.75 * tint, linewidth=0, zorder=0)
    settled = row["verdict"] in (Verdict.SUPPORTED, Verdict.CONTRADICTED)
    axis.annotate(_signed(row["difference"]), (0, 1), (5, -4), xycoords="axes fraction",
                  textcoords="offset points", va="top", fontsize=14, weight="bold",
                  color=colour if settled else SECONDARY)  # fmt: skip
    span = (
        f"{row['n']:.0f} seed{'s' * (row['n'] != 1)}"
        if pd.isna(row["difference low"])
        else f"[{_signed(row['difference low'])}, {_signed(row['difference high'])}]"
    )
    axis.annotate(span, (1, 1), (-5, -7), xycoords="axes fraction", textcoords="offset points", va="top",
                  ha="right", fontsize=8.2, color=SECONDARY)  # fmt: skip


def _signed(value: float) -> str:
    return f"{round(value) + 0:+d}".replace("-", "−").replace("+0", "0")


def _names(axis: Axes, hops: str, rows: pd.DataFrame, grid: Grid, roles: Mapping[str, str]) -> None:
    """The names of the rows, left of the first panel, and the number of hops above them."""
    axis.annotate(hops, (0, 1), (-6, -4), xycoords="axes fraction", textcoords="offset points", ha="right",
                  va="top", fontsize=11, weight="bold")  # fmt: skip
    for at, row in enumerate(grid.rows):
        role = roles[rows.loc[rows["row"] == row, "method"].iloc[0]]
        control = role == "control"
        axis.annotate(row, (0, at), (-6, 0), xycoords=axis.get_yaxis_transform(), textcoords="offset points",
                      ha="right", va="center", color=ROLES[role],
                      weight="normal" if control else "bold")  # fmt: skip


def _steps(
    axes: Sequence[Sequence[Axes]], grid: Grid, needed: Sequence[int], right: float, up: float
) -> tuple[list[float], list[float]]:
    """A stepped line through the gaps between panels, left of the layers `needed` at every number of hops: x
    and y as parts of the figure. `right` and `up` are half of a gap."""
    x: list[float] = []
    y: list[float] = []
    for panels, layers in zip(axes, needed, strict=True):
        boxes = [axis.get_position() for axis in panels]
        at = sum(one < layers for one in grid.layers)
        x += [boxes[at].x0 - right if at < len(boxes) else boxes[-1].x1 + right] * 2
        y += [boxes[0].y1 + up, boxes[0].y0 - up]
    return x, y


def _finding(own: pd.DataFrame, grid: Grid, content: str) -> tuple[str, str]:
    """Where content decides, as a title, and every cell, as the alternative text."""
    needed = own[own["verdict"] == Verdict.SUPPORTED]
    alike: dict[tuple[int, ...], list[int]] = {}  # hops by the layers at which content is needed
    for hops in grid.hops:
        alike.setdefault(tuple(sorted(needed.loc[needed["hops"] == hops, "layers"])), []).append(hops)
    said = [
        f"at {_listed(hops)} hops {f'with {_listed(layers)} layers' if layers else 'nowhere'}"
        for layers, hops in sorted(alike.items(), key=lambda item: not item[0])
    ]
    title = f"Thoughts need content {', '.join(said)}"
    cells = "; ".join(
        f"{row['hops']} hops and {_layers(row['layers'])}: {_signed(row['difference'])} points"
        + (
            ""
            if pd.isna(row["difference low"])
            else f" [{row['difference low']:.1f}, {row['difference high']:.1f}]"
        )
        + f", {row['verdict']}"
        for _, row in own.dropna(subset="difference").sort_values(["hops", "layers"]).iterrows()
    )
    return title, f"{title}. {content} above the same places without content: {cells}."


def _layers(number: int) -> str:
    return f"{number} layer{'s' * (number != 1)}"


def _listed(numbers: Sequence[int]) -> str:
    """Numbers in words: "2, 3 and 4"."""
    first, last = [str(n) for n in numbers[:-1]], str(numbers[-1])
    return f"{', '.join(first)} and {last}" if first else last
