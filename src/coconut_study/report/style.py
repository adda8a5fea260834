"""How every figure looks, and how it is written."""

from __future__ import annotations

from contextlib import AbstractContextManager
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from coconut_study.common.files import written_path

mpl.use("Agg")

STYLE: Any = {
    "text.parse_math": False,  # titles and labels are text, also with $ in them
    "svg.hashsalt": "coconut-study",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.titlesize": 10,
    "figure.dpi": 150,
    "savefig.bbox": "tight",
}


def style() -> AbstractContextManager[None]:
    """A block in which figures are drawn."""
    settings: Any = sns.axes_style("ticks") | STYLE
    return mpl.rc_context(settings)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as .svg, .pdf and .png, without dates: the same figure gives the same files.

    It is drawn in memory, because matplotlib hides the errors of a full disk behind its own.
    """
    for suffix, undated in ((".svg", {"Date": None}), (".pdf", {"CreationDate": None}), (".png", {})):
        drawn = BytesIO()
        with mpl.rc_context(STYLE):
            figure.savefig(drawn, format=suffix[1:], metadata=undated)
        with written_path(path.with_suffix(suffix)) as new:
            new.write_bytes(drawn.getvalue())
    plt.close(figure)
