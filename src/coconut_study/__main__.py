"""The command line: one command for each kind of rule. Parse, call, write; the work is elsewhere.

Settings come as JSON, as the workflow passes them; `python -m coconut_study COMMAND --help` names them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from coconut_study.errors import StudyError
from coconut_study.files import written, written_folder

if TYPE_CHECKING:
    import pandas as pd
    from pydantic import BaseModel

    Settings = TypeVar("Settings", bound=BaseModel)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Out = Annotated[Path, typer.Option(help="file to write")]
Asked = Annotated[Path, typer.Option(help="question file")]
Json = Annotated[str, typer.Option(help="settings as JSON")]


# ------------------------------------------------------------------------------------------------ data


@app.command()
def questions(settings: Json, train: Out, valid: Out, test: Out) -> None:
    """Make (or read and check) the questions of a data set and write its three splits."""
    from coconut_study import config
    from coconut_study import questions as q

    wanted = _settings(config.Source, settings).root
    splits = q.load(wanted) if isinstance(wanted, config.Files) else q.generate(wanted)
    for split, path in {"train": train, "valid": valid, "test": test}.items():
        q.write(path, splits[split])


@app.command()
def convert(questions: Asked, out: Out) -> None:
    """Check a question file and write it anew: .json as published, .jsonl one question a line."""
    from coconut_study import questions as q

    q.write(out, q.read(questions))


@app.command()
def describe(questions: Asked, out: Out) -> None:
    """Statistics of a question file."""
    from coconut_study import questions as q
    from coconut_study.statistics import statistics

    found = statistics(q.read(questions))
    _write_csv(out, found.rename_axis("measure").reset_index(name="value"))


@app.command()
def shortcuts(questions: Asked, out: Out) -> None:
    """How often rules that plan nothing are right."""
    from coconut_study import questions as q
    from coconut_study import shortcuts as s

    _write_csv(out, s.table(q.read(questions)))


# ------------------------------------------------------------------------------------------- training


@app.command()
def base(
    settings: Json,
    out: Annotated[Path, typer.Option(help="folder of the checkpoint")],
    questions: Annotated[
        list[Path] | None, typer.Argument(help="questions a new model learns its words from")
    ] = None,
) -> None:
    """Load or make (and pretrain) the base model, give it the marks, and save it."""
    from coconut_study import base as b
    from coconut_study import checkpoints, config, provenance
    from coconut_study import questions as q
    from coconut_study.pretrain import Pretrainer
    from coconut_study.templates import TEMPLATES

    wanted = _settings(config.Basing, settings)
    asked = [question for path in questions or [] for question in q.read(path)]
    writer = TEMPLATES[wanted.text.template]
    model, tokenizer = b.make(wanted.model, wanted.seed, map(writer.text, asked))
    reports = []
    if pretraining := wanted.model.pretraining:
        reports = Pretrainer(model, tokenizer, asked, pretraining, wanted.text, wanted.seed).run()
    facts = provenance.card(
        settings=wanted.model_dump(mode="json"), stage=None, pretraining=[asdict(r) for r in reports]
    )
    with written_folder(out) as folder:
        checkpoints.save(folder, model, tokenizer, facts)


@app.command()
def train(
    spec: Json,
    parent: Annotated[Path, typer.Option(help="checkpoint to start from")],
    train: Annotated[Path, typer.Option(help="training questions")],
    valid: Annotated[Path, typer.Option(help="validation questions")],
    checkpoint: Annotated[Path, typer.Option(help="folder to write")],
    history: Annotated[Path, typer.Option(help="CSV to write")],
) -> None:
    """Train one stage."""
    import pandas as pd

    from coconut_study import checkpoints, config, provenance
    from coconut_study import questions as q
    from coconut_study import train as t

    wanted = _settings(config.StageSpec, spec)
    asked = {"train": q.read(train), "valid": q.read(valid)}
    model, tokenizer = checkpoints.load(parent)
    trainer, rows, seconds = t.train(wanted, model, tokenizer, asked["train"], asked["valid"], parent)
    facts = provenance.card(
        spec=wanted.model_dump(mode="json"),
        id=wanted.id,
        stage=wanted.stage,
        thoughts=wanted.layout.thoughts,
        data={"train": provenance.file_hash(train), "valid": provenance.file_hash(valid)},
        device=str(trainer.learner.accelerator.device),
        seconds=round(seconds, 1),
    )
    with written_folder(checkpoint) as folder:
        checkpoints.save(folder, trainer.learner.model, tokenizer, facts)
        if wanted.training.reset_optimizer == "never":
            trainer.learner.save(folder)
    _write_csv(history, pd.DataFrame([asdict(row) for row in rows]))


# ----------------------------------------------------------------------------------------- evaluation


@app.command()
def respond(
    settings: Json,
    checkpoint: Annotated[Path, typer.Option(help="checkpoint of a run's last stage")],
    questions: Annotated[Path, typer.Option(help="questions to ask")],
    responses: Annotated[Path, typer.Option(help="JSON lines to write")],
    timings: Annotated[Path, typer.Option(help="CSV to write: how long each batch took")],
) -> None:
    """Ask a trained run every question, with every number of thoughts."""
    import pandas as pd
    from accelerate import Accelerator

    from coconut_study import checkpoints, config
    from coconut_study import questions as q
    from coconut_study import respond as r
    from coconut_study.sequences import tokenize
    from coconut_study.templates import TEMPLATES

    wanted = _settings(config.Asking, settings)
    trained = checkpoints.card(checkpoint).get("thoughts") or 0
    if (most := max(layout.thoughts for layout in wanted.layouts)) > trained:
        raise StudyError(f"{checkpoint}: trained with {trained} thoughts, cannot be asked with {most}")
    asked = q.read(questions)
    model, tokenizer = checkpoints.load(checkpoint)
    model.to(Accelerator().device)
    template = TEMPLATES[wanted.text.template]
    tokens = tokenize(asked, template, tokenizer, shared=wanted.text.facts_share_position)
    found, times = r.respond(model, tokenizer, tokens, wanted.layouts, wanted.responding)
    with written(responses) as file:
        file.writelines(json.dumps(wanted.run | asdict(response)) + "\n" for response in found)
    _write_csv(timings, pd.DataFrame([asdict(time) for time in times]))


@app.command()
def grade(
    settings: Json,
    template: Annotated[str, typer.Option(help="prose or symbols")],
    responses: Annotated[Path, typer.Option(help="JSON lines")],
    questions: Annotated[Path, typer.Option(help="the questions asked")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
) -> None:
    """Judge every response."""
    from coconut_study import config
    from coconut_study import grade as g
    from coconut_study import questions as q
    from coconut_study.templates import TEMPLATES

    with responses.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    grading = _settings(config.Grading, settings)
    _write_csv(out, g.grade(rows, q.read(questions), TEMPLATES[template], grading))  # type: ignore[index]


# --------------------------------------------------------------------------------------------- report

Titles = Annotated[str, typer.Option(help="JSON: titles of data sets and methods")]
Grades = Annotated[list[Path], typer.Argument(help="grades of every run")]
Table = Annotated[Path, typer.Option(help="CSV to write; .md, .tex and .html are written beside it")]
Drawn = Annotated[Path, typer.Option(help="CSV to draw")]
Figure = Annotated[Path, typer.Option(help=".svg to write; .pdf and .png are written beside it")]


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

    from coconut_study import tables

    rules = pd.concat([pd.read_csv(p).assign(dataset=name) for name, p in json.loads(shortcuts).items()])
    table = tables.main(_read_all(grades), json.loads(rows), _yaml(paper), rules, worked)
    _write_table(out, table, tables.shown_main(table, json.loads(titles)))


@app.command()
def table_seeds(
    grades: Grades,
    rows: Annotated[str, typer.Option(help="JSON: the rows of the main table")],
    titles: Titles,
    out: Table,
) -> None:
    """Accuracy of every run."""
    from coconut_study import tables

    table = tables.seeds(_read_all(grades), json.loads(rows))
    _write_table(out, table, tables.shown_seeds(table, json.loads(titles)))


@app.command()
def table_sweep(grades: Grades, titles: Titles, out: Table) -> None:
    """Right answers and outcomes at every number of thoughts."""
    from coconut_study import tables

    table = tables.sweep(_read_all(grades))
    _write_table(out, table, tables.shown_sweep(table, json.loads(titles)))


@app.command()
def table_data(
    statistics: Annotated[list[Path], typer.Argument(help="statistics of each split")],
    columns: Annotated[str, typer.Option(help="JSON: a name for each of them")],
    paper: Annotated[Path, typer.Option(help="the paper's numbers")],
    out: Table,
) -> None:
    """What the questions look like, beside the published ones."""
    import pandas as pd

    from coconut_study import tables

    found = {
        column: pd.read_csv(path, index_col="measure")["value"]
        for column, path in zip(json.loads(columns), statistics, strict=True)
    }
    table = tables.data(found, _yaml(paper))
    _write_table(out, table, tables.shown_data(table))


@app.command()
def table_learning(
    histories: Annotated[list[Path], typer.Argument(help="history of every stage")],
    runs: Annotated[str, typer.Option(help="JSON: [run, numbers of its histories] for every run")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
) -> None:
    """Validation accuracy over the stages of every method."""
    import pandas as pd

    from coconut_study import tables

    read = [pd.read_csv(path) for path in histories]
    table = tables.learning([(run, [read[i] for i in stages]) for run, stages in json.loads(runs)])
    _write_csv(out, table)


@app.command()
def figure_accuracy(
    table: Drawn,
    seeds: Annotated[Path, typer.Option(help="CSV with every run")],
    titles: Titles,
    out: Figure,
) -> None:
    """The main table as points."""
    import pandas as pd

    from coconut_study import figures

    figures.save(figures.accuracy(pd.read_csv(table), pd.read_csv(seeds), json.loads(titles)), out)


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
    import pandas as pd

    from coconut_study import figures

    below = json.loads(references)
    rows = pd.read_csv(table)
    rows = rows[(rows["dataset"] == dataset) & rows["method"].isin([method, *below])]
    figures.save(figures.sweep(rows, json.loads(titles), below), out)


@app.command()
def figure_learning(table: Drawn, titles: Titles, out: Figure) -> None:
    """Learning curves over the stages."""
    import pandas as pd

    from coconut_study import figures

    figures.save(figures.learning(pd.read_csv(table), json.loads(titles)), out)


# ------------------------------------------------------------------------------------------ in and out


def _settings(kind: type[Settings], text: str) -> Settings:
    from pydantic import ValidationError

    from coconut_study.config import explain

    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise StudyError("; ".join(explain(error, kind))) from error


def _yaml(path: Path) -> Any:
    import yaml

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _read_all(paths: list[Path]) -> pd.DataFrame:
    import pandas as pd

    return pd.concat(map(pd.read_csv, paths), ignore_index=True)


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with written(path) as file:
        table.to_csv(file, index=False, float_format="%.10g", lineterminator="\n")


def _write_table(path: Path, table: pd.DataFrame, shown: pd.DataFrame) -> None:
    from coconut_study import tables

    _write_csv(path, table)
    for suffix, printed in ((".md", tables.markdown), (".tex", tables.latex), (".html", tables.html)):
        with written(path.with_suffix(suffix)) as file:
            file.write(printed(shown))


def main() -> None:
    """Run a command; a mistake of the user's is one sentence and exit status 1."""
    try:
        app()
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
