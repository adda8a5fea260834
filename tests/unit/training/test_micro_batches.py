"""Batches in parts: they learn the same, and parts are of similar length."""

import pytest
import torch

from coconut_study.sequences.templates import TEMPLATES
from coconut_study.training import base_model
from coconut_study.training.learner import Learner
from coconut_study.training.micro_batches import split
from coconut_study.training.sampler import Sampler

from .conftest import changed, trained, weights


@pytest.fixture
def batch(stages, base, splits):
    """Makes the first batch of a stage."""

    def make(**training):
        return Sampler(changed(stages[1], **training), base[1], splits["train"]).batch(0, removed=0)

    return make


def test_how_a_batch_is_split_changes_nothing_but_rounding(stages, study, splits):
    """Without dropout, whose draws depend on the split."""
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    settings_ = study.model.model_copy(update={"architecture": study.model.architecture | still})
    found = []
    for size in (None, 4):
        model, tokenizer = base_model.make(settings_, 0, texts)
        trainer, _ = trained(changed(stages[1], micro_batch_size=size), (model.double(), tokenizer), splits)
        found.append(weights(trainer))
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], rtol=0, atol=1e-9)


def test_a_batch_too_large_for_the_memory_is_halved_and_learns_the_same(stages, study, splits, monkeypatch):
    texts = list(map(TEMPLATES["prose"].text, splits["train"]))
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    settings_ = study.model.model_copy(update={"architecture": study.model.architecture | still})
    update, sizes = Learner.update, []

    def small(self, batches, rate):
        sizes.append(max(len(batch.tokens_BT) for batch in batches))
        if sizes[-1] > 6:
            raise torch.OutOfMemoryError
        return update(self, batches, rate)

    found = []
    for memory in ("enough", "little"):
        if memory == "little":
            monkeypatch.setattr(Learner, "update", small)
        model, tokenizer = base_model.make(settings_, 0, texts)
        spec = changed(stages[1], micro_batch_size=None)
        trainer, _ = trained(spec, (model.double(), tokenizer), splits)
        found.append(weights(trainer))
    assert sizes[:3] == [16, 8, 4]
    assert set(sizes[2:]) == {4}
    for name in found[0]:
        torch.testing.assert_close(found[0][name], found[1][name], rtol=0, atol=1e-9)


def test_parts_of_a_batch_are_of_like_length_and_make_it_up(batch):
    sequences = batch(mirrors="apart")
    lengths = [part.mask_BT.sum(dim=1).tolist() for part in split(sequences, 8, 0, share_prefixes=True)]
    assert [len(part) for part in lengths] == [8, 8]
    assert sorted(lengths[0] + lengths[1]) == lengths[0] + lengths[1] == sorted(map(len, sequences))


def test_mirror_questions_stay_together_in_the_parts_of_a_batch(batch):
    sequences = batch(mirrors="together")
    parts = split(sequences, 8, 0, share_prefixes=True)
    assert [len(part.prefixes.first_G) for part in parts] == [4, 4]
    assert sum(len(part.target_N) for part in parts) == sum(sequence.n_loss for sequence in sequences)
