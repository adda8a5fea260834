"""Checkpoints: ordinary folders with a card."""

import pytest
import torch

from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine.tokenizer import marks_of
from coconut_study.questions.datasets import generate
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.training import base_model

from ...studies import settings


@pytest.fixture
def start():
    study = read_study(settings("smoke"))
    questions = generate(study.datasets["balanced"].questions.root)["train"]
    return base_model.make(study.model, 0, map(TEMPLATES["prose"].text, questions))


def test_a_checkpoint_is_an_ordinary_folder_with_its_card(start, tmp_path):
    model, tokenizer = start
    checkpoints.save(tmp_path, model, tokenizer, {"thoughts": 2})
    again, words = checkpoints.load(tmp_path)
    assert checkpoints.card(tmp_path)["thoughts"] == 2
    assert marks_of(words) == marks_of(tokenizer)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    (tmp_path / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(StudyError, match=str(tmp_path)):
        checkpoints.load(tmp_path)


def test_a_folder_without_a_card_is_no_checkpoint(tmp_path):
    with pytest.raises(StudyError, match="not a checkpoint of this study"):
        checkpoints.load(tmp_path)
