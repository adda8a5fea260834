"""Commands that make questions and look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coconut_study.common.errors import StudyError
from coconut_study.common.files import write_csv
from coconut_study.common.options import Asked, Json, Out
from coconut_study.common.settings import read_settings

app = typer.Typer()


@app.command()
def shard(
    settings: Json, number: Annotated[int, typer.Option(help="which of the shards, from 0")], out: Out
) -> None:
    """Draw a part of a data set."""
    from coconut_study.questions import datasets
    from coconut_study.questions import schema as q
    from coconut_study.questions.settings import Files, Hub, Source

    wanted = read_settings(Source, settings).root
    if isinstance(wanted, Files | Hub):
        raise StudyError(f"source: {wanted.source} is not drawn; it has no shards")
    q.write(out, datasets.draw_shard(wanted, number))


@app.command()
def questions(
    settings: Json,
    train: Out,
    valid: Out,
    test: Out,
    shards: Annotated[list[Path] | None, typer.Argument(help="what the shards drew, if it has any")] = None,
) -> None:
    """Make (or read and check) the questions of a data set and write its three splits."""
    from coconut_study.questions import datasets
    from coconut_study.questions import schema as q
    from coconut_study.questions.settings import Files, Hub, Source

    wanted = read_settings(Source, settings).root
    if isinstance(wanted, Files | Hub):
        splits = datasets.load(wanted)
    elif shards:
        splits = datasets.gather(wanted, [q.read(path) for path in shards])
    else:
        splits = datasets.generate(wanted)
    for split, path in {"train": train, "valid": valid, "test": test}.items():
        q.write(path, splits[split])


@app.command()
def convert(questions: Asked, out: Out) -> None:
    """Check a question file and write it anew: .json as published, .jsonl one question a line."""
    from coconut_study.questions import formats
    from coconut_study.questions import schema as q

    q.write(out, formats.read(questions))


@app.command()
def describe(questions: Asked, out: Out) -> None:
    """Statistics of a question file."""
    from coconut_study.questions import schema as q
    from coconut_study.questions.describe import statistics

    found = statistics(q.read(questions))
    write_csv(out, found.rename_axis("measure").reset_index(name="value"))


@app.command()
def shortcuts(questions: Asked, out: Out) -> None:
    """How often rules that plan nothing are right."""
    from coconut_study.questions import schema as q
    from coconut_study.questions import shortcuts as s

    write_csv(out, s.table(q.read(questions)))
