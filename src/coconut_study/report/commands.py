"""The commands that make tables and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from coconut_study.common.errors import StudyError, hint
from coconut_study.common.files import write_csv
from coconut_study.common.settings import read_settings
from coconut_study.report import catalog
from coconut_study.report.settings import Arguments, Explored, Page

app = typer.Typer()
Name = Annotated[str, typer.Argument(help="its name in the catalog")]
Given = Annotated[str, typer.Option(help="JSON: the files to read, the tables to read, and the settings")]


@app.command()
def table(
    name: Name,
    arguments: Given,
    out: Annotated[Path, typer.Option(help="CSV to write; .md, .tex and .html are written beside it")],
) -> None:
    """Make a table of the report."""
    from coconut_study.report.markup import write_table

    record = catalog.find(catalog.TABLES, name)
    given = _given(record, arguments)
    made = catalog.function(record.module, name)(*_inputs(record, given), **_of(record.settings, given))
    write_csv(out, made)
    if record.format_settings is not None:
        text = catalog.function(record.module, f"format_{name}")
        write_table(out, text(made, **_of(record.format_settings, given)))


@app.command()
def figure(
    name: Name,
    arguments: Given,
    out: Annotated[
        Path, typer.Option(help="SVG to write; .pdf, .png, -dark.png and .txt are written beside it")
    ],
) -> None:
    """Draw a figure of the report."""
    from coconut_study.report.style import save

    record = catalog.find(catalog.FIGURES, name)
    given = _given(record, arguments)
    draw = catalog.function(record.module, name)
    inputs, settings = _inputs(record, given), _of(record.settings, given)
    save(lambda: draw(*inputs, **settings), out)


@app.command()
def finding(
    arguments: Annotated[str, typer.Option(help="JSON: what was predicted, and the tables and figures")],
    out: Annotated[Path, typer.Option(help="page to write, in Markdown")],
) -> None:
    """Write the page of a study that answers one question."""
    from coconut_study.common.files import written
    from coconut_study.report import finding as pages

    given = read_settings(Page, arguments)
    read = catalog.function("inputs", "table")
    predictions = read(given.predictions, catalog.TABLES["predictions"].columns)
    figures, tables = (
        [pages.Shown(name, path.read_text(encoding="utf-8")) for name, path in shown.items()]
        for shown in (given.figures, given.tables)
    )
    text = pages.page(
        given.finding.model_dump(), predictions, figures, tables,
        seeds=given.seeds, bases=given.bases, run=given.run,
    )  # fmt: skip
    with written(out) as file:
        file.write(text)


@app.command()
def explorer(
    arguments: Annotated[str, typer.Option(help="JSON: the questions, the runs and their files")],
    out: Annotated[Path, typer.Option(help="page to write, in HTML")],
) -> None:
    """Write the page on which the questions of a study, and what its runs answer, are looked at."""
    from coconut_study.common.files import written
    from coconut_study.report import explorer as pages
    from coconut_study.sequences.templates import TEMPLATES

    given = read_settings(Explored, arguments)
    datasets, questions, totals = {}, {}, {}
    for name, path in given.questions.items():
        every = catalog.function("inputs", "questions")({name: path})
        questions[name] = pages.chosen(every, given.limit // len(given.questions))
        totals[name] = len(every)
        datasets[name] = pages.of_dataset(name, given.titles[name], questions[name], len(every))
    for run in given.runs:
        name = f"{run.dataset}/{run.method}/seed{run.seed}"
        files = {kind: {name: path} for kind, path in run.files.items()}
        made = pages.of_run(
            {"method": run.method, "seed": run.seed, "trained": run.trained},
            questions[run.dataset],
            TEMPLATES[run.template],
            catalog.function("inputs", "responses")(files["responses"], totals[run.dataset]),
            *(
                catalog.function("inputs", read)(files.get(kind, {}))
                for kind, read in catalog.EXPLORED.items()
            ),
        )
        pages.add_run(datasets[run.dataset], made)
    methods = [method.model_dump() for method in given.methods]
    with written(out) as file:
        file.write(pages.page(given.study, given.description, methods, [*datasets.values()]))


@app.command()
def ship(
    page: Annotated[Path, typer.Argument(help="results/STUDY/finding.md")],
    into: Annotated[Path, typer.Option(help="folder of pages")] = Path("docs/findings"),
) -> None:
    """Copy the page of a study and its figures among the documentation, and write the index of pages anew."""
    from coconut_study.report import finding as pages

    pages.ship(page, into)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="results of a study: results/NAME", show_default=False)],
    against: Annotated[
        Path, typer.Option(help="tables of another run of it, such as docs/results/NAME", show_default=False)
    ],
    margin: Annotated[float, typer.Option(help="points of difference that do not matter", min=0)] = 3.0,
) -> None:
    """Compare the right answers of a study with those of another run of it; exit status 1 if any differs."""
    from rich.console import Console

    from coconut_study.report import verify as v

    ours, theirs = v.read(folder), v.read(against)
    rows = v.compared(ours, theirs, margin)
    counts = rows["found"].value_counts()
    Console(highlight=False).print(v.shown(rows))
    typer.echo(
        f"{len(rows)} numbers: " + ", ".join(f"{counts[one]} {one}" for one in v.Found if one in counts)
    )
    for line in v.changed(ours.claims, theirs.claims):
        typer.echo(f"claim {line}")
    if rows["found"].isin([v.Found.DIFFERS, v.Found.MISSING]).any():
        raise typer.Exit(1)


def _given(record: catalog.Record, arguments: str) -> Arguments:
    """The arguments of a table or figure; StudyError names those that are missing."""
    given = read_settings(Arguments, arguments)
    for key, needed, there in (
        ("files", record.reads, given.files),
        ("tables", record.tables, given.tables),
        ("settings", record.needed, given.settings.model_fields_set),
    ):
        if lacking := [name for name in needed if name not in there]:
            raise StudyError(f"{record.kind} {record.name}: {key} lacks {', '.join(lacking)}")
    return given


def _inputs(record: catalog.Record, given: Arguments) -> list[Any]:
    """The tables and files that the record is made from, read."""
    tables = [_checked(given.tables[name], catalog.TABLES[name], given) for name in record.tables]
    return tables + [catalog.function("inputs", kind)(given.files[kind]) for kind in record.reads]


def _checked(path: Path, record: catalog.Table, given: Arguments) -> Any:
    """A table that the record is made from; StudyError for data sets and methods without a title."""
    from coconut_study.report.cells import SHORTCUT

    rows = catalog.function("inputs", "table")(path, record.columns)
    titles = given.settings.titles
    for column in titles and ({"dataset", "trained", "asked", "method"} & {*rows}):
        for name in rows[column].unique():
            if name not in titles and not name.startswith(SHORTCUT):
                raise StudyError(f"{path}: {column} {name} is not one of the study{hint(name, titles)}")
    return rows


def _of(names: tuple[str, ...], given: Arguments) -> dict[str, Any]:
    return given.settings.model_dump(include={*names})
