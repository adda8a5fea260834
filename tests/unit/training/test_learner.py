"""The state of the optimizer: kept over stages, and freed when it is reset."""

import gc
import weakref

import torch

from coconut_study.sequences.methods import Removal
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.training import base_model
from coconut_study.training.stage import StageTrainer

from .conftest import changed, trained, weights


def removing(unit="token", per_epoch=1.0, smoothing=None, limit=None):
    return Removal(unit=unit, per_epoch=per_epoch, smoothing=smoothing, limit=limit)


def test_the_optimizer_goes_on_over_a_stage_when_it_is_never_reset(stages, study, splits, tmp_path):
    """Two epochs in one stage equal one epoch, saved, and one epoch more."""
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    spec = changed(stages[0], reset_optimizer="never")
    spec = spec.model_copy(update={"keep": "last", "epochs": 2.0, "epochs_in_all": 2.0})
    whole, _ = trained(spec, base_model.make(study.model, 0, texts), splits)
    first, _ = trained(
        spec.model_copy(update={"epochs": 1.0}), base_model.make(study.model, 0, texts), splits
    )
    first.learner.save(tmp_path)
    model, tokenizer = first.learner.model, first.tokenizer
    trainer = StageTrainer(spec, model, tokenizer, splits["train"], splits["valid"])
    trainer.learner.load(tmp_path)
    trainer.start_epoch(1)
    trainer.train_epoch(1)
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(trainer)[name]), name


def test_what_a_reset_optimizer_held_is_given_back(icot):
    """Two numbers for every weight, and iCoT resets it for every token of the chain."""
    trainer = icot(removing("step", 1))
    trainer.train_epoch(0)
    held = [
        weakref.ref(value) for state in trainer.learner.optimizer.state.values() for value in state.values()
    ]
    assert held
    trainer.learner.reset()
    gc.collect()
    assert not trainer.learner.optimizer.state
    assert [value for value in held if value() is not None] == []
