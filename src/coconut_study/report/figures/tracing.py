"""Where the answer sits: what a restored state brings back, by layer and place."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb

from coconut_study.common.errors import StudyError
from coconut_study.report.cells import rounded
from coconut_study.report.palette import INK, PAPER, ROLES, SECONDARY
from coconut_study.report.style import Drawn, page

ROW = 0.24  # inches that a place takes
DARK = 55  # percent from which a cell is dark, so that its number is written in the colour of the page


def tracing(
    table: pd.DataFrame, *, titles: Mapping[str, str], roles: Mapping[str, str], dataset: str
) -> Drawn:
    """One panel per method: places from top to bottom in the order of the sequence, layers from left to
    right, and in every cell the share of the answer that is brought back."""
    table = table[table["dataset"] == dataset]
    if table.empty:
        raise StudyError(f"tracing.csv: has no rows of {dataset}")
    methods = list(dict.fromkeys(table["method"]))
    first = next((name for name in methods if roles[name] == "thoughts"), methods[0])
    title = _finding(table[table["method"] == first], titles[first])
    how = (
        "Each cell: % of the way from the corrupt run (the other root) back to the clean one if the state of "
        "this place is restored after this layer; 0: embeddings."
    )
    most = max(table[table["method"] == name]["place"].nunique() for name in methods)
    names = {name: textwrap.fill(titles[name], 20) for name in methods}
    lines = max(name.count("\n") for name in names.values())
    figure, axes = page(0.75 + ROW * (most + lines), title, how, ncols=len(methods))
    for axis, name in zip(axes[0], methods, strict=True):
        _panel(axis, table[table["method"] == name], names[name], ROLES[roles[name]])
    figure.supxlabel("layer after which the state is restored", fontsize=9, color=SECONDARY)
    return Drawn(figure, title, _words(table, titles, dataset))


def _panel(axis: Axes, rows: pd.DataFrame, name: str, colour: str) -> None:
    places, layers = list(dict.fromkeys(rows["place"])), sorted(set(rows["layer"]))
    effects = rows.pivot(index="place", columns="layer", values="mean").loc[places, layers]
    scale = LinearSegmentedColormap.from_list("effect", [to_rgb(PAPER), to_rgb(colour)])
    axis.set_title(name, color=colour)
    axis.set_xticks(range(len(layers)), [str(layer) for layer in layers])
    axis.set_yticks(range(len(places)), places)
    axis.tick_params(length=0)
    if effects.isna().all(axis=None):
        _nothing(axis, rows, effects.shape)
        return
    axis.imshow(effects, cmap=scale, vmin=0, vmax=100, aspect="auto")
    for y, values in enumerate(effects.to_numpy()):
        for x, value in enumerate(values):
            on = PAPER if value > DARK else INK
            axis.text(x, y, rounded(value, 0), ha="center", va="center", fontsize=8.2, color=on)


def _nothing(axis: Axes, rows: pd.DataFrame, shape: tuple[int, int]) -> None:
    """A panel of a method whose answer does not follow the root."""
    n_places, n_layers = shape
    axis.set(xlim=(-0.5, n_layers - 0.5), ylim=(n_places - 0.5, -0.5))
    clean, corrupt = (rounded(rows[name].iloc[0]) for name in ("clean", "corrupt"))
    words = f"nothing to bring back:\nright option {clean} %\nwith its own root,\n{corrupt} % with the other"
    axis.text((n_layers - 1) / 2, (n_places - 1) / 2, words, ha="center", va="center", color=SECONDARY)


def _inside(rows: pd.DataFrame) -> pd.DataFrame:
    """The cells of places between the root and the answer, which are not known beforehand."""
    return rows[rows["place"].str.contains("thought|step")]


def _finding(rows: pd.DataFrame, name: str) -> str:
    """What the effects say of the places between question and answer."""
    if rows["mean"].isna().all():
        return f"The answers of {name} do not follow the root: there is nothing to trace"
    inside = _inside(rows)
    if inside.empty:
        return f"Where {name} keeps its answer, by layer and place"
    best = inside.groupby("place", sort=False)["mean"].max()
    single = best[[place for place in best.index if not place.startswith("all")]]
    least, most = rounded(single.min(), 0), rounded(single.max(), 0)
    word = single.index[0].split()[0]
    if single.min() >= 50:
        share = f"{least} %" if least == most else f"{least} to {most} %"
        return f"Any one {word} of {name}, restored, brings back {share} of its answer"
    if single.max() < 50:
        return f"No single {word} of {name} brings back more than {most} % of its answer"
    where = ", ".join(place.split()[1] for place in single[single >= 50].index)
    return f"{word.capitalize()} {where} of {name} brings back up to {most} % of its answer; others do not"


def _words(table: pd.DataFrame, titles: Mapping[str, str], dataset: str) -> str:
    """The largest effect of every place of every method."""
    said = [f"Share of the answer that restored states bring back on {titles[dataset]}."]
    for method, rows in table.groupby("method", sort=False):
        clean, corrupt = (rounded(rows[column].mean()) for column in ("clean", "corrupt"))
        start = f"{titles[method]}, right option {clean} % with its own root, {corrupt} % with the other:"
        if rows["mean"].isna().all():
            said.append(f"{start} nothing to bring back.")
            continue
        best = rows.loc[rows.groupby("place", sort=False)["mean"].idxmax()]
        parts = [f"{row.place} {rounded(row.mean, 0)} % (layer {row.layer})" for row in best.itertuples()]
        said.append(f"{start} {', '.join(parts)}.")
    return " ".join(said)
