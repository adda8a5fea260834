"""Commands that make base models and train."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import Annotated

import typer

from coconut_study.common.errors import StudyError
from coconut_study.common.files import check_space, read_yaml, write_csv, written_folder
from coconut_study.common.options import Json, Minutes
from coconut_study.common.settings import read_settings

app = typer.Typer()


@app.command()
def base(
    settings: Json,
    out: Annotated[Path, typer.Option(help="folder of the checkpoint")],
    questions: Annotated[
        list[Path] | None, typer.Argument(help="questions a new model learns its words from")
    ] = None,
) -> None:
    """Load or make (and pretrain) the base model, give it the marks, and save it."""
    from coconut_study.common import provenance
    from coconut_study.engine import checkpoints
    from coconut_study.questions import schema as q
    from coconut_study.sequences.templates import TEMPLATES
    from coconut_study.training import base_model as b
    from coconut_study.training import preflight
    from coconut_study.training.pretrain import Pretrainer
    from coconut_study.training.settings import Basing

    wanted = read_settings(Basing, settings)
    if wrong := preflight.mistakes([wanted.model]):
        raise StudyError("; ".join(wrong))
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
    minutes: Minutes = 10,
) -> None:
    """Train one stage, or go on with one that was interrupted."""
    import pandas as pd

    from coconut_study.common import provenance
    from coconut_study.common.files import file_hash
    from coconut_study.common.workspace import workspace
    from coconut_study.engine import checkpoints
    from coconut_study.questions import schema as q
    from coconut_study.training import stage as t
    from coconut_study.training.saver import Saver
    from coconut_study.training.settings import StageSpec

    wanted = read_settings(StageSpec, spec)
    files = {"train": train, "valid": valid}
    asked = {name: q.read(path) for name, path in files.items()}
    model, tokenizer = checkpoints.load(parent)
    trainer = t.StageTrainer(wanted, model, tokenizer, asked["train"], asked["valid"])
    process = trainer.learner.accelerator.process_index
    data = {name: file_hash(path) for name, path in files.items()}
    before = checkpoints.card(parent).get("data", data)
    for name, path in files.items():
        if data[name] != before[name]:
            raise StudyError(
                f"{path}: not the questions that {parent} was trained on (their sha256 differs); restore "
                "them, or remove the file and train this run from its beginning"
            )
    key = provenance.key(
        "training.commands:train", spec, *data.values(), file_hash(parent / checkpoints.CARD)
    )
    check_space(checkpoint.parent, trainer.bytes_on_disk())
    with workspace(checkpoint.with_name("state"), key, process) as folder:
        with Saver(folder, minutes, process) as saver:
            rows = trainer.run(parent, saver)
        facts = provenance.card(
            spec=wanted.model_dump(mode="json"),
            id=wanted.id,
            stage=wanted.stage,
            thoughts=wanted.layout.thoughts,
            data=data,
            device=str(trainer.learner.accelerator.device),
            processes=trainer.learner.accelerator.num_processes,
            seconds=round(trainer.seconds, 1),
            energy_joules=None if isnan(joules := trainer.joules) else round(joules),
        )
        trainer.learner.gather(optimizer=wanted.training.reset_optimizer == "never")
        if not trainer.learner.accelerator.is_main_process:
            return
        with written_folder(checkpoint) as folder:
            if wanted.training.reset_optimizer == "never":
                trainer.learner.save(folder)
            checkpoints.save(folder, trainer.learner.model, tokenizer, facts)
        write_csv(history, pd.DataFrame([asdict(row) for row in rows]))


@app.command()
def layouts(
    methods: Annotated[Path, typer.Option(help="YAML with methods")],
    schedule: Annotated[str, typer.Option(help="JSON: c, stages, epochs and removal")] = (
        '{"c": 2, "stages": 2, "epochs": [1, 1, 1, 1]}'
    ),
) -> None:
    """Print what each method's sequences look like, and where they have loss."""
    from coconut_study.sequences import drawing as y
    from coconut_study.sequences.methods import Method, Schedule

    lasting = read_settings(Schedule, schedule)
    rows = {
        name: (read_settings(Method, json.dumps(row)), lasting)
        for name, row in read_yaml(methods)["methods"].items()
    }
    typer.echo(y.markdown(rows), nl=False)
