"""Commands that make, convert and describe questions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from coconut_study.common.errors import StudyError
from coconut_study.common.files import write_csv
from coconut_study.common.options import Card, Json, Out, Questions
from coconut_study.common.settings import read_settings

app = typer.Typer()


@app.command()
def shard(
    settings: Json, number: Annotated[int, typer.Option(help="number of the shard, from 0")], out: Out
) -> None:
    """Draw one shard of a generated data set."""
    from coconut_study.questions import datasets
    from coconut_study.questions import schema as q
    from coconut_study.questions.settings import Files, Hub, Rewrites, Source, Subset

    wanted = read_settings(Source, settings).root
    if isinstance(wanted, Files | Hub | Subset | Rewrites):
        raise StudyError(
            f"source: {wanted.source} has no shards; only generated questions are drawn in shards"
        )
    q.write(out, datasets.draw_shard(wanted, number))


@app.command()
def questions(
    settings: Json,
    train: Out,
    valid: Out,
    test: Out,
    card: Annotated[Path | None, typer.Option(help="card to write: settings and sha256")] = None,
    shards: Annotated[list[Path] | None, typer.Argument(help="question files of its shards, if any")] = None,
) -> None:
    """Draw, or read and check, the questions of a data set and write its three splits."""
    from coconut_study.questions import card as cards
    from coconut_study.questions import datasets
    from coconut_study.questions import schema as q
    from coconut_study.questions.settings import Files, Hub, Rewrites, Source, Subset

    wanted = read_settings(Source, settings).root
    if isinstance(wanted, Subset | Rewrites):
        raise StudyError(f"source: {wanted.source} is made of other questions, by the command derive")
    if isinstance(wanted, Files | Hub):
        splits = datasets.load(wanted)
    elif shards:
        splits = datasets.combine_shards(wanted, [q.read(path) for path in shards])
    else:
        splits = datasets.generate(wanted)
    files = {"train": train, "valid": valid, "test": test}
    for split, path in files.items():
        q.write(path, splits[split])
    if card is not None:
        for path in files.values():
            q.read(path)  # proves every question, as a card says
        cards.write(card, wanted.model_dump(mode="json"), files)


@app.command()
def derive(
    settings: Json,
    of: Annotated[Path, typer.Option(help="test questions of the data set that it is made of")],
    of_card: Annotated[Path, typer.Option(help="card of that data set")],
    test: Out,
    card: Annotated[Path, typer.Option(help="card to write: settings, those of the other data set, sha256")],
) -> None:
    """Make questions from the test questions of another data set."""
    from coconut_study.questions import card as cards
    from coconut_study.questions import derived
    from coconut_study.questions import schema as q
    from coconut_study.questions.settings import Rewrites, Source, Subset

    wanted = read_settings(Source, settings).root
    if not isinstance(wanted, Subset | Rewrites):
        raise StudyError(f"source: {wanted.source} is not made of other questions; use the command questions")
    cards.check(of_card, {"test": of})
    q.write(test, derived.derive(wanted, q.read(of)))
    q.read(test)  # proves every question, as a card says
    described = wanted.model_dump(mode="json") | {"of": cards.read(of_card).settings}
    cards.write(card, described, {"test": test})


@app.command()
def convert(questions: Questions, out: Out) -> None:
    """Check a question file and rewrite it: .json is one list, as published, .jsonl one question per line."""
    from coconut_study.questions import formats
    from coconut_study.questions import schema as q

    q.write(out, formats.read(questions))


@app.command()
def describe(questions: Questions, out: Out, card: Card = None) -> None:
    """Write the statistics of a question file."""
    from coconut_study.questions import card as cards
    from coconut_study.questions import schema as q
    from coconut_study.questions.describe import statistics

    cards.check(card, {questions.stem: questions})
    write_csv(out, statistics(q.read(questions)))


@app.command()
def shortcuts(
    train: Annotated[Path, typer.Option(help="training questions")],
    test: Annotated[Path, typer.Option(help="test questions")],
    out: Out,
    card: Card = None,
) -> None:
    """Write how rules that plan no path answer the test questions; some learn from training questions."""
    import pandas as pd

    from coconut_study.questions import card as cards
    from coconut_study.questions import neighbourhoods
    from coconut_study.questions import schema as q
    from coconut_study.questions import shortcuts as rules

    cards.check(card, {"train": train, "test": test})
    known, asked = q.read(train), q.read(test)
    write_csv(out, pd.concat([rules.table(asked), neighbourhoods.table(known, asked)], ignore_index=True))
