"""The smoke study, its questions and its base model, and makers of trainers."""

from __future__ import annotations

from copy import deepcopy

import pytest

from coconut_study.questions.datasets import generate
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.definition import Study
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.training import base_model
from coconut_study.training.stage import StageTrainer

from ...studies import ALONE, settings, with_value

ICOT = {
    "title": "iCoT",
    "steps": "removed",
    "thoughts": "none",
    "markers": False,
    "training": {"reset_optimizer": "removal"},
}


@pytest.fixture(scope="session")
def study() -> Study:
    return read_study(settings("smoke"))


@pytest.fixture(scope="session")
def splits(study):
    return generate(study.datasets["balanced"].questions.root)


@pytest.fixture(scope="session")
def base(study, splits):
    """The base model and its tokenizer; not to be trained."""
    return base_model.make(study.model, 0, map(TEMPLATES["prose"].text, splits["train"]))


@pytest.fixture
def start(base):
    """A copy of the base model, and its tokenizer."""
    return deepcopy(base[0]), base[1]


@pytest.fixture
def stages(study):
    """The stages of Coconut."""
    return Plan(study).chain("balanced", "coconut", 1)


def icot_study(removal, epochs=(1, 1, 1)):
    study = settings("smoke") | ALONE
    study = with_value(study, "methods.icot", ICOT)
    study = with_value(
        study, "runs", [{"datasets": ["balanced"], "methods": ["icot", "no_cot"], "seeds": [1]}]
    )
    study = with_value(study, "datasets.balanced.schedule.epochs", list(epochs))
    return read_study(with_value(study, "datasets.balanced.schedule.removal", removal.model_dump()))


@pytest.fixture
def icot(splits, base):
    """Makes the trainer of iCoT's stage: 64 questions of 13 tokens in 2 steps, 4 updates an epoch."""

    def make(removal, epochs=(1, 1, 1), method="icot", **training):
        (spec,) = Plan(icot_study(removal, epochs)).chain("balanced", method, 1)
        spec = spec.model_copy(update={"training": spec.training.model_copy(update=training)})
        return StageTrainer(spec, deepcopy(base[0]), base[1], splits["train"], splits["valid"])

    return make


def changed(spec, **training):
    """A spec with other training settings."""
    return spec.model_copy(update={"training": spec.training.model_copy(update=training)})


def trained(spec, start, splits, parent=None):
    """The trainer of a stage, and its history."""
    trainer = StageTrainer(spec, *start, splits["train"], splits["valid"])
    return trainer, trainer.run(parent)


def weights(trainer):
    return {name: value.clone() for name, value in trainer.learner.model.state_dict().items()}
