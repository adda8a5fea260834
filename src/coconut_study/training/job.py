"""The job of the command `train`: read, train a stage, write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path
from typing import Any

import pandas as pd

from coconut_study.common import provenance
from coconut_study.common.errors import StudyError
from coconut_study.common.files import check_space, file_hash, write_csv, written_folder
from coconut_study.common.journal import NAME, Journal
from coconut_study.common.workspace import workspace
from coconut_study.engine import checkpoints
from coconut_study.engine.device import cpu_threads
from coconut_study.models import model_card
from coconut_study.questions import schema
from coconut_study.training.epoch import Epoch
from coconut_study.training.learner import Learner
from coconut_study.training.saver import GENERATIONS, Saver
from coconut_study.training.settings import StageSpec
from coconut_study.training.stage import StageTrainer
from coconut_study.training.tracker import tracker


def train_stage(
    spec: StageSpec,
    parent: Path,
    files: Mapping[str, Path],
    checkpoint: Path,
    history: Path,
    minutes: float,
    rewrites: Path | None = None,
    *,
    proved: bool = False,
) -> None:
    """Train a stage from the checkpoint `parent`, and write its checkpoint and its history.

    The questions and rewrites of the file `rewrites` are asked after every epoch.

    `files` are the question files "train" and "valid"; `proved` says that their questions were proved before
    (see `schema.read`). A state is saved every `minutes` into the folder
    `state` beside the checkpoint; after an interruption the same call resumes from it.
    """
    questions = {name: schema.read(path, proved=proved) for name, path in files.items()}
    model, tokenizer = checkpoints.load(parent)
    asked = schema.read(rewrites) if rewrites else []
    trainer = StageTrainer(spec, model, tokenizer, questions["train"], questions["valid"], asked)
    hashes = _checked_hashes(parent, files)
    card = file_hash(parent / checkpoints.CARD)
    read = [*hashes.values(), *([file_hash(rewrites)] if rewrites else [])]
    facts = (spec.model_dump_json(), *read, card, f"{cpu_threads()} threads")
    key = provenance.key("training.job", *facts)
    process = trainer.processes.index
    with workspace(checkpoint.with_name("state"), key, process) as folder:
        check_space(checkpoint.parent, bytes_on_disk(trainer.learner))
        with (
            tracker(trainer.learner.accelerator, spec, checkpoint.parent) as told,
            Saver(folder, minutes, process) as saver,
        ):
            journal = Journal(folder.parent / NAME if trainer.processes.is_main else None, told=told)
            rows = trainer.run(parent, saver, journal)
        _write(trainer, rows, hashes, checkpoint, history)


def bytes_on_disk(learner: Learner) -> int:
    """The most bytes that a stage writes.

    These are its states (weights, two moments, best weights), of which there is one more while one is
    replaced, and its checkpoint with the state of the optimizer.
    """
    learning = sum(p.numel() * p.element_size() for p in learner.learning.values())
    model = sum(p.numel() * p.element_size() for p in learner.model.parameters())
    return 4 * (GENERATIONS + 1) * learning + 2 * learning + model


def _checked_hashes(parent: Path, files: Mapping[str, Path]) -> dict[str, str]:
    """The sha256 of each question file; StudyError if `parent` was trained on other files."""
    hashes = {name: file_hash(path) for name, path in files.items()}
    expected = checkpoints.card(parent).get("data", hashes)
    for name, path in files.items():
        if hashes[name] != expected.get(name):
            raise StudyError(
                f"{path}: not the questions that {parent} was trained on (their sha256 differs); restore "
                "them, or remove the file and train this run from its beginning"
            )
    return hashes


def _write(
    trainer: StageTrainer, rows: Sequence[Epoch], hashes: dict[str, str], checkpoint: Path, history: Path
) -> None:
    """Write the checkpoint and the history from the main process; all processes must call it."""
    card = _card(trainer, hashes)
    keeps_optimizer = trainer.spec.training.reset_optimizer == "never"
    trainer.learner.gather(optimizer=keeps_optimizer)
    if not trainer.processes.is_main:
        return
    with written_folder(checkpoint) as folder:
        if keeps_optimizer:
            trainer.learner.save(folder)
        checkpoints.save(folder, trainer.learner.model, trainer.tokenizer, card)
        model_card.write(folder, card["spec"], trainer.sampler.questions[0], trainer.tokenizer)
    table = pd.DataFrame([asdict(row) for row in rows])
    write_csv(history, table if trainer.rewrites is not None else table.drop(columns="following"))


def _card(trainer: StageTrainer, hashes: dict[str, str]) -> dict[str, Any]:
    """The card of a trained stage; all processes must call it."""
    spec, joules = trainer.spec, trainer.processes.sum(trainer.meter.joules)
    return provenance.card(
        spec=spec.model_dump(mode="json"),
        id=spec.id,
        stage=spec.stage,
        thoughts=spec.layout.thoughts,
        data=hashes,
        device=str(trainer.device),
        threads=cpu_threads(),
        processes=trainer.processes.count,
        seconds=round(trainer.meter.seconds, 1),
        energy_joules=None if isnan(joules) else round(joules),
    )
