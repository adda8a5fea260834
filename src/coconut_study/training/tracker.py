"""Progress for an experiment tracker, if the variable COCONUT_TRACKER names one. It shapes no result.

Trackers are those of accelerate: tensorboard, trackio, wandb and others that it knows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from accelerate import Accelerator
from accelerate.tracking import LOGGER_TYPE_TO_CLASS, filter_trackers

from coconut_study.common.errors import StudyError, hint
from coconut_study.common.journal import Row
from coconut_study.training.settings import StageSpec

VARIABLE = "COCONUT_TRACKER"
PROJECT = "coconut-study"
FOLDER = Path("trackers")  # of trackers that write files, below the folder that the job runs in
NAMED = ("wandb", "trackio")  # trackers to which the name of a run is given apart from that of the project
WHEN = ("stage", "epoch", "epochs", "update", "updates", "step")  # of a row


@contextmanager
def tracker(accelerator: Accelerator, spec: StageSpec, stage: Path) -> Iterator[Callable[[Row], None] | None]:
    """What tells rows of the journal to the tracker that the environment names, for the stage with the folder
    `stage`; None if it names none.

    StudyError if the tracker is not known or not installed.
    """
    name = os.environ.get(VARIABLE)
    if not name:
        yield None
        return
    _start(accelerator, name, "/".join(stage.parts[-3:]), spec)
    try:
        yield lambda row: accelerator.log(
            {key: value for key, value in row.items() if key not in WHEN}, step=row["step"]
        )
    finally:
        accelerator.end_training()


def _start(accelerator: Accelerator, name: str, run: str, spec: StageSpec) -> None:
    if name not in LOGGER_TYPE_TO_CLASS:
        raise StudyError(
            f"{VARIABLE}: {name} is not a tracker of accelerate{hint(name, LOGGER_TYPE_TO_CLASS)}"
        )
    accelerator.project_configuration.set_directories(str(FOLDER / run))
    accelerator.log_with = filter_trackers([name], accelerator.logging_dir)
    if not accelerator.log_with:
        raise StudyError(f"{VARIABLE}: {name} is not installed; pip install {name}")
    settings = spec.training.model_dump(mode="json")
    facts = {"id": spec.id, "stage": spec.stage, "seed": spec.seed, "thoughts": spec.layout.thoughts}
    shown = {key: value for key, value in settings.items() if isinstance(value, int | float | str)}
    accelerator.init_trackers(PROJECT, facts | shown, {name: {"name": run}} if name in NAMED else {})
