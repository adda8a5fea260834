"""Commands that make tables and draw figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coconut_study.common.errors import StudyError
from coconut_study.common.files import read_all, read_csv, read_yaml, write_csv
from coconut_study.common.options import Asked, Chosen, Drawn, Figure, Grades, Table, Titles, Values
from coconut_study.report import catalog as c
from coconut_study.report.markup import read_one, write_table

if TYPE_CHECKING:
    import pandas as pd


app = typer.Typer()


def _runs(grades: list[Path]) -> pd.DataFrame:
    """The grades of every run, summed up file by file: a study may have more than fit into memory."""
    import pandas as pd

    from coconut_study.report import intervals

    return pd.concat((intervals.by_seed(read_csv(path, c.GRADES)) for path in grades), ignore_index=True)


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

    from coconut_study.report import results

    rules = pd.concat(
        [
            read_csv(Path(path), c.SHORTCUTS).assign(dataset=name)
            for name, path in json.loads(shortcuts).items()
        ]
    )
    table = results.main(_runs(grades), json.loads(rows), read_yaml(paper), rules, worked)
    write_table(out, table, results.show_main(table, json.loads(titles)))


@app.command()
def table_seeds(
    grades: Grades,
    rows: Annotated[str, typer.Option(help="JSON: the rows of the main table")],
    titles: Titles,
    out: Table,
) -> None:
    """Accuracy of every run."""
    from coconut_study.report import results

    table = results.seeds(_runs(grades), json.loads(rows))
    write_table(out, table, results.show_seeds(table, json.loads(titles)))


@app.command()
def table_sweep(grades: Grades, titles: Titles, out: Table) -> None:
    """Right answers and outcomes at every number of thoughts."""
    from coconut_study.report import results

    table = results.sweep(_runs(grades))
    write_table(out, table, results.show_sweep(table, json.loads(titles)))


@app.command()
def table_data(
    statistics: Annotated[list[Path], typer.Argument(help="statistics of each split")],
    columns: Annotated[str, typer.Option(help="JSON: a name for each of them")],
    paper: Annotated[Path, typer.Option(help="the paper's numbers")],
    out: Table,
) -> None:
    """What the questions look like, beside the published ones."""
    from coconut_study.report import results

    found = {
        column: read_csv(path, c.STATISTICS).set_index("measure")["value"]
        for column, path in zip(json.loads(columns), statistics, strict=True)
    }
    table = results.data(found, read_yaml(paper))
    write_table(out, table, results.show_data(table))


@app.command()
def table_stages(
    table: Annotated[Path, typer.Option(help="CSV of the learning curves")], titles: Titles, out: Table
) -> None:
    """Validation accuracy at the first step and at the end of every stage."""
    from coconut_study.report import results

    found = results.stages(read_csv(table, c.LEARNING))
    write_table(out, found, results.show_stages(found, json.loads(titles)))


@app.command()
def table_comparison(
    grades: Grades,
    points: Annotated[str, typer.Option(help="JSON: dataset, series, label, method and k of every point")],
    titles: Titles,
    out: Table,
) -> None:
    """An experiment: runs set side by side."""
    from coconut_study.report import results

    found = results.comparison(_runs(grades), json.loads(points))
    write_table(out, found, results.show_comparison(found, json.loads(titles)))


@app.command()
def table_clock(
    times: Annotated[list[Path], typer.Argument(help="timings of every run")],
    rows: Annotated[str, typer.Option(help="JSON: the rows of the main table")],
    paper: Annotated[Path, typer.Option(help="the paper's numbers")],
    titles: Titles,
    out: Table,
) -> None:
    """Seconds per question, beside the paper's."""
    from coconut_study.report import costs

    found = costs.clock(read_all(times, c.TIMES), json.loads(rows), read_yaml(paper))
    write_table(out, found, costs.show_clock(found, json.loads(titles)))


@app.command()
def table_ending(
    ends: Annotated[list[Path], typer.Argument(help="endings of every run")], titles: Titles, out: Table
) -> None:
    """Thoughts that end at a fixed number, and by a classifier."""
    from coconut_study.report import thoughts

    found = thoughts.ending(read_all(ends, c.ENDS))
    write_table(out, found, thoughts.show_ending(found, json.loads(titles)))


@app.command()
def table_parallelism(values: Values, titles: Titles, out: Table) -> None:
    """How much value the best candidates hold together."""
    from coconut_study.report import thoughts

    found = thoughts.parallelism(read_all(values, c.VALUES))
    write_table(out, found, thoughts.show_parallelism(found, json.loads(titles)))


@app.command()
def table_heights(values: Values, titles: Titles, out: Table) -> None:
    """Value of correct and incorrect candidates by height."""
    from coconut_study.report import thoughts

    found = thoughts.by_height(read_all(values, c.VALUES))
    write_table(out, found, thoughts.show_heights(found, json.loads(titles)))


@app.command()
def table_decoded(
    decoded: Annotated[list[Path], typer.Argument(help="decoded thoughts of every run")],
    titles: Titles,
    out: Table,
) -> None:
    """Thoughts as words."""
    from coconut_study.report import thoughts

    found = read_all(decoded, c.DECODED)
    write_table(out, found, thoughts.show_decoded(found, json.loads(titles)))


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
    from coconut_study.report import claims

    measured = claims.measurements(
        _runs(grades),
        read_all(times, c.TIMES) if times else None,
        read_all(values, c.VALUES) if values else None,
    )
    found = claims.table(measured, read_yaml(paper), json.loads(stand_ins))
    write_table(out, found, claims.show_claims(found, json.loads(titles)))


@app.command()
def table_costs(
    plan: Annotated[str, typer.Option(help="JSON: rule, gpus, memory_mb, hours and benchmark files")],
    benchmarks: Annotated[Path, typer.Option(help="folder of the benchmark files")],
    out: Table,
) -> None:
    """Jobs, memory and hours of every rule, planned and measured."""
    from coconut_study.report import costs

    found = costs.table(json.loads(plan), benchmarks)
    write_table(out, found, costs.show_costs(found))


@app.command()
def table_spent(
    cells: Annotated[str, typer.Option(help="JSON: dataset, methods, cards, and benchmark and GPUs of jobs")],
    titles: Titles,
    out: Table,
) -> None:
    """Hours, GPU-hours and energy of every data set and method."""
    from coconut_study.report import costs

    found = costs.spent(json.loads(cells))
    write_table(out, found, costs.show_spent(found, json.loads(titles)))


@app.command()
def table_learning(
    histories: Annotated[list[Path], typer.Argument(help="history of every stage")],
    runs: Annotated[str, typer.Option(help="JSON: [run, numbers of its histories] for every run")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
) -> None:
    """Validation accuracy over the stages of every method."""
    from coconut_study.report import results

    read = [read_csv(path, c.HISTORY) for path in histories]
    table = results.learning([(run, [read[i] for i in stages]) for run, stages in json.loads(runs)])
    write_csv(out, table)


@app.command()
def figure_accuracy(
    table: Drawn,
    seeds: Annotated[Path, typer.Option(help="CSV with every run")],
    titles: Titles,
    out: Figure,
) -> None:
    """The main table as points."""
    from coconut_study.report import figures

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
    from coconut_study.report import figures

    below = json.loads(references)
    rows = read_csv(table, c.SWEEP)
    rows = rows[(rows["dataset"] == dataset) & rows["method"].isin([method, *below])]
    figures.save(figures.sweep(rows, json.loads(titles), below), out)


@app.command()
def figure_learning(table: Drawn, titles: Titles, out: Figure) -> None:
    """Learning curves over the stages."""
    from coconut_study.report import figures

    figures.save(figures.learning(read_csv(table, c.LEARNING), json.loads(titles)), out)


@app.command()
def figure_stages(table: Drawn, titles: Titles, out: Figure) -> None:
    """Accuracy at both ends of every stage."""
    from coconut_study.report import figures

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
    from coconut_study.report import figures

    points = read_csv(table, c.COMPARISON, dtype={"series": str, "label": str})
    figures.save(figures.comparison(points, x, xlabel, json.loads(titles)), out)


@app.command()
def figure_parallelism(table: Drawn, dataset: Chosen, method: Chosen, out: Figure) -> None:
    """The value that the best one, two and three candidates hold."""
    from coconut_study.report import figures, thought_figures

    figures.save(thought_figures.parallelism(read_one(table, c.PARALLELISM, dataset, method)), out)


@app.command()
def figure_heights(table: Drawn, dataset: Chosen, method: Chosen, out: Figure) -> None:
    """Value of correct and incorrect candidates against height."""
    from coconut_study.report import figures, thought_figures

    figures.save(thought_figures.heights(read_one(table, c.HEIGHTS, dataset, method)), out)


@app.command()
def figure_tree(
    values: Annotated[Path, typer.Option(help="values of one run")],
    questions: Asked,
    case: Annotated[int, typer.Option(help="number of the question, from 0")],
    out: Figure,
) -> None:
    """The latent search tree of one question."""
    from coconut_study.questions import schema as q
    from coconut_study.report import figures, thought_figures

    asked, found = q.read(questions), read_csv(values, c.VALUES)
    found = found[found["question"] == case]
    if found.empty:
        raise StudyError(f"probing.case: question {case} of {questions} was not probed")
    figures.save(thought_figures.tree(asked[case], found), out)
