"""The marks of figures: what a dot, a bar, a diamond, a line and a shaded zone stand for, drawn one way."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from itertools import count, product
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from coconut_study.report.cells import SHORTCUT, rounded
from coconut_study.report.palette import CONTROL, INK, PAPER, SECONDARY, ZONE, ZONE_EDGE, ZONE_TEXT
from coconut_study.report.scores import ANSWER, COIN

ANSWERS = "right answers, %"
HOW = "Dots: seeds; short bars: means; thin lines: 95 % intervals, from three seeds on."
GAP = 4.0  # pixels between names above a panel
SHARE = (42.0, 101.0)  # an axis of right answers (%) that no method falls below a coin on


def span(values: Sequence[float]) -> tuple[float, float]:
    """The axis of right answers (%) that holds all of `values`: from below a coin, or from a lower ten."""
    lowest = min((value for value in values if not pd.isna(value)), default=100.0)
    return SHARE if lowest > SHARE[0] else (max(lowest // 10 * 10, 0) - 1, SHARE[1])


def answers(axis: Axes, values: Sequence[float]) -> None:
    """Right answers (%) across, on an axis that holds all of `values`."""
    axis.set(xlim=span(values), xlabel=ANSWERS)
    if axis.get_xlim() == SHARE:
        axis.set_xticks(range(50, 101, 10))


def rows(axis: Axes, at: Sequence[float], names: Sequence[str], **text: Any) -> None:
    """A named row at each height of `at`, the first one on top; `text` says how names look."""
    axis.set_ylim(max(at) + 0.6, -0.6)
    axis.spines["left"].set_visible(False)
    axis.tick_params(axis="y", length=0)
    axis.set_yticks(at, names, color=INK, **text)


def spread(values: Sequence[float], near: float) -> list[float]:
    """For each value an offset across the axis, from -0.2 to 0.2: dots less than `near` apart lie beside each
    other while there is room."""
    placed: list[tuple[float, float]] = []
    for value in values:
        taken = {offset for other, offset in placed if abs(other - value) < near}
        free = [offset for offset in (0.0, 0.2, -0.2, 0.1, -0.1) if offset not in taken]
        placed.append((value, (free or [0.0])[0]))
    return [offset for _, offset in placed]


def seeds(axis: Axes, values: Sequence[float], at: float, colour: str, *, near: float = 1.2) -> None:
    """A filled dot for every seed, beside the height `at`."""
    heights = [at + offset for offset in spread(values, near)]
    axis.scatter(values, heights, s=24, color=colour, edgecolor=PAPER, linewidth=0.7, zorder=4)


def mean(axis: Axes, value: float, low: float, high: float, at: float, colour: str) -> None:
    """A short bar at the mean, and a thin line over its interval if it has one."""
    axis.plot(
        [value, value], [at - 0.32, at + 0.32], color=colour, linewidth=2.4, solid_capstyle="butt", zorder=3
    )
    if not pd.isna(low):
        axis.plot([low, high], [at, at], color=colour, linewidth=1, zorder=2)


def point(
    axis: Axes, row: pd.Series, values: Sequence[float], at: float, colour: str, *, value: str = "mean",
    near: float = 1.2, weight: str = "normal", halo: bool = False,
) -> None:  # fmt: skip
    """A row at the height `at`: its seeds, its mean (the cell `value`) with interval, and that as a number,
    with a `halo` where lines may pass behind it."""
    mean(axis, row[value], row["low"], row["high"], at, colour)
    seeds(axis, values, at, colour, near=near)
    ends = [*values, row[value], *row[["low", "high"]].dropna()]
    number(axis, rounded(row[value]), min(ends), max(ends), at, colour, weight=weight, halo=halo)


def curve(
    axis: Axes, at: Sequence[float], line: pd.DataFrame, seeds: pd.DataFrame, colour: str, *,
    size: float = 24, **look: Any,
) -> None:  # fmt: skip
    """A line through means at the places `at`, upright intervals, and a dot of `size` for every seed; `look`
    says how the line looks."""
    axis.plot(at, line["mean"], color=colour, zorder=2, **look)
    axis.vlines(at, line["low"], line["high"], color=colour, linewidth=1, zorder=2)
    for (_, row), where in zip(line.iterrows(), at, strict=True):
        own = of_runs(seeds, row)
        axis.scatter([where] * len(own), own, s=size, color=colour, edgecolor=PAPER, linewidth=0.7, zorder=4)


def reported(axis: Axes, value: float, sd: float, at: float, colour: str) -> None:
    """A hollow diamond for a number of the paper, and its standard deviation as a thick line."""
    if not pd.isna(sd):
        axis.plot([value - sd, value + sd], [at, at], color=colour, linewidth=2.4, zorder=3)
    axis.plot(
        value,
        at,
        marker="D",
        markersize=5.5,
        color=colour,
        markerfacecolor=PAPER,
        markeredgewidth=1.6,
        zorder=4,
    )


def number(
    axis: Axes, text: str, left: float, right: float, at: float, colour: str, weight: str = "normal",
    *, halo: bool = False,
) -> None:  # fmt: skip
    """A number beside marks that reach from `left` to `right`: on their right side, if there is room."""
    room = axis.get_xlim()[1] - right > 0.16 * (axis.get_xlim()[1] - axis.get_xlim()[0])
    axis.annotate(
        text, (right if room else left, at), (7 if room else -7, 0), textcoords="offset points", va="center",
        ha="left" if room else "right", color=colour, weight=weight,
        path_effects=[withStroke(linewidth=3, foreground=PAPER)] if halo else [],
    )  # fmt: skip


def coin(axis: Axes, *, vertical: bool = True, label: bool = True) -> Text | None:
    """A dotted line where a coin would be, and its name above it, which is returned."""
    line = axis.axvline if vertical else axis.axhline
    line(COIN, color=SECONDARY, linestyle=":", linewidth=1.2, zorder=1.5)
    return above(axis, COIN, "coin") if label and vertical else None


def rule(axis: Axes, at: float) -> None:
    """A thin line at what a rule answers right."""
    axis.axvline(at, color=ZONE_TEXT, linewidth=1, alpha=0.6, zorder=1)


def zone(axis: Axes, high: float, low: float | None = None) -> None:
    """What is right without planning: shaded up to `high`, darker from `low` on, where that is uncertain."""
    axis.axvspan(axis.get_xlim()[0], high, color=ZONE, linewidth=0, zorder=0)
    if low is not None:
        axis.axvspan(low, high, color=ZONE_EDGE, linewidth=0, zorder=0)


def above(axis: Axes, at: float, text: str, ha: str = "center") -> Text:
    """A word above the panel, at a place on its axis."""
    return axis.annotate(
        text, (at, 1), (0, 3), xycoords=axis.get_xaxis_transform(), textcoords="offset points",
        ha=ha, va="bottom", fontsize=8.5, color=ZONE_TEXT,
    )  # fmt: skip


def named(axis: Axes, at: float, texts: Sequence[str], others: Iterable[Text], lines: int) -> Text | None:
    """The name of a line above the panel, beside the words that stand there already: the first of `texts`
    that has room on one side of the line, in up to `lines` lines; None, and nothing drawn, if none has.

    The layout leaves it out, so that it makes no panel narrower.
    """
    word = above(axis, at, "", "left")
    word.set_in_layout(False)
    figure = word.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    panel, line = axis.get_window_extent(), axis.transData.transform((at, 0))[0]
    taken = [other.get_window_extent() for other in others]
    right = min([panel.x1, *(box.x0 - GAP for box in taken if box.x1 > line)]) - line
    left = line - max([panel.x0, *(box.x1 + GAP for box in taken if box.x0 < line)])
    for text, n in product(texts, range(1, lines + 1)):
        word.set_text(_in_lines(text, n))
        needed = word.get_window_extent().width
        if needed <= max(left, right):
            word.set_horizontalalignment("left" if needed <= right else "right")
            return word
    word.remove()
    return None


def shortened(name: str, number: str) -> list[str]:
    """A name with its number, then without the last word, without the last two, and so on."""
    words = name.split()
    return [f"{name} {number}", *(f"{' '.join(words[:n])}… {number}" for n in range(len(words) - 1, 0, -1))]


def _in_lines(text: str, n: int) -> str:
    """Text broken at blanks into at most `n` lines, none longer than it must be."""
    wrapped = (textwrap.wrap(text, width, break_long_words=False) for width in count(len(text) // n + 1))
    return "\n".join(next(lines for lines in wrapped if len(lines) <= n))


def overlaps(word: Text, others: Iterable[Text]) -> bool:
    """Whether a word is drawn over one of others in the same figure."""
    figure = word.get_figure(root=True)
    assert figure is not None
    figure.draw_without_rendering()
    return any(word.get_window_extent().overlaps(other.get_window_extent()) for other in others)


def heading(axis: Axes, title: str, how: str = "", *, up: float = 0.0) -> None:
    """The title of a panel and a grey line that says how to read it; `up` points further up."""
    axis.annotate(title, (0, 1), (0, up + (18 if how else 6)), xycoords="axes fraction",
                  textcoords="offset points", weight="bold")  # fmt: skip
    axis.annotate(how, (0, 1), (0, up + 6), xycoords="axes fraction", textcoords="offset points",
                  fontsize=8.5, color=SECONDARY)  # fmt: skip


def labels(
    axis: Axes, ends: Mapping[str, tuple[float, str]], *, apart: float = 0.07,
    styles: Mapping[str, Any] | None = None,
) -> list[Artist]:  # fmt: skip
    """Names beside the right end of a panel, at the heights and in the colours of lines, at least `apart` of
    the panel's height from each other; after a piece of the line where `styles` has the style of each.
    Returns what was drawn."""
    drawn: list[Artist] = []
    low, high = axis.get_ylim()
    order = sorted(ends, key=lambda name: ends[name][0])
    places = [(ends[name][0] - low) / (high - low) for name in order]
    for _ in range(200):  # neighbours push each other apart
        for i in range(len(places) - 1):
            push = max(0.0, apart - (places[i + 1] - places[i])) / 2
            places[i], places[i + 1] = places[i] - push, places[i + 1] + push
    lift = max(0.0, -min(places, default=0.0))  # none lies below the panel
    for name, place in zip(order, (place + lift for place in places), strict=True):
        colour = ends[name][1]
        if styles is not None:
            drawn += axis.plot(
                [1.05, 1.2], [place, place], color=colour, linestyle=styles[name], transform=axis.transAxes,
                clip_on=False, scalex=False, scaley=False,
            )  # fmt: skip
        words = axis.annotate(
            name, (1.24 if styles else 1, place), (0 if styles else 6, 0), xycoords="axes fraction",
            textcoords="offset points", va="center", linespacing=0.95,
            color=colour, fontsize=8.5, weight="normal" if colour == CONTROL else "bold",
        )  # fmt: skip
        drawn.append(words)
    return drawn


# ------------------------------------------------------------------------------------------------ numbers


class Baseline(NamedTuple):
    """What a rule that does no planning answers right, in percent, with its interval."""

    rule: str
    accuracy: float
    low: float
    high: float


def baselines(main: pd.DataFrame, dataset: str) -> list[Baseline]:
    """The rules of a data set in the table `main`, from the best to the worst."""
    rows = main[(main["dataset"] == dataset) & main["method"].str.startswith(SHORTCUT)]
    rows = rows.dropna(subset="accuracy").sort_values("accuracy", ascending=False, kind="stable")
    return [
        Baseline(row["method"].removeprefix(SHORTCUT), row["accuracy"], row["low"], row["high"])
        for _, row in rows.iterrows()
    ]


def percent(row: Mapping[str, Any] | pd.Series, name: str = "accuracy") -> str:
    """A percentage with its interval, in words."""
    span = "" if pd.isna(row["low"]) else f" [{rounded(row['low'])}, {rounded(row['high'])}]"
    return f"{rounded(row[name])} %{span}"


def of_runs(seeds: pd.DataFrame, row: pd.Series) -> list[float]:
    """The right answers of every run of the method and k of `row`."""
    return seeds.loc[(seeds["method"] == row["method"]) & (seeds["k"] == row["k"]), ANSWER].tolist()


def after(k: int) -> str:
    """After how many thoughts, in words."""
    return f"after {k} thought{'s' * (k != 1)}" if k else "before any thought"
