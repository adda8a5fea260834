"""Commands that make tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coconut_study.commands import columns as c
from coconut_study.commands.shared import (
    Grades,
    Table,
    Titles,
    Values,
    read_all,
    read_csv,
    read_yaml,
    write_csv,
    write_table,
)

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()


def _runs(grades: list[Path]) -> pd.DataFrame:
    """The grades of every run, summed up file by file: a study may have more than fit into memory."""
    import pandas as pd

    from coconut_study import tables

    return pd.concat((tables.by_seed(read_csv(path, c.GRADES)) for path in grades), ignore_index=True)


@app.command()
def table_main(
    grades: Grades,
    rows: Annotated[str, typer.Option(help="JSON: the rows of the table")],
    paper: Annotated[Path, typer.Option(help="the paper's numbers")],
    shortcuts: Annotated[str, typer.Option(help="JSON: the shortcut table of each data set")],
    worked: Annotated[float, typer.Option(help="right answers (%) from which a seed counts as worked")],
    titles: Titles,
    out: Table,
) -> None:
    """Accuracy and tokens of every method, the paper's and rules that plan nothing beside them."""
    import pandas as pd

    from coconut_study import shown, tables

    rules = pd.concat(
        [
            read_csv(Path(path), c.SHORTCUTS).assign(dataset=name)
            for name, path in json.loads(shortcuts).items()
        ]
    )
    table = tables.main(_runs(grades), json.loads(rows), read_yaml(paper), rules, worked)
    write_table(out, table, shown.main(table, json.loads(titles)))


@app.command()
def table_seeds(
    grades: Grades,
    rows: Annotated[str, typer.Option(help="JSON: the rows of the main table")],
    titles: Titles,
    out: Table,
) -> None:
    """Accuracy of every run."""
    from coconut_study import shown, tables

    table = tables.seeds(_runs(grades), json.loads(rows))
    write_table(out, table, shown.seeds(table, json.loads(titles)))


@app.command()
def table_sweep(grades: Grades, titles: Titles, out: Table) -> None:
    """Right answers and outcomes at every number of thoughts."""
    from coconut_study import shown, tables

    table = tables.sweep(_runs(grades))
    write_table(out, table, shown.sweep(table, json.loads(titles)))


@app.command()
def table_data(
    statistics: Annotated[list[Path], typer.Argument(help="statistics of each split")],
    columns: Annotated[str, typer.Option(help="JSON: a name for each of them")],
    paper: Annotated[Path, typer.Option(help="the paper's numbers")],
    out: Table,
) -> None:
    """What the questions look like, beside the published ones."""
    from coconut_study import shown, tables

    found = {
        column: read_csv(path, c.STATISTICS).set_index("measure")["value"]
        for column, path in zip(json.loads(columns), statistics, strict=True)
    }
    table = tables.data(found, read_yaml(paper))
    write_table(out, table, shown.data(table))


@app.command()
def table_stages(
    table: Annotated[Path, typer.Option(help="CSV of the learning curves")], titles: Titles, out: Table
) -> None:
    """Validation accuracy at the first step and at the end of every stage."""
    from coconut_study import shown, tables

    found = tables.stages(read_csv(table, c.LEARNING))
    write_table(out, found, shown.stages(found, json.loads(titles)))


@app.command()
def table_comparison(
    grades: Grades,
    points: Annotated[str, typer.Option(help="JSON: dataset, series, label, method and k of every point")],
    titles: Titles,
    out: Table,
) -> None:
    """An experiment: runs set side by side."""
    from coconut_study import shown, tables

    found = tables.comparison(_runs(grades), json.loads(points))
    write_table(out, found, shown.comparison(found, json.loads(titles)))


@app.command()
def table_clock(
    times: Annotated[list[Path], typer.Argument(help="timings of every run")],
    rows: Annotated[str, typer.Option(help="JSON: the rows of the main table")],
    paper: Annotated[Path, typer.Option(help="the paper's numbers")],
    titles: Titles,
    out: Table,
) -> None:
    """Seconds per question, beside the paper's."""
    from coconut_study import shown, tables

    found = tables.clock(read_all(times, c.TIMES), json.loads(rows), read_yaml(paper))
    write_table(out, found, shown.clock(found, json.loads(titles)))


@app.command()
def table_ending(
    ends: Annotated[list[Path], typer.Argument(help="endings of every run")], titles: Titles, out: Table
) -> None:
    """Thoughts that end at a fixed number, and by a classifier."""
    from coconut_study import shown, tables

    found = tables.ending(read_all(ends, c.ENDS))
    write_table(out, found, shown.ending(found, json.loads(titles)))


@app.command()
def table_parallelism(values: Values, titles: Titles, out: Table) -> None:
    """How much value the best candidates hold together."""
    from coconut_study import shown, tables_probe

    found = tables_probe.parallelism(read_all(values, c.VALUES))
    write_table(out, found, shown.parallelism(found, json.loads(titles)))


@app.command()
def table_heights(values: Values, titles: Titles, out: Table) -> None:
    """Value of correct and incorrect candidates by height."""
    from coconut_study import shown, tables_probe

    found = tables_probe.by_height(read_all(values, c.VALUES))
    write_table(out, found, shown.heights(found, json.loads(titles)))


@app.command()
def table_decoded(
    decoded: Annotated[list[Path], typer.Argument(help="decoded thoughts of every run")],
    titles: Titles,
    out: Table,
) -> None:
    """Thoughts as words."""
    from coconut_study import shown

    found = read_all(decoded, c.DECODED)
    write_table(out, found, shown.decoded(found, json.loads(titles)))


@app.command()
def table_claims(
    grades: Grades,
    paper: Annotated[Path, typer.Option(help="the paper's numbers and claims")],
    stand_ins: Annotated[str, typer.Option(help="JSON: what of ours stands for what of the paper")],
    titles: Titles,
    out: Table,
    times: Annotated[list[Path] | None, typer.Option(help="timings, where there are any")] = None,
    values: Annotated[list[Path] | None, typer.Option(help="probes, where there are any")] = None,
) -> None:
    """The paper claim by claim."""
    from coconut_study import claims, shown

    measured = claims.measurements(
        _runs(grades),
        read_all(times, c.TIMES) if times else None,
        read_all(values, c.VALUES) if values else None,
    )
    found = claims.table(measured, read_yaml(paper), json.loads(stand_ins))
    write_table(out, found, shown.claims(found, json.loads(titles)))


@app.command()
def table_costs(
    plan: Annotated[str, typer.Option(help="JSON: rule, gpus, memory_mb, hours and benchmark files")],
    benchmarks: Annotated[Path, typer.Option(help="folder of the benchmark files")],
    out: Table,
) -> None:
    """Jobs, memory and hours of every rule, planned and measured."""
    from coconut_study import costs, shown

    found = costs.table(json.loads(plan), benchmarks)
    write_table(out, found, shown.costs(found))


@app.command()
def table_spent(
    cells: Annotated[str, typer.Option(help="JSON: dataset, methods, cards, and benchmark and GPUs of jobs")],
    titles: Titles,
    out: Table,
) -> None:
    """Hours, GPU-hours and energy of every data set and method."""
    from coconut_study import costs, shown

    found = costs.spent(json.loads(cells))
    write_table(out, found, shown.spent(found, json.loads(titles)))


@app.command()
def table_learning(
    histories: Annotated[list[Path], typer.Argument(help="history of every stage")],
    runs: Annotated[str, typer.Option(help="JSON: [run, numbers of its histories] for every run")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
) -> None:
    """Validation accuracy over the stages of every method."""
    from coconut_study import tables

    read = [read_csv(path, c.HISTORY) for path in histories]
    table = tables.learning([(run, [read[i] for i in stages]) for run, stages in json.loads(runs)])
    write_csv(out, table)
