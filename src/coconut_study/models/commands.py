"""Commands that ask trained models, list them, and show how they learn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from coconut_study.common.errors import StudyError

if TYPE_CHECKING:
    from coconut_study.questions.question import Question

PANEL = "Trained models"

app = typer.Typer()


@app.command(rich_help_panel=PANEL)
def ask(
    path: Annotated[
        Path,
        typer.Argument(help="folder of a run or of a checkpoint, or its name on the hub", show_default=False),
    ],
    question: Annotated[
        str | None, typer.Argument(help="text of the question, in the published words", show_default=False)
    ] = None,
    random: Annotated[
        bool, typer.Option("--random", help="ask a test question of the run's data set")
    ] = False,
    seed: Annotated[int, typer.Option(help="which test question --random takes", min=0)] = 0,
    thoughts: Annotated[
        str | None,
        typer.Option(help="numbers of thoughts, such as 0,1,3; as many as in training if not given"),
    ] = None,
    top: Annotated[int, typer.Option(help="number of words for each thought")] = 5,
) -> None:
    """Ask a trained model a question, and see its answer and what its thoughts hold."""
    from coconut_study.models import shown
    from coconut_study.models.model import load

    if random == (question is not None):
        raise StudyError("ask: give a question in quotes, or --random")
    ks = _numbers(thoughts)
    asked = _test_question(path, seed) if question is None else question
    shown.quiet()
    shown.asked(load(path), asked, ks, top)


@app.command(rich_help_panel=PANEL)
def runs(
    folder: Annotated[Path, typer.Argument(help="results of a study: results/NAME", show_default=False)],
) -> None:
    """List the runs of a study that were graded, with their right answers."""
    from coconut_study.models import shown

    shown.runs(folder)


@app.command(rich_help_panel=PANEL)
def watch(
    folder: Annotated[Path, typer.Argument(help="results of a study: results/NAME", show_default=False)],
    once: Annotated[bool, typer.Option("--once", help="show it one time, and end")] = False,
) -> None:
    """Show the running jobs of a study and how its models learn, until Ctrl-C."""
    from coconut_study.models import watch as w

    w.watch(folder, once=once)


def _numbers(text: str | None) -> list[int] | None:
    """The numbers that an option lists."""
    if text is None:
        return None
    parts = text.replace(",", " ").split()
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise StudyError(f"--thoughts: {text} is not a list of numbers, such as 0,1,3")
    return [int(part) for part in parts]


def _test_question(run: Path, seed: int) -> Question:
    """The test question of the data set of a run that is drawn for a seed."""
    from coconut_study.common.seeds import stream
    from coconut_study.evaluation import record
    from coconut_study.questions import schema

    path = run / record.NAME
    if not path.is_file():
        raise StudyError(
            f"--random: {run} is not the folder of a run (it has no {record.NAME}); give a question"
        )
    dataset = str(record.read(path).asked.run["dataset"])
    questions = schema.read(run.absolute().parents[3] / "data" / dataset / "test.jsonl")
    return questions[stream("ask", seed).integers(len(questions))]
