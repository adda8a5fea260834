"""Commands that generate with trained runs, and that grade their responses."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from coconut_study.common.errors import StudyError
from coconut_study.common.files import write_csv
from coconut_study.common.options import Card, Json, Out, Questions
from coconut_study.common.settings import read_settings
from coconut_study.evaluation.columns import with_run
from coconut_study.evaluation.runs import (
    check_names,
    check_questions,
    load_model,
    models_of,
    read_questions,
    saved_pieces,
)

Trained = Annotated[Path, typer.Option(help="checkpoint of the run's last stage")]
Base = Annotated[Path, typer.Option(help="checkpoint that the run's training started from")]

app = typer.Typer()


@app.command()
def respond(
    settings: Json,
    checkpoint: Trained,
    questions: Questions,
    responses: Annotated[Path, typer.Option(help="JSON lines to write")],
    timings: Annotated[Path, typer.Option(help="CSV to write: seconds of each batch")],
    card: Card = None,
    trained_card: Annotated[
        Path | None, typer.Option(help="card of the questions it was trained on, if they are others")
    ] = None,
    record: Annotated[
        Path | None, typer.Option(help="JSON to write: where the run's checkpoints are, and what it is asked")
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(help="folder of a stage, beside that of the last, for the record; in training order"),
    ] = None,
) -> None:
    """Answer every question with a trained run, with every number of thoughts."""
    import pandas as pd

    from coconut_study.evaluation import record as records
    from coconut_study.evaluation import respond as r
    from coconut_study.evaluation.columns import TIMINGS
    from coconut_study.evaluation.responses import write
    from coconut_study.evaluation.settings import GenerationSpec
    from coconut_study.sequences.templates import TEMPLATES

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"test": questions}, checkpoint, trained_card)
    model, tokenizer = load_model(checkpoint, spec)
    asked, tokens = read_questions(questions, spec, tokenizer)
    if trained_card is not None:
        check_names(questions, asked, tokenizer)
    with saved_pieces(responses, "respond", settings, checkpoint, questions) as pieces:
        answers, times = r.respond(model, tokenizer, tokens, spec.layouts, spec.responding, pieces)
        write(responses, spec.run, answers)
        write_csv(timings, pd.DataFrame([asdict(time) for time in times], columns=list(TIMINGS)))
        if record is not None:
            right = records.accuracy(answers, asked, TEMPLATES[spec.text.template])
            records.write(record, checkpoint, stage or [checkpoint.parent.name], right, spec)


@app.command()
def clock(
    settings: Json,
    timing: Annotated[str, typer.Option(help="JSON: number of questions and batch size")],
    checkpoint: Trained,
    questions: Questions,
    out: Out,
    card: Card = None,
) -> None:
    """Time the responses of a trained run, one question at a time and in batches."""
    import pandas as pd

    from coconut_study.evaluation import respond as r
    from coconut_study.evaluation.columns import CLOCK, RUN
    from coconut_study.evaluation.settings import Clock, GenerationSpec

    spec, times = read_settings(GenerationSpec, settings), read_settings(Clock, timing)
    check_questions(card, {"test": questions}, checkpoint)
    model, tokenizer = load_model(checkpoint, spec)
    _, tokens = read_questions(questions, spec, tokenizer, times.questions)
    rows = r.clock(model, tokenizer, tokens, spec.layouts[-1], spec.responding, times)
    table = pd.DataFrame(rows, columns=list(CLOCK[len(RUN) :]))
    write_csv(out, with_run(table, spec.run))


@app.command()
def ending(
    settings: Json,
    learning: Annotated[str, typer.Option(help="JSON: number of training questions to learn from")],
    checkpoint: Trained,
    train: Annotated[Path, typer.Option(help="training questions")],
    valid: Annotated[Path, typer.Option(help="validation questions")],
    test: Annotated[Path, typer.Option(help="test questions")],
    out: Out,
    card: Card = None,
) -> None:
    """Learn from the thoughts of a run when to stop thinking, and stop there on test questions."""
    import pandas as pd

    from coconut_study.evaluation import ending as e
    from coconut_study.evaluation.columns import ENDING, RUN
    from coconut_study.evaluation.settings import Ending, GenerationSpec
    from coconut_study.questions.question import group_numbers
    from coconut_study.sequences.templates import TEMPLATES

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"train": train, "valid": valid, "test": test}, checkpoint)
    model, tokenizer = load_model(checkpoint, spec)
    limits = {train: read_settings(Ending, learning).questions}
    template = TEMPLATES[spec.text.template]
    splits = [read_questions(path, spec, tokenizer, limits.get(path)) for path in (train, valid, test)]
    chains = [
        e.chains(model, tokenizer, question_list, tokens, spec.layouts, template, spec.responding)
        for question_list, tokens in splits
    ]
    rows = e.rows(chains[0], chains[1], chains[2], group_numbers(splits[2][0]))
    table = pd.DataFrame(rows, columns=list(ENDING[len(RUN) :]))
    write_csv(out, with_run(table, spec.run))


@app.command()
def probe(
    settings: Json,
    height: Annotated[str, typer.Option(help="shortest or longest path from a node to a leaf")],
    checkpoint: Trained,
    questions: Questions,
    out: Out,
    limit: Annotated[int | None, typer.Option(help="number of questions; all if not given")] = None,
    card: Card = None,
) -> None:
    """Probe the thoughts of a run: the value of every candidate for the next step."""
    import pandas as pd

    from coconut_study.evaluation import probe as p
    from coconut_study.evaluation.settings import GenerationSpec

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"test": questions}, checkpoint)
    model, tokenizer = load_model(checkpoint, spec)
    question_list, tokens = read_questions(questions, spec, tokenizer, limit)
    with saved_pieces(out, "probe", f"{settings} {height} {limit}", checkpoint, questions) as pieces:
        values = p.probe(
            model, tokenizer, question_list, tokens, spec.layouts, spec.text.template, height,  # type: ignore[arg-type]
            spec.responding.batch_size, pieces,
        )  # fmt: skip
        if not values:
            raise StudyError(
                f"{questions}: has no graph question to probe; remove its data set from probing.datasets"
            )
        write_csv(out, with_run(pd.DataFrame(values, columns=list(p.VALUE_COLUMNS)), spec.run))


@app.command()
def intervene(
    settings: Json,
    battery: Annotated[str, typer.Option(help="conditions: necessity, short or full")],
    seed: Annotated[int, typer.Option(help="of the random donors and of the noise")],
    checkpoint: Trained,
    questions: Questions,
    out: Out,
    limit: Annotated[int | None, typer.Option(help="number of questions; all if not given")] = None,
    card: Card = None,
) -> None:
    """Replace the thoughts, or the written steps, of a run by others, and see what it answers."""
    from coconut_study.evaluation import interventions as i
    from coconut_study.evaluation.settings import GenerationSpec
    from coconut_study.questions import schema
    from coconut_study.questions.question import group_numbers

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"test": questions}, checkpoint)
    question_list = schema.read(questions)[:limit]
    if any(question.graph is None for question in question_list):
        raise StudyError(
            f"{questions}: has questions without a graph; remove its data set from interventions.datasets"
        )
    if len({*group_numbers(question_list)}) < 2:
        raise StudyError(
            f"{questions}: the questions are of one group, and thoughts of other groups are needed; "
            "raise interventions.questions"
        )
    model, tokenizer = load_model(checkpoint, spec)
    key = f"{settings} {battery} {seed} {limit}"
    with saved_pieces(out, "intervene", key, checkpoint, questions) as pieces:
        table = i.intervene(
            model, tokenizer, question_list, spec.text, spec.layouts[-1], battery, seed,  # type: ignore[arg-type]
            spec.responding, pieces,
        )  # fmt: skip
        write_csv(out, with_run(table, spec.run))


@app.command()
def trace(
    settings: Json,
    checkpoint: Trained,
    questions: Questions,
    out: Out,
    limit: Annotated[int | None, typer.Option(help="number of questions; all if not given")] = None,
    card: Card = None,
) -> None:
    """Trace where a run keeps its answer: restore states of a question in a run on its mirror."""
    from coconut_study.evaluation import tracing as t
    from coconut_study.evaluation.settings import GenerationSpec

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"test": questions}, checkpoint)
    model, tokenizer = load_model(checkpoint, spec)
    question_list, _ = read_questions(questions, spec, tokenizer, limit)
    with saved_pieces(out, "trace", f"{settings} {limit}", checkpoint, questions) as pieces:
        table = t.trace(
            model, tokenizer, question_list, spec.layouts[-1], spec.text, spec.responding.batch_size, pieces
        )
        write_csv(out, with_run(table, spec.run))


@app.command()
def linear(
    settings: Json,
    within: Annotated[str, typer.Option(help="JSON: distances from the root")],
    checkpoint: Trained,
    base: Base,
    questions: Questions,
    out: Out,
    limit: Annotated[int | None, typer.Option(help="number of questions; all if not given")] = None,
    card: Card = None,
) -> None:
    """Read nodes and options off the states of a run, and of its base model, with linear maps."""
    import pandas as pd

    from coconut_study.evaluation import linear_probe as p
    from coconut_study.evaluation.settings import GenerationSpec
    from coconut_study.evaluation.states import states

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"test": questions}, checkpoint)
    tables = []
    for name, (model, tokenizer) in models_of(checkpoint, base, spec):
        question_list, tokens = read_questions(questions, spec, tokenizer, limit)
        found = states(model, tokenizer, tokens, spec.layouts[-1], spec.responding.batch_size)
        table = p.probes(found.numpy(), question_list, json.loads(within))
        if table.empty:
            raise StudyError(
                f"{questions}: no node is reached in some questions and not in others; raise linear.questions"
            )
        tables.append(with_run(table, spec.run | {"model": name}))
    write_csv(out, pd.concat(tables))


@app.command()
def attend(
    settings: Json,
    checkpoint: Trained,
    base: Base,
    questions: Questions,
    out: Out,
    limit: Annotated[int | None, typer.Option(help="number of questions; all if not given")] = None,
    card: Card = None,
) -> None:
    """Measure what the thoughts of a run, and of its base model, attend to."""
    import pandas as pd

    from coconut_study.evaluation import attention as a
    from coconut_study.evaluation.settings import GenerationSpec

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"test": questions}, checkpoint)
    tables = []
    for name, (model, tokenizer) in models_of(checkpoint, base, spec):
        question_list, _ = read_questions(questions, spec, tokenizer, limit)
        layout, size = spec.layouts[-1], spec.responding.batch_size
        table = a.attention(model, tokenizer, question_list, layout, spec.text, size)
        tables.append(with_run(table, spec.run | {"model": name}))
    write_csv(out, pd.concat(tables))


@app.command()
def remove(
    settings: Json,
    seed: Annotated[int, typer.Option(help="of the random directions")],
    checkpoint: Trained,
    questions: Questions,
    out: Out,
    limit: Annotated[int | None, typer.Option(help="number of questions; all if not given")] = None,
    card: Card = None,
) -> None:
    """Remove a readable direction from one thought of a run, and see what it answers."""
    from coconut_study.evaluation import removal as r
    from coconut_study.evaluation.settings import GenerationSpec

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"test": questions}, checkpoint)
    model, tokenizer = load_model(checkpoint, spec)
    question_list, _ = read_questions(questions, spec, tokenizer, limit)
    layout, size = spec.layouts[-1], spec.responding.batch_size
    table = r.removal(model, tokenizer, question_list, layout, spec.text, size, seed)
    if table.empty:
        raise StudyError(f"{questions}: no direction of a node can be learned; raise removal.questions")
    write_csv(out, with_run(table, spec.run))


@app.command()
def decode(
    settings: Json,
    limit: Annotated[int, typer.Option(help="number of questions")],
    top: Annotated[int, typer.Option(help="number of tokens for each thought")],
    checkpoint: Trained,
    questions: Questions,
    out: Out,
    card: Card = None,
) -> None:
    """Decode the thoughts of a run to their most likely tokens."""
    import pandas as pd

    from coconut_study.evaluation import probe as p
    from coconut_study.evaluation.settings import GenerationSpec

    spec = read_settings(GenerationSpec, settings)
    check_questions(card, {"test": questions}, checkpoint)
    model, tokenizer = load_model(checkpoint, spec)
    _, tokens = read_questions(questions, spec, tokenizer, limit)
    rows = p.decoded(model, tokenizer, tokens, spec.layouts[-1], top, spec.responding.batch_size)
    write_csv(out, with_run(pd.DataFrame(rows, columns=list(p.DECODED_COLUMNS)), spec.run))


@app.command()
def grade(
    settings: Json,
    template: Annotated[str, typer.Option(help="prose or symbols")],
    responses: Annotated[Path, typer.Option(help="JSON lines to read")],
    questions: Questions,
    out: Out,
    generation: Annotated[
        str | None, typer.Option(help="JSON: what the run was asked, which the responses must answer")
    ] = None,
    card: Card = None,
) -> None:
    """Grade every response of a run."""
    from coconut_study.evaluation import grade as g
    from coconut_study.evaluation.responses import read
    from coconut_study.evaluation.settings import GenerationSpec, Grading
    from coconut_study.questions import card as cards
    from coconut_study.questions import schema
    from coconut_study.sequences.templates import TEMPLATES

    grading, question_list = read_settings(Grading, settings), schema.read(questions)
    asked = None if generation is None else read_settings(GenerationSpec, generation)
    cards.check(card, {"test": questions})
    run, answers = read(responses, len(question_list), asked)
    table = g.grade(answers, question_list, TEMPLATES[template], grading)  # type: ignore[index]
    write_csv(out, with_run(table, run))
