"""The job of the command `base`: read, make a base model, write.

It is apart from the job of a stage, so that an edit of how stages are trained makes no base model again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from coconut_study.common import provenance
from coconut_study.common.errors import StudyError
from coconut_study.common.files import written_folder
from coconut_study.engine import checkpoints
from coconut_study.engine.device import cpu_threads
from coconut_study.questions import schema
from coconut_study.questions.graphs import CONCEPTS, PERSONS
from coconut_study.sequences.templates import TEMPLATES, Text
from coconut_study.training import base_model, preflight
from coconut_study.training.pretrain import Pretrainer
from coconut_study.training.settings import BaseSpec, Pool


def make_base(spec: BaseSpec, questions: Sequence[Path], out: Path, *, proved: bool = False) -> None:
    """Load or create a base model, pretrain it if `spec` says so, and save it with the marks added.

    A new model learns its words, and what it is pretrained on, from the question files; `proved` says that
    their questions were proved before (see `schema.read`).
    """
    if wrong := preflight.mistakes([spec.model]):
        raise StudyError("; ".join(wrong))
    read = [question for path in questions for question in schema.read(path, proved=proved)]
    template = TEMPLATES[spec.text.template]
    texts = [*map(template.text, read), Text(" ".join(pool(spec.model.names)), [], "")]
    model, tokenizer = base_model.make(spec.model, spec.seed, texts)
    reports = []
    if settings := spec.model.pretraining:
        reports = Pretrainer(
            model, tokenizer, read, settings, spec.text, spec.seed, pool(spec.model.names)
        ).run()
    card = provenance.card(
        settings=spec.model_dump(mode="json"),
        stage=None,
        pretraining=[asdict(r) for r in reports],
        threads=cpu_threads(),
    )
    with written_folder(out) as folder:
        checkpoints.save(folder, model, tokenizer, card)


def pool(names: Pool | None) -> tuple[str, ...]:
    """The names that a new model has besides those of the questions."""
    return (*PERSONS[: names.persons], *CONCEPTS[: names.concepts]) if names else ()
