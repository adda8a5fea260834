"""What a trained model says, and the runs of a study, written for a terminal.

Text of models and questions is shown as it is, never as markup; there is no colour where the output is no
terminal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text
from transformers.utils import logging

from coconut_study.common.errors import StudyError, printable
from coconut_study.common.reading import read_csv
from coconut_study.models.asked import Asked, question_of
from coconut_study.models.model import Answer, Model, Thought, Value

BAR = 24  # columns


def quiet() -> None:
    """Show no progress of loading."""
    logging.disable_progress_bar()


def asked(model: Model, question: Asked, ks: Sequence[int] | None, top: int) -> None:
    """Ask a question and print the answer after each of `ks` thoughts (None: as many as in training), then
    the thoughts as words, and the values of the candidates for the next step, as far as there are any."""
    console = Console(highlight=False)
    answers = model.ask(question, thoughts=[model.k] if ks is None else ks)
    read = question_of(question)
    console.print(Text(printable(read.question)), "", sep="\n")
    console.print(_answers(answers, model.layout.kind))
    if model.layout.kind == "continuous" and model.k:
        console.print("\nThoughts, as the most likely words:")
        console.print(_thoughts(model.thoughts(question, top)))
    if model.layout.kind in ("continuous", "pause") and read.graph is not None:
        green = "; green: the answer can be reached from it" if console.color_system else ""
        console.print(f"\nValues of the candidates for the next step, as shares of their sum{green}:")
        console.print(_values(model.values(question), "█" if console.encoding.startswith("utf") else "#"))


def _answers(answers: Sequence[Answer], kind: str) -> Table:
    """One row for each number of thoughts."""
    table = _table("thoughts" if kind != "loops" else "loops", "answer", "", "response", "tokens")
    for answer in answers:
        verdict, style = {True: ("right", "green"), False: ("wrong", "red"), None: ("", "")}[answer.right]
        outcome = "" if answer.outcome is None or answer.outcome.endswith("label") else f", {answer.outcome}"
        table.add_row(
            Text(str(answer.k)),
            Text(printable(answer.answer or "none"), style="bold"),
            Text(f"{verdict}{outcome}", style=style),
            Text(printable(" ".join(answer.text.split()))),
            Text(str(answer.tokens)),
        )
    return table


def _thoughts(thoughts: Sequence[Thought]) -> Table:
    """One row for each thought."""
    table = _table("thought", "words", "norm")
    for one in thoughts:
        words = ", ".join(f"{printable(word.strip())} {100 * p:.0f} %" for word, p in one.words)
        table.add_row(Text(str(one.number)), Text(words), Text(f"{one.norm:.1f}"))
    return table


def _values(values: dict[int, list[Value]], bar: str) -> Table:
    """One row for each candidate."""
    table = _table("thoughts", "candidate", "", "share", "probability")
    for k, candidates in values.items():
        total = sum(one.value for one in candidates)
        for one in candidates:
            share = one.value / total if total else 0.0
            table.add_row(
                Text(str(k) if one is candidates[0] else ""),
                Text(printable(one.node), style="green" if one.correct else ""),
                Text(bar * round(BAR * share), style="green" if one.correct else "blue"),
                Text(f"{100 * share:.0f} %"),
                Text(f"{one.value:.2g}"),
            )
    return table


def runs(folder: Path) -> None:
    """Print the runs of a study, with their right answers and tokens at the most thoughts."""
    paths = sorted(folder.glob("runs/*/*/seed*/grades.csv"), key=_place)
    if not paths:
        raise StudyError(f"{folder}: has no graded runs; give the results of a study, results/NAME")
    table = _table("run", "thoughts", "questions", "right (%)", "tokens")
    for path in paths:
        grades = read_csv(path, ("k", "right", "tokens"), flags=("right",))
        last = grades[grades["k"] == grades["k"].max()]
        cells = (
            path.parent.relative_to(folder).as_posix(),
            f"{last['k'].max():.0f}",
            str(len(last)),
            f"{100 * last['right'].mean():.1f}",
            f"{last['tokens'].mean():.1f}",
        )
        table.add_row(*map(Text, cells))
    Console(highlight=False).print(table)


def _place(path: Path) -> tuple[str, str, int, str]:
    """Data set, method and seed of a file in the folder of a run, in the order of the list."""
    *_, dataset, method, seed, _ = path.parts
    number = seed.removeprefix("seed")
    return dataset, method, int(number) if number.isdecimal() else 0, seed


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        numeric = column in ("norm", "share", "probability", "tokens", "questions", "right (%)")
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    return table
