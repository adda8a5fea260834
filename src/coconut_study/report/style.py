"""How every figure looks, and how it is written: for light and for dark pages, with its finding in words."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.font_manager import FontEntry, fontManager

from coconut_study.common.files import written_path
from coconut_study.report.palette import SECONDARY

mpl.use("Agg")

HERE = Path(__file__).parent
WIDTH = 7.0  # inches
HEIGHTS = (2.6, 3.2, 4.4)  # inches; a figure with more rows grows in steps of the last difference
MARGIN = 0.1  # inches beside and above the title
LINE = {13.0: 0.23, 8.5: 0.16}  # inches that a line of text takes, by its size
FONTS = {"SourceSans3-Regular.ttf": "normal", "SourceSans3-SemiBold.ttf": "bold"}

fontManager.ttflist[:0] = [
    FontEntry(fname=str(HERE / "fonts" / name), name="Source Sans 3", weight=weight, size="scalable")
    for name, weight in FONTS.items()
]


class Drawn(NamedTuple):
    """A figure, its title, and what it shows in words, for those who do not see it."""

    figure: Figure
    title: str
    alt: str


@contextmanager
def style(*, dark: bool = False) -> Iterator[None]:
    """A block in which figures are drawn, for light or for dark pages."""
    names = ["coconut.mplstyle"] + ["coconut-dark.mplstyle"] * dark
    with plt.style.context([HERE / name for name in names], after_reset=True):
        yield


def height(needed: float) -> float:
    """The lowest height of figures, in inches, that has room for `needed`."""
    step = HEIGHTS[-1] - HEIGHTS[-2]
    more = HEIGHTS[-1] + step * ceil(max(0.0, needed - HEIGHTS[-1]) / step)
    return next((one for one in HEIGHTS if needed <= one), more)


def page(needed: float, title: str, how: str, **grid: Any) -> tuple[Figure, Any]:
    """A figure with a title, a line that says how to read it, and panels below: the figure and its axes, as
    `plt.subplots(squeeze=False)` gives them.

    `needed` is what the panels need of the height, in inches; `grid` is passed on.
    """
    lines = [(line, 13.0) for line in _wrapped(title, 80)] + [(line, 8.5) for line in _wrapped(how, 136)]
    head = MARGIN + sum(LINE[size] for _, size in lines)
    tall = height(needed + head)
    figure, axes = plt.subplots(figsize=(WIDTH, tall), squeeze=False, **grid)
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0, 0, 1, 1 - head / tall))
    top = MARGIN
    for line, size in lines:
        bold = size > 9
        figure.text(
            MARGIN / WIDTH, 1 - top / tall, line, va="top", fontsize=size,
            weight="bold" if bold else "normal", **({} if bold else {"color": SECONDARY}),
        )  # fmt: skip
        top += LINE[size]
    return figure, axes


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, no percent sign apart from its number."""
    return textwrap.wrap(text.replace(" %", "\u00a0%"), width)


def save(draw: Callable[[], Drawn], path: Path) -> None:
    """Write what `draw` draws: .svg, .pdf and .png, a twin -dark.png for dark pages, and its words as .txt.

    The files hold no dates: the same figure gives the same files. They are drawn in memory, because
    matplotlib hides the errors of a full disk behind its own.
    """
    with style():
        light = draw()
        words = {"Title": light.title, "Description": light.alt}
        _write(
            path.with_suffix(".svg"), _described(_drawn(light.figure, "svg", words | {"Date": None}), light)
        )
        about = {"Title": light.title, "Subject": light.alt, "CreationDate": None}
        _write(path.with_suffix(".pdf"), _drawn(light.figure, "pdf", about))
        _write(path.with_suffix(".png"), _drawn(light.figure, "png", words))
    with style(dark=True):
        _write(path.with_name(f"{path.stem}-dark.png"), _drawn(draw().figure, "png", words))
    _write(path.with_suffix(".txt"), f"{light.alt}\n".encode())


def _drawn(figure: Figure, suffix: str, metadata: Mapping[str, str | None]) -> bytes:
    """The figure as a file of a format. The last format closes it."""
    drawn = BytesIO()
    figure.savefig(drawn, format=suffix, metadata=dict(metadata))
    if suffix == "png":
        plt.close(figure)
    return drawn.getvalue()


def _described(svg: bytes, drawn: Drawn) -> bytes:
    """An SVG whose description follows its title, where screen readers look for it."""
    description = f"</title>\n <desc>{escape(drawn.alt, quote=False)}</desc>"
    return svg.replace(b"</title>", description.encode(), 1)


def _write(path: Path, content: bytes) -> None:
    with written_path(path) as new:
        new.write_bytes(content)
