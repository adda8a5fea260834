"""The running jobs of a study, and how its models learn, in a terminal.

Nothing is asked of the jobs: what they have written tells. A job has a log from its start on, and a benchmark
when it has ended; a stage of training also has a journal (`common.journal`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import sleep, time
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from coconut_study.common import journal
from coconut_study.common.errors import StudyError, printable
from coconut_study.common.progress import duration

STEPS = "▁▂▃▄▅▆▇█"
CURVE = 16  # columns
SILENT = 60.0  # seconds without a word from which it is said
TAIL = 4096  # bytes of a log that are read


@dataclass(frozen=True, slots=True)
class Job:
    """A job that has begun and not ended: its rule and what it is for, seconds since it last wrote to its
    log, and its last words there."""

    name: str
    silent: float
    words: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage in training, or whose training was interrupted: its name, the rows of its journal, and seconds
    since the last."""

    name: str
    rows: list[journal.Row]
    silent: float


def watch(folder: Path, *, once: bool, seconds: float = 1.0) -> None:
    """Show the jobs and the training of the study with results in `folder` every `seconds`, until Ctrl-C; one
    time if `once`, or where the output is no terminal."""
    if not folder.is_dir():
        raise StudyError(f"{folder}: is not there yet; give the results of a study, results/NAME")
    console = Console(highlight=False)
    if once or not console.is_terminal:
        console.print(seen(folder))
        return
    try:
        with Live(seen(folder), console=console, auto_refresh=False) as live:
            while True:
                sleep(seconds)
                live.update(seen(folder), refresh=True)
    except KeyboardInterrupt:
        return


def seen(folder: Path) -> Group:
    """All that is shown at one time."""
    stages = training(folder)
    shown = {f"train {stage.name}" for stage in stages}
    others = [job for job in running(folder) if job.name not in shown]
    parts: list[Any] = [_finished(folder)]
    if stages:
        parts += ["", _learning(stages)]
    if others:
        parts += ["", _jobs(others)]
    if not stages and not others:
        parts += ["", "No job is running."]
    return Group(*parts)


def running(folder: Path) -> list[Job]:
    """The jobs of the study with results in `folder` that have begun and not ended, in alphabetical order."""
    logs, benchmarks = (folder.absolute().parents[1] / kind / folder.name for kind in ("logs", "benchmarks"))
    jobs = []
    for log in sorted(logs.glob("**/*.log")):
        path = log.relative_to(logs).with_suffix("")
        begun, ended = _time(log), _time(benchmarks / path.with_suffix(".tsv"))
        if begun is not None and (ended is None or ended < begun):
            rule, *place = path.parts
            jobs.append(Job(f"{rule} {'/'.join(place)}".strip(), time() - begun, _last_words(log)))
    return jobs


def training(folder: Path) -> list[Stage]:
    """The stages of the study with results in `folder` that have a journal, in alphabetical order."""
    stages = []
    for path in sorted(folder.glob(f"stages/*/*/*/state/{journal.NAME}")):
        name, rows, written = path.parents[1].relative_to(folder / "stages"), journal.read(path), _time(path)
        if rows and written is not None:
            stages.append(Stage(name.as_posix(), rows, time() - written))
    return stages


def curve(values: Sequence[float], width: int = CURVE) -> str:
    """Values over time as a line of bars, the largest full: the mean of each of up to `width` parts."""
    n = min(width, len(values))
    parts = [values[len(values) * i // n : len(values) * (i + 1) // n] for i in range(n)]
    means = [sum(part) / len(part) for part in parts]
    low, high = min(means, default=0.0), max(means, default=0.0)
    scale = (len(STEPS) - 1) / (high - low) if high > low else 0.0
    return "".join(STEPS[round((mean - low) * scale)] for mean in means)


def _time(path: Path) -> float | None:
    """When a file was last written; None if it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _last_words(log: Path) -> str:
    """The last line of a log, or the last state of a progress bar on it."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    lines = [line.strip() for line in re.split(r"[\r\n]", text)]
    return next((line for line in reversed(lines) if line), "")


def _finished(folder: Path) -> str:
    """What there is of the study already, in words."""
    n_stages = len([*folder.glob("stages/*/*/*/history.csv")])
    n_runs = len([*folder.glob("runs/*/*/*/grades.csv")])
    return f"{folder}: {n_stages} stages trained, {n_runs} runs graded"


def _learning(stages: Sequence[Stage]) -> Table:
    table = _table("training", "epoch", "", "loss", "", "right (%)", "questions/s", "left")
    for stage in stages:
        last = stage.rows[-1]
        right = [row["accuracy"] for row in stage.rows if "accuracy" in row]
        share = (last["epoch"] - 1 + last["update"] / last["updates"]) / last["epochs"]
        table.add_row(
            Text(stage.name),
            Text(f"{last['epoch']} of {last['epochs']}"),
            ProgressBar(total=1, completed=share, width=12),
            Text(f"{last['loss']:.3f}"),
            Text(curve([row["loss"] for row in stage.rows]), style="cyan"),
            Text(", ".join(f"{100 * one:.0f}" for one in right[-4:])),
            Text(f"{last.get('questions_per_second', 0):.0f}"),
            Text(_silence(stage.silent) or duration(last.get("seconds_left", 0))),
        )
    return table


def _jobs(jobs: Sequence[Job]) -> Table:
    table = _table("job", "last words")
    for job in jobs:
        words = " ".join(filter(None, [printable(job.words), _silence(job.silent)]))
        table.add_row(Text(job.name), Text(words, style="dim"))
    return table


def _silence(seconds: float) -> str:
    """How long nothing was written, if that is long: the job may have been killed."""
    return f"(silent for {duration(seconds)})" if seconds > SILENT else ""


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
