"""What `coconut watch` shows of the files that jobs write."""

import json
import os
from time import time

import pytest
from rich.console import Console

from coconut_study.common import journal
from coconut_study.common.errors import StudyError
from coconut_study.models import watch as w


@pytest.fixture
def study(tmp_path):
    """The results of a study: one stage in training, and two jobs, of which one has ended."""
    results = tmp_path / "results" / "quick"
    state = results / "stages" / "planning" / "seed1" / "stage1-abc" / "state"
    state.mkdir(parents=True)
    written = [
        {"epoch": 1, "epochs": 2, "update": 200, "updates": 200, "loss": 0.5, "accuracy": 0.25},
        {"epoch": 2, "epochs": 2, "update": 100, "updates": 200, "loss": 0.125, "seconds_left": 4000},
    ]
    (state / journal.NAME).write_text("".join(json.dumps(row) + "\n" for row in written))
    for name in ("train/planning/seed1/stage1-abc", "respond/planning/cot/seed1", "grade/planning/cot/seed1"):
        log = tmp_path / "logs" / "quick" / f"{name}.log"
        log.parent.mkdir(parents=True)
        log.write_text("\rasked: 10%\rasked: 40%\r")
    ended = tmp_path / "benchmarks" / "quick" / "grade" / "planning" / "cot" / "seed1.tsv"
    ended.parent.mkdir(parents=True)
    ended.write_text("s\n1\n")
    return results


def shown(folder):
    console = Console(width=120, highlight=False)
    with console.capture() as capture:
        console.print(w.seen(folder))
    return capture.get()


def test_jobs_that_have_begun_and_not_ended_are_shown_with_their_last_words(study):
    assert [(job.name, job.words) for job in w.running(study)] == [
        ("respond planning/cot/seed1", "asked: 40%"),
        ("train planning/seed1/stage1-abc", "asked: 40%"),
    ]


def test_a_stage_is_shown_once_with_its_epoch_and_the_time_left(study):
    text = shown(study)
    assert text.count("stage1-abc") == 1
    (line,) = (line for line in text.splitlines() if "stage1-abc" in line)
    assert all(part in line for part in ("2 of 2", "0.125", "25", "1 h 7 min"))


def test_a_job_that_has_written_nothing_for_long_is_said_to_be_silent(study):
    log = study.parents[1] / "logs" / "quick" / "respond" / "planning" / "cot" / "seed1.log"
    os.utime(log, (time() - 600, time() - 600))
    assert "40% (silent for 10 min)" in shown(study)


def test_a_study_without_jobs_says_so(tmp_path):
    folder = tmp_path / "results" / "quick"
    folder.mkdir(parents=True)
    assert "No job is running." in shown(folder)


def test_results_that_are_not_there_are_one_sentence(tmp_path):
    with pytest.raises(StudyError, match="is not there yet"):
        w.watch(tmp_path / "results" / "quick", once=True)


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([1.0], "▁"), ([3.0, 3.0], "▁▁"), ([8.0, 1.0, 4.0], "█▁▄"), ([8.0, 6.0, 1.0, 1.0], "█▁")],
)
def test_a_curve_has_the_means_of_its_parts(values, bars):
    assert w.curve(values, width=2 if len(values) == 4 else 16) == bars
