"""Commands that draw figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from coconut_study.commands import columns as c
from coconut_study.commands.shared import Asked, Chosen, Drawn, Figure, Titles, read_csv, read_one
from coconut_study.errors import StudyError

app = typer.Typer()


@app.command()
def figure_accuracy(
    table: Drawn,
    seeds: Annotated[Path, typer.Option(help="CSV with every run")],
    titles: Titles,
    out: Figure,
) -> None:
    """The main table as points."""
    from coconut_study import figures

    figures.save(figures.accuracy(read_csv(table, c.MAIN), read_csv(seeds, c.SEEDS), json.loads(titles)), out)


@app.command()
def figure_sweep(
    table: Drawn,
    titles: Titles,
    dataset: Annotated[str, typer.Option()],
    method: Annotated[str, typer.Option(help="the swept method")],
    references: Annotated[str, typer.Option(help="JSON: methods drawn below it, where they were run")],
    out: Figure,
) -> None:
    """Right answers and stacked outcomes by number of thoughts."""
    from coconut_study import figures

    below = json.loads(references)
    rows = read_csv(table, c.SWEEP)
    rows = rows[(rows["dataset"] == dataset) & rows["method"].isin([method, *below])]
    figures.save(figures.sweep(rows, json.loads(titles), below), out)


@app.command()
def figure_learning(table: Drawn, titles: Titles, out: Figure) -> None:
    """Learning curves over the stages."""
    from coconut_study import figures

    figures.save(figures.learning(read_csv(table, c.LEARNING), json.loads(titles)), out)


@app.command()
def figure_stages(table: Drawn, titles: Titles, out: Figure) -> None:
    """Accuracy at both ends of every stage."""
    from coconut_study import figures

    figures.save(figures.stages(read_csv(table, c.STAGES), json.loads(titles)), out)


@app.command()
def figure_comparison(
    table: Drawn,
    x: Annotated[str, typer.Option(help="what is across: label, tokens or k")],
    xlabel: Annotated[str, typer.Option(help="its name")],
    titles: Titles,
    out: Figure,
) -> None:
    """An experiment as lines or points."""
    from coconut_study import figures

    points = read_csv(table, c.COMPARISON, dtype={"series": str, "label": str})
    figures.save(figures.comparison(points, x, xlabel, json.loads(titles)), out)


@app.command()
def figure_parallelism(table: Drawn, dataset: Chosen, method: Chosen, out: Figure) -> None:
    """The value that the best one, two and three candidates hold."""
    from coconut_study import figures, figures_probe

    figures.save(figures_probe.parallelism(read_one(table, c.PARALLELISM, dataset, method)), out)


@app.command()
def figure_heights(table: Drawn, dataset: Chosen, method: Chosen, out: Figure) -> None:
    """Value of correct and incorrect candidates against height."""
    from coconut_study import figures, figures_probe

    figures.save(figures_probe.heights(read_one(table, c.HEIGHTS, dataset, method)), out)


@app.command()
def figure_tree(
    values: Annotated[Path, typer.Option(help="values of one run")],
    questions: Asked,
    case: Annotated[int, typer.Option(help="number of the question, from 0")],
    out: Figure,
) -> None:
    """The latent search tree of one question."""
    from coconut_study import figures, figures_probe
    from coconut_study import questions as q

    asked, found = q.read(questions), read_csv(values, c.VALUES)
    found = found[found["question"] == case]
    if found.empty:
        raise StudyError(f"probing.case: question {case} of {questions} was not probed")
    figures.save(figures_probe.tree(asked[case], found), out)
