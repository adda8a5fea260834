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
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from coconut_study.questions import Question
    from coconut_study.sequences import Tokens
    from coconut_study.settings import Asking

    Settings = TypeVar("Settings", bound=BaseModel)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Out = Annotated[Path, typer.Option(help="file to write")]
Asked = Annotated[Path, typer.Option(help="question file")]
Json = Annotated[str, typer.Option(help="settings as JSON")]


# ------------------------------------------------------------------------------------------------ data


@app.command()
def shard(
    settings: Json, number: Annotated[int, typer.Option(help="which of the shards, from 0")], out: Out
) -> None:
    """Draw a part of a data set."""
    from coconut_study import questions as q
    from coconut_study import settings as s
    from coconut_study import sources

    wanted = _settings(s.Source, settings).root
    if isinstance(wanted, s.Files | s.Hub):
        raise StudyError(f"source: {wanted.source} is not drawn; it has no shards")
    q.write(out, sources.draw_shard(wanted, number))


@app.command()
def questions(
    settings: Json,
    train: Out,
    valid: Out,
    test: Out,
    shards: Annotated[list[Path] | None, typer.Argument(help="what the shards drew, if it has any")] = None,
) -> None:
    """Make (or read and check) the questions of a data set and write its three splits."""
    from coconut_study import questions as q
    from coconut_study import settings as s
    from coconut_study import sources

    wanted = _settings(s.Source, settings).root
    if isinstance(wanted, s.Files | s.Hub):
        splits = sources.load(wanted)
    elif shards:
        splits = sources.gather(wanted, [q.read(path) for path in shards])
    else:
        splits = sources.generate(wanted)
    for split, path in {"train": train, "valid": valid, "test": test}.items():
        q.write(path, splits[split])


@app.command()
def convert(questions: Asked, out: Out) -> None:
    """Check a question file and write it anew: .json as published, .jsonl one question a line."""
    from coconut_study import questions as q
    from coconut_study import readers

    q.write(out, readers.read(questions))


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
    from coconut_study import checkpoints, provenance
    from coconut_study import questions as q
    from coconut_study import settings as s
    from coconut_study.pretrain import Pretrainer
    from coconut_study.templates import TEMPLATES

    wanted = _settings(s.Basing, settings)
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

    from coconut_study import checkpoints, provenance
    from coconut_study import questions as q
    from coconut_study import settings as s
    from coconut_study import train as t

    wanted = _settings(s.StageSpec, spec)
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


@app.command()
def layouts(
    methods: Annotated[Path, typer.Option(help="YAML with methods")],
    schedule: Annotated[str, typer.Option(help="JSON: c, stages, epochs and removal")] = (
        '{"c": 2, "stages": 2, "epochs": [1, 1, 1, 1]}'
    ),
) -> None:
    """Print what each method's sequences look like, and where they have loss."""
    from coconut_study import layouts as y
    from coconut_study.methods import Method, Schedule

    lasting = _settings(Schedule, schedule)
    rows = {
        name: (_settings(Method, json.dumps(row)), lasting) for name, row in _yaml(methods)["methods"].items()
    }
    typer.echo(y.markdown(rows), nl=False)


# ----------------------------------------------------------------------------------------- evaluation


Trained = Annotated[Path, typer.Option(help="checkpoint of a run's last stage")]


@app.command()
def respond(
    settings: Json,
    checkpoint: Trained,
    questions: Asked,
    responses: Annotated[Path, typer.Option(help="JSON lines to write")],
    timings: Annotated[Path, typer.Option(help="CSV to write: how long each batch took")],
) -> None:
    """Ask a trained run every question, with every number of thoughts."""
    import pandas as pd

    from coconut_study import respond as r
    from coconut_study import settings as s

    wanted = _settings(s.Asking, settings)
    model, tokenizer = _trained(checkpoint, wanted)
    _, tokens = _asked(questions, wanted, tokenizer)
    found, times = r.respond(model, tokenizer, tokens, wanted.layouts, wanted.responding)
    with written(responses) as file:
        file.writelines(json.dumps(wanted.run | asdict(response)) + "\n" for response in found)
    _write_csv(timings, pd.DataFrame([asdict(time) for time in times]))


@app.command()
def clock(
    settings: Json,
    timing: Annotated[str, typer.Option(help="JSON: how many questions, and the batch size")],
    checkpoint: Trained,
    questions: Asked,
    out: Out,
) -> None:
    """Time the responses of a trained run, one question at a time and in batches."""
    import pandas as pd

    from coconut_study import respond as r
    from coconut_study import settings as s

    wanted, times = _settings(s.Asking, settings), _settings(s.Clock, timing)
    model, tokenizer = _trained(checkpoint, wanted)
    _, tokens = _asked(questions, wanted, tokenizer, times.questions)
    rows = [
        wanted.run | row | {"k": wanted.layouts[-1].thoughts}
        for row in r.clock(model, tokenizer, tokens, wanted.layouts[-1], wanted.responding, times)
    ]
    _write_csv(out, pd.DataFrame(rows))


@app.command()
def ending(
    settings: Json,
    learning: Annotated[str, typer.Option(help="JSON: how many training questions it learns from")],
    checkpoint: Trained,
    train: Annotated[Path, typer.Option(help="training questions")],
    valid: Annotated[Path, typer.Option(help="validation questions")],
    test: Annotated[Path, typer.Option(help="test questions")],
    out: Out,
) -> None:
    """Learn from a run's thoughts when to stop thinking, and stop there on test questions."""
    import pandas as pd

    from coconut_study import ending as e
    from coconut_study import settings as s
    from coconut_study.templates import TEMPLATES

    wanted = _settings(s.Asking, settings)
    model, tokenizer = _trained(checkpoint, wanted)
    template = TEMPLATES[wanted.text.template]
    limits = {train: _settings(s.Ending, learning).questions}
    learnt, tuned, tested = (
        e.chains(
            model, tokenizer, _asked(path, wanted, tokenizer, limits.get(path)), wanted.layouts, template,
            wanted.responding,
        )
        for path in (train, valid, test)
    )  # fmt: skip
    _write_csv(out, pd.DataFrame([wanted.run | row for row in e.rows(learnt, tuned, tested)]))


@app.command()
def probe(
    settings: Json,
    height: Annotated[str, typer.Option(help="shortest or longest: of the ways from a node to a leaf")],
    checkpoint: Trained,
    questions: Asked,
    out: Out,
    most: Annotated[int | None, typer.Option(help="questions; all without")] = None,
) -> None:
    """What the thoughts of a run predict: the value of every candidate for the next step."""
    from coconut_study import probe as p
    from coconut_study import settings as s

    wanted = _settings(s.Asking, settings)
    model, tokenizer = _trained(checkpoint, wanted)
    asked, tokens = _asked(questions, wanted, tokenizer, most)
    found = p.probe(
        model, tokenizer, asked, tokens, wanted.layouts, wanted.text.template, height,  # type: ignore[arg-type]
        wanted.responding.batch_size,
    )  # fmt: skip
    if found.empty:
        raise StudyError(f"{questions}: holds no graph question to probe; leave it out of probing.datasets")
    _write_csv(out, found.assign(**wanted.run)[[*wanted.run, *found]])


@app.command()
def decode(
    settings: Json,
    most: Annotated[int, typer.Option(help="questions")],
    top: Annotated[int, typer.Option(help="tokens for each thought")],
    checkpoint: Trained,
    questions: Asked,
    out: Out,
) -> None:
    """Read the thoughts of a run as words."""
    from coconut_study import probe as p
    from coconut_study import settings as s

    wanted = _settings(s.Asking, settings)
    model, tokenizer = _trained(checkpoint, wanted)
    _, tokens = _asked(questions, wanted, tokenizer, most)
    found = p.decoded(model, tokenizer, tokens, wanted.layouts[-1], top, wanted.responding.batch_size)
    _write_csv(out, found.assign(**wanted.run)[[*wanted.run, *found]])


@app.command()
def grade(
    settings: Json,
    template: Annotated[str, typer.Option(help="prose or symbols")],
    responses: Annotated[Path, typer.Option(help="JSON lines")],
    questions: Annotated[Path, typer.Option(help="the questions asked")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
) -> None:
    """Judge every response."""
    from coconut_study import grade as g
    from coconut_study import questions as q
    from coconut_study import settings as s
    from coconut_study.templates import TEMPLATES

    with responses.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    grading = _settings(s.Grading, settings)
    _write_csv(out, g.grade(rows, q.read(questions), TEMPLATES[template], grading))  # type: ignore[index]


# --------------------------------------------------------------------------------------------- report

Titles = Annotated[str, typer.Option(help="JSON: titles of data sets and methods")]
Grades = Annotated[list[Path], typer.Argument(help="grades of every run")]
Table = Annotated[Path, typer.Option(help="CSV to write; .md, .tex and .html are written beside it")]
Drawn = Annotated[Path, typer.Option(help="CSV to draw")]
Chosen = Annotated[str, typer.Option(help="whose rows are drawn")]
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

    from coconut_study import shown, tables

    rules = pd.concat([pd.read_csv(p).assign(dataset=name) for name, p in json.loads(shortcuts).items()])
    table = tables.main(_read_all(grades), json.loads(rows), _yaml(paper), rules, worked)
    _write_table(out, table, shown.main(table, json.loads(titles)))


@app.command()
def table_seeds(
    grades: Grades,
    rows: Annotated[str, typer.Option(help="JSON: the rows of the main table")],
    titles: Titles,
    out: Table,
) -> None:
    """Accuracy of every run."""
    from coconut_study import shown, tables

    table = tables.seeds(_read_all(grades), json.loads(rows))
    _write_table(out, table, shown.seeds(table, json.loads(titles)))


@app.command()
def table_sweep(grades: Grades, titles: Titles, out: Table) -> None:
    """Right answers and outcomes at every number of thoughts."""
    from coconut_study import shown, tables

    table = tables.sweep(_read_all(grades))
    _write_table(out, table, shown.sweep(table, json.loads(titles)))


@app.command()
def table_data(
    statistics: Annotated[list[Path], typer.Argument(help="statistics of each split")],
    columns: Annotated[str, typer.Option(help="JSON: a name for each of them")],
    paper: Annotated[Path, typer.Option(help="the paper's numbers")],
    out: Table,
) -> None:
    """What the questions look like, beside the published ones."""
    import pandas as pd

    from coconut_study import shown, tables

    found = {
        column: pd.read_csv(path, index_col="measure")["value"]
        for column, path in zip(json.loads(columns), statistics, strict=True)
    }
    table = tables.data(found, _yaml(paper))
    _write_table(out, table, shown.data(table))


@app.command()
def table_stages(
    table: Annotated[Path, typer.Option(help="CSV of the learning curves")], titles: Titles, out: Table
) -> None:
    """Validation accuracy at the first step and at the end of every stage."""
    import pandas as pd

    from coconut_study import shown, tables

    found = tables.stages(pd.read_csv(table))
    _write_table(out, found, shown.stages(found, json.loads(titles)))


@app.command()
def table_comparison(
    grades: Grades,
    points: Annotated[str, typer.Option(help="JSON: dataset, series, label, method and k of every point")],
    titles: Titles,
    out: Table,
) -> None:
    """An experiment: runs set side by side."""
    from coconut_study import shown, tables

    found = tables.comparison(_read_all(grades), json.loads(points))
    _write_table(out, found, shown.comparison(found, json.loads(titles)))


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

    found = tables.clock(_read_all(times), json.loads(rows), _yaml(paper))
    _write_table(out, found, shown.clock(found, json.loads(titles)))


@app.command()
def table_ending(
    ends: Annotated[list[Path], typer.Argument(help="endings of every run")], titles: Titles, out: Table
) -> None:
    """Thoughts that end at a fixed number, and by a classifier."""
    from coconut_study import shown, tables

    found = tables.ending(_read_all(ends))
    _write_table(out, found, shown.ending(found, json.loads(titles)))


Values = Annotated[list[Path], typer.Argument(help="values of every probed run")]


@app.command()
def table_parallelism(values: Values, titles: Titles, out: Table) -> None:
    """How much value the best candidates hold together."""
    from coconut_study import shown, tables_probe

    found = tables_probe.parallelism(_read_all(values))
    _write_table(out, found, shown.parallelism(found, json.loads(titles)))


@app.command()
def table_heights(values: Values, titles: Titles, out: Table) -> None:
    """Value of correct and incorrect candidates by height."""
    from coconut_study import shown, tables_probe

    found = tables_probe.by_height(_read_all(values))
    _write_table(out, found, shown.heights(found, json.loads(titles)))


@app.command()
def table_decoded(
    decoded: Annotated[list[Path], typer.Argument(help="decoded thoughts of every run")],
    titles: Titles,
    out: Table,
) -> None:
    """Thoughts as words."""
    from coconut_study import shown

    found = _read_all(decoded)
    _write_table(out, found, shown.decoded(found, json.loads(titles)))


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
        _read_all(grades), _read_all(times) if times else None, _read_all(values) if values else None
    )
    found = claims.table(measured, _yaml(paper), json.loads(stand_ins))
    _write_table(out, found, shown.claims(found, json.loads(titles)))


@app.command()
def table_costs(
    plan: Annotated[str, typer.Option(help="JSON: rule, gpus, memory_mb, hours and benchmark files")],
    benchmarks: Annotated[Path, typer.Option(help="folder of the benchmark files")],
    out: Table,
) -> None:
    """Jobs, memory and hours of every rule, planned and measured."""
    from coconut_study import costs, shown

    found = costs.table(json.loads(plan), benchmarks)
    _write_table(out, found, shown.costs(found))


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


@app.command()
def figure_stages(table: Drawn, titles: Titles, out: Figure) -> None:
    """Accuracy at both ends of every stage."""
    import pandas as pd

    from coconut_study import figures

    figures.save(figures.stages(pd.read_csv(table), json.loads(titles)), out)


@app.command()
def figure_comparison(
    table: Drawn,
    x: Annotated[str, typer.Option(help="what is across: label, tokens or k")],
    xlabel: Annotated[str, typer.Option(help="its name")],
    titles: Titles,
    out: Figure,
) -> None:
    """An experiment as lines or points."""
    import pandas as pd

    from coconut_study import figures

    figures.save(figures.comparison(pd.read_csv(table), x, xlabel, json.loads(titles)), out)


@app.command()
def figure_parallelism(table: Drawn, dataset: Chosen, method: Chosen, out: Figure) -> None:
    """The value that the best one, two and three candidates hold."""
    from coconut_study import figures, figures_probe

    figures.save(figures_probe.parallelism(_read_one(table, dataset, method)), out)


@app.command()
def figure_heights(table: Drawn, dataset: Chosen, method: Chosen, out: Figure) -> None:
    """Value of correct and incorrect candidates against height."""
    from coconut_study import figures, figures_probe

    figures.save(figures_probe.heights(_read_one(table, dataset, method)), out)


@app.command()
def figure_tree(
    values: Annotated[Path, typer.Option(help="values of one run")],
    questions: Asked,
    case: Annotated[int, typer.Option(help="number of the question, from 0")],
    out: Figure,
) -> None:
    """The latent search tree of one question."""
    import pandas as pd

    from coconut_study import figures, figures_probe
    from coconut_study import questions as q

    asked, found = q.read(questions), pd.read_csv(values)
    found = found[found["question"] == case]
    if found.empty:
        raise StudyError(f"probing.case: question {case} of {questions} was not probed")
    figures.save(figures_probe.tree(asked[case], found), out)


# ------------------------------------------------------------------------------------------ in and out


def _trained(checkpoint: Path, wanted: Asking) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and tokenizer of a checkpoint, on its device; StudyError when it learnt fewer thoughts."""
    from accelerate import Accelerator

    from coconut_study import checkpoints

    trained = checkpoints.card(checkpoint).get("thoughts") or 0
    if (most := max(layout.thoughts for layout in wanted.layouts)) > trained:
        raise StudyError(f"{checkpoint}: trained with {trained} thoughts, cannot be asked with {most}")
    model, tokenizer = checkpoints.load(checkpoint)
    return model.to(Accelerator().device), tokenizer


def _asked(
    path: Path, wanted: Asking, tokenizer: PreTrainedTokenizerBase, most: int | None = None
) -> tuple[list[Question], list[Tokens]]:
    """The (first) questions of a file, and their token ids."""
    from coconut_study import questions as q
    from coconut_study.sequences import tokenize
    from coconut_study.templates import TEMPLATES

    asked = q.read(path)[:most]
    template = TEMPLATES[wanted.text.template]
    return asked, tokenize(asked, template, tokenizer, shared=wanted.text.facts_share_position)


def _settings(kind: type[Settings], text: str) -> Settings:
    from pydantic import ValidationError

    from coconut_study.explain import explain

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


def _read_one(path: Path, dataset: str, method: str) -> pd.DataFrame:
    """The rows of one data set and method."""
    import pandas as pd

    table = pd.read_csv(path)
    return table[(table["dataset"] == dataset) & (table["method"] == method)]


def _write_csv(path: Path, table: pd.DataFrame) -> None:
    with written(path) as file:
        table.to_csv(file, index=False, float_format="%.10g", lineterminator="\n")


def _write_table(path: Path, table: pd.DataFrame, read: pd.DataFrame) -> None:
    from coconut_study import shown

    _write_csv(path, table)
    for suffix, printed in ((".md", shown.markdown), (".tex", shown.latex), (".html", shown.html)):
        with written(path.with_suffix(suffix)) as file:
            file.write(printed(read))


def main() -> None:
    """Run a command; a mistake of the user's is one sentence and exit status 1."""
    try:
        app()
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
