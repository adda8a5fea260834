"""Commands that make base models and train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from coconut_study.common.errors import StudyError
from coconut_study.common.options import Card, Json
from coconut_study.common.reading import read_yaml
from coconut_study.common.settings import read_settings

app = typer.Typer()

Minutes = Annotated[float, typer.Option(help="minutes between two saved states of unfinished work")]


@app.command()
def base(
    settings: Json,
    out: Annotated[Path, typer.Option(help="folder of the checkpoint to write")],
    questions: Annotated[
        list[Path] | None, typer.Argument(help="files of training questions that a new model learns from")
    ] = None,
    card: Annotated[list[Path] | None, typer.Option(help="card of each of these files, in order")] = None,
) -> None:
    """Load or create the base model, pretrain it if the settings say so, and save it."""
    from coconut_study.questions import card as cards
    from coconut_study.training.base_job import make_base
    from coconut_study.training.settings import BaseSpec

    files = questions or []
    if card and len(card) != len(files):
        raise StudyError(f"--card: {len(card)} cards for {len(files)} question files; give one for each")
    for path, described in zip(card or [], files, strict=False):
        cards.check(path, {"train": described})
    make_base(read_settings(BaseSpec, settings), files, out, proved=bool(card))


@app.command()
def train(
    spec: Json,
    parent: Annotated[Path, typer.Option(help="folder of the checkpoint to start from")],
    train: Annotated[Path, typer.Option(help="file of training questions")],
    valid: Annotated[Path, typer.Option(help="file of validation questions")],
    checkpoint: Annotated[Path, typer.Option(help="folder of the checkpoint to write")],
    history: Annotated[Path, typer.Option(help="CSV file to write, one row per epoch")],
    minutes: Minutes = 10,
    card: Card = None,
    rewrites: Annotated[
        Path | None, typer.Option(help="questions and rewrites that are asked after every epoch")
    ] = None,
    rewrites_card: Annotated[Path | None, typer.Option(help="card of these")] = None,
) -> None:
    """Train one stage, or resume it after an interruption."""
    from coconut_study.questions import card as cards
    from coconut_study.training.job import train_stage
    from coconut_study.training.settings import StageSpec

    wanted, files = read_settings(StageSpec, spec), {"train": train, "valid": valid}
    cards.check(card, files, wanted.questions)
    if (rewrites is None) != (wanted.following is None):
        raise StudyError("--rewrites: give them if the spec has the settings of rewrites, and only then")
    if rewrites is not None:
        cards.check(rewrites_card, {"test": rewrites}, wanted.following)
    train_stage(wanted, parent, files, checkpoint, history, minutes, rewrites, proved=card is not None)


@app.command()
def disk(
    kept: Annotated[str, typer.Option(help="JSON: the checkpoints of a study, for each model")],
) -> None:
    """Print how many checkpoints a study keeps, and about how much disk they need."""
    from pydantic import TypeAdapter

    from coconut_study.training.disk import Kept, lines

    for line in lines(TypeAdapter(list[Kept]).validate_json(kept)):
        typer.echo(line)


@app.command()
def layouts(
    methods: Annotated[Path, typer.Option(help="YAML file with methods")],
    schedule: Annotated[str, typer.Option(help="JSON: c, stages, epochs and removal")] = (
        '{"c": 2, "stages": 2, "epochs": [1, 1, 1, 1]}'
    ),
) -> None:
    """Print the training sequences of each method, and which of their tokens have loss."""
    from coconut_study.sequences import drawing
    from coconut_study.sequences.methods import Method, Schedule

    stages = read_settings(Schedule, schedule)
    rows = {
        name: (read_settings(Method, json.dumps(row)), stages)
        for name, row in read_yaml(methods)["methods"].items()
    }
    typer.echo(drawing.markdown(rows), nl=False)
