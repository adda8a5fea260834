"""Commands that ask trained runs and judge what they answer."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from coconut_study.common import provenance
from coconut_study.common.errors import StudyError
from coconut_study.common.files import write_csv, written
from coconut_study.common.options import Json, Out, Questions
from coconut_study.common.settings import read_settings
from coconut_study.evaluation.runs import load_trained, read_asked, unfinished

app = typer.Typer()

Checkpoint = Annotated[Path, typer.Option(help="checkpoint of a run's last stage")]


@app.command()
def respond(
    settings: Json,
    checkpoint: Checkpoint,
    questions: Questions,
    responses: Annotated[Path, typer.Option(help="JSON lines to write")],
    timings: Annotated[Path, typer.Option(help="CSV to write: how long each batch took")],
) -> None:
    """Ask a trained run every question, with every number of thoughts."""
    import pandas as pd

    from coconut_study.evaluation import respond as r
    from coconut_study.evaluation.settings import GenerationSpec

    wanted = read_settings(GenerationSpec, settings)
    model, tokenizer = load_trained(checkpoint, wanted)
    _, tokens = read_asked(questions, wanted, tokenizer)
    with unfinished(responses, provenance.command("respond"), settings, checkpoint, questions) as pieces:
        found, times = r.respond(model, tokenizer, tokens, wanted.layouts, wanted.responding, pieces)
        with written(responses) as file:
            file.writelines(json.dumps(wanted.run | asdict(response)) + "\n" for response in found)
        write_csv(timings, pd.DataFrame([asdict(time) for time in times]))


@app.command()
def clock(
    settings: Json,
    timing: Annotated[str, typer.Option(help="JSON: how many questions, and the batch size")],
    checkpoint: Checkpoint,
    questions: Questions,
    out: Out,
) -> None:
    """Time the responses of a trained run, one question at a time and in batches."""
    import pandas as pd

    from coconut_study.evaluation import respond as r
    from coconut_study.evaluation.settings import GenerationSpec, Clock

    wanted, times = read_settings(GenerationSpec, settings), read_settings(Clock, timing)
    model, tokenizer = load_trained(checkpoint, wanted)
    _, tokens = read_asked(questions, wanted, tokenizer, times.questions)
    rows = [
        wanted.run | row | {"k": wanted.layouts[-1].thoughts}
        for row in r.clock(model, tokenizer, tokens, wanted.layouts[-1], wanted.responding, times)
    ]
    write_csv(out, pd.DataFrame(rows))


@app.command()
def ending(
    settings: Json,
    learning: Annotated[str, typer.Option(help="JSON: how many training questions it learns from")],
    checkpoint: Checkpoint,
    train: Annotated[Path, typer.Option(help="training questions")],
    valid: Annotated[Path, typer.Option(help="validation questions")],
    test: Annotated[Path, typer.Option(help="test questions")],
    out: Out,
) -> None:
    """Learn from a run's thoughts when to stop thinking, and stop there on test questions."""
    import pandas as pd

    from coconut_study.evaluation import ending as e
    from coconut_study.evaluation.settings import GenerationSpec, Ending
    from coconut_study.sequences.templates import TEMPLATES

    wanted = read_settings(GenerationSpec, settings)
    model, tokenizer = load_trained(checkpoint, wanted)
    template = TEMPLATES[wanted.text.template]
    limits = {train: read_settings(Ending, learning).questions}
    learnt, tuned, tested = (
        e.chains(
            model, tokenizer, read_asked(path, wanted, tokenizer, limits.get(path)), wanted.layouts, template,
            wanted.responding,
        )
        for path in (train, valid, test)
    )  # fmt: skip
    write_csv(out, pd.DataFrame([wanted.run | row for row in e.rows(learnt, tuned, tested)]))


@app.command()
def probe(
    settings: Json,
    height: Annotated[str, typer.Option(help="shortest or longest: of the ways from a node to a leaf")],
    checkpoint: Checkpoint,
    questions: Questions,
    out: Out,
    most: Annotated[int | None, typer.Option(help="questions; all without")] = None,
) -> None:
    """What the thoughts of a run predict: the value of every candidate for the next step."""
    from coconut_study.evaluation import probe as p
    from coconut_study.evaluation.settings import GenerationSpec

    wanted = read_settings(GenerationSpec, settings)
    model, tokenizer = load_trained(checkpoint, wanted)
    asked, tokens = read_asked(questions, wanted, tokenizer, most)
    with unfinished(
        out, "evaluation.commands:probe", f"{settings} {height} {most}", checkpoint, questions
    ) as pieces:
        found = p.probe(
            model, tokenizer, asked, tokens, wanted.layouts, wanted.text.template, height,  # type: ignore[arg-type]
            wanted.responding.batch_size, pieces,
        )  # fmt: skip
        if found.empty:
            raise StudyError(
                f"{questions}: holds no graph question to probe; leave it out of probing.datasets"
            )
        write_csv(out, found.assign(**wanted.run)[[*wanted.run, *found]])


@app.command()
def decode(
    settings: Json,
    most: Annotated[int, typer.Option(help="questions")],
    top: Annotated[int, typer.Option(help="tokens for each thought")],
    checkpoint: Checkpoint,
    questions: Questions,
    out: Out,
) -> None:
    """Read the thoughts of a run as words."""
    from coconut_study.evaluation import probe as p
    from coconut_study.evaluation.settings import GenerationSpec

    wanted = read_settings(GenerationSpec, settings)
    model, tokenizer = load_trained(checkpoint, wanted)
    _, tokens = read_asked(questions, wanted, tokenizer, most)
    found = p.decoded(model, tokenizer, tokens, wanted.layouts[-1], top, wanted.responding.batch_size)
    write_csv(out, found.assign(**wanted.run)[[*wanted.run, *found]])


@app.command()
def grade(
    settings: Json,
    template: Annotated[str, typer.Option(help="prose or symbols")],
    responses: Annotated[Path, typer.Option(help="JSON lines")],
    questions: Annotated[Path, typer.Option(help="the questions asked")],
    out: Annotated[Path, typer.Option(help="CSV to write")],
) -> None:
    """Judge every response."""
    from coconut_study.evaluation import grade as g
    from coconut_study.evaluation.responses import read
    from coconut_study.evaluation.settings import Grading
    from coconut_study.questions import schema as q
    from coconut_study.sequences.templates import TEMPLATES

    grading, asked = read_settings(Grading, settings), q.read(questions)
    rows = read(responses, len(asked))
    write_csv(out, g.grade(rows, asked, TEMPLATES[template], grading))  # type: ignore[index]
