"""The page of a study that answers one question, and the index of such pages. Pure but for `ship`.

A page holds what came out and what was thought before the run: verdicts, hypothesis and prediction, figures,
tables, what would change our mind, what we would attack, and how to run it. Every number on it comes from a
table or from the words of a figure; all else is in the study file.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from coconut_study.common.errors import StudyError
from coconut_study.common.files import written
from coconut_study.report.cells import rounded
from coconut_study.report.verdicts import Verdict

CAME_OUT = "**What came out.**"
INDEX = "README"
LONG = 60  # rows of a table from which it is folded
FIGURES, DOCS = "figures/", "../../docs/"  # where pages in results/STUDY find these
VERDICTS = "## Verdicts"
HOW = """\
Seeds: {seeds}; seeds of base models: {bases}. Intervals are over seeds and groups of questions, differences
below {margin:g} points count as none, and p values are adjusted for all predictions together
([statistics]({docs}statistics.md))."""
MADE = "The rule `finding` has made this page. Hypothesis, predictions and attacks are in the study file."
INTRODUCTION = """\
# Findings

Each page answers one question with one study. Hypothesis, predictions and seeds were in the study file before
it was run, unless the page says otherwise, and the page is made from its tables. *Supported* and
*contradicted* say that a difference is beyond chance, *equivalent* that it is too small to matter,
*undecided* that the runs do not tell ([statistics](../statistics.md)). A prediction that fails stays on its
page.
"""


class Shown(NamedTuple):
    """A figure or table of a page: its name, and its words or its Markdown."""

    name: str
    text: str


def page(
    finding: Mapping[str, Any],
    predictions: pd.DataFrame,
    figures: Sequence[Shown],
    tables: Sequence[Shown],
    *,
    seeds: Sequence[int],
    bases: Sequence[int],
    run: str,
) -> str:
    """The page in Markdown. `finding` is the study's key of this name, `predictions` the table; `run` is the
    command that makes the study."""
    parts = [
        f"# {finding['question']}",
        f"{CAME_OUT} {summary(predictions)}",
        *map(_picture, figures[:1]),
        f"**Hypothesis.** {finding['hypothesis'].strip()}",
        f"**Prediction.** {finding['prediction'].strip()}",
        VERDICTS,
        "\n".join(f"- {sentence(row)}" for _, row in predictions.iterrows()),
        HOW.format(
            seeds=_listed(seeds), bases=_listed(bases), margin=predictions["margin"].iloc[0], docs=DOCS
        ),
        *map(_picture, figures[1:]),
        *(["## Tables"] if tables else []),
        *map(_table, tables),
        "## What would change our mind",
        finding["mind"].strip(),
        "## What we would attack",
        "\n".join(f"- {one.strip()}" for one in finding["attack"]),
        "## Run it",
        f"```\n{run}\n```",
        MADE,
    ]
    return "\n\n".join(parts) + "\n"


def _table(table: Shown) -> str:
    """A table in Markdown, folded if it is long."""
    text = table.text.strip()
    n_rows = text.count("\n") - 1
    if n_rows <= LONG:
        return text
    return f"<details><summary>{table.name}, {n_rows} rows</summary>\n\n{text}\n\n</details>"


def summary(predictions: pd.DataFrame) -> str:
    """How many predictions came true, in one sentence."""
    counts = predictions["verdict"].value_counts()
    order = [verdict.value for verdict in Verdict if verdict.value in counts]
    said = [f"{counts[name]} {'are' if counts[name] > 1 else 'is'} {name}" for name in order]
    n = len(predictions)
    whole = f"Of {n} predictions" if n > 1 else "Of one prediction"
    return f"{whole}, {', '.join(said)}."


def sentence(row: pd.Series) -> str:
    """One prediction with its verdict, both sides and their difference, in words."""
    said = f"{row['claim']}: **{row['verdict']}** ({rounded(row['first'])} against {rounded(row['second'])} %"
    if not pd.isna(row["low"]):
        said += f"; {rounded(row['difference'])} points [{rounded(row['low'])}, {rounded(row['high'])}]"
    note = "" if pd.isna(row["note"]) or not row["note"] else f"; {row['note']}"
    return f"{said}{note})"


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _picture(figure: Shown) -> str:
    """A figure for light and for dark pages, with its words for those who do not see it."""
    path = f"{FIGURES}{figure.name}"
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{path}-dark.png">'
        f'<img src="{path}.png" width="830" alt="{escape(figure.text.strip())}"></picture>'
    )


# ---------------------------------------------------------------------------------------- shipped pages


def ship(made: Path, folder: Path) -> None:
    """Copy the page of a study (results/NAME/finding.md) and its figures to `folder` (docs/findings), as
    NAME.md and NAME/*.png, and write the index of its pages anew."""
    name = made.resolve().parent.name
    text = made.read_text(encoding="utf-8")
    for picture in re.findall(rf'"{FIGURES}([^"]+)"', text):
        source = made.parent / FIGURES / picture
        if not source.is_file():
            raise StudyError(f"{made}: shows {source}, which is not there; make the figures of {name} first")
        (folder / name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / name / picture)
    with written(folder / f"{name}.md") as file:
        file.write(text.replace(f'"{FIGURES}', f'"{name}/').replace(f"({DOCS}", "(../"))
    pages = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.md"))}
    pages.pop(INDEX, None)
    with written(folder / f"{INDEX}.md") as file:
        file.write(index(pages))


def index(pages: Mapping[str, str]) -> str:
    """The index of pages, each given by its name: question and verdicts, as the pages say them."""
    sections = [
        f"\n## [{_line(text, '# ')}]({name}.md)\n\n{_line(text, CAME_OUT)}\n\n{_verdicts(text)}\n"
        for name, text in pages.items()
    ]
    return INTRODUCTION + "".join(sections)


def _verdicts(text: str) -> str:
    """The predictions of a page, one a line, without their numbers."""
    lines = text.partition(f"\n{VERDICTS}\n")[2].strip().partition("\n\n")[0].splitlines()
    return "\n".join(re.sub(r"(?<=\*\*) \(.*", "", line) for line in lines)


def _line(text: str, start: str) -> str:
    """The rest of the first line that starts so; StudyError if there is none."""
    for line in text.splitlines():
        if line.startswith(start):
            return line.removeprefix(start).strip()
    raise StudyError(f"the page of a finding has no line that starts with {start.strip()}; make it anew")
