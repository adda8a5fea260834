"""Checkpoints: ordinary folders with a card."""

import json
from contextlib import suppress

import pytest
import torch

from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine.tokenizer import marks_of
from coconut_study.questions.datasets import generate
from coconut_study.questions.question import Question
from coconut_study.sequences.builder import tokenize
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


# ------------------------------------------------------------------------------ checkpoints of others


@pytest.fixture
def folder(start, tmp_path):
    """A checkpoint without checksums: someone else made it."""
    model, tokenizer = start
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / checkpoints.CARD).write_text('{"thoughts": 2}')
    return tmp_path


def test_a_card_says_the_type_of_its_facts(folder):
    """`thoughts: "9"` ended in a traceback."""
    (folder / checkpoints.CARD).write_text('{"thoughts": "9"}')
    with pytest.raises(StudyError, match=r"card.json: damaged, thoughts: Input should be a valid integer"):
        checkpoints.load(folder)


@pytest.mark.parametrize("name", ["null", '""', "7", '["a"]'])
def test_adapters_that_name_no_model_are_refused(folder, name):
    """They ended in a traceback."""
    (folder / checkpoints.ADAPTERS).write_text(f'{{"base_model_name_or_path": {name}}}')
    with pytest.raises(StudyError, match=r"adapter_config.json: base_model_name_or_path is not the name"):
        checkpoints.load(folder)
    with pytest.raises(StudyError, match=r"adapter_config.json: base_model_name_or_path is not the name"):
        checkpoints.load_model(str(folder))


def test_adapters_that_name_themselves_are_refused(folder):
    """They were loaded until Python's stack ended."""
    (folder / checkpoints.ADAPTERS).write_text(
        json.dumps({"base_model_name_or_path": f"{folder}/../{folder.name}"})
    )
    with pytest.raises(StudyError, match=r"adapter_config.json: base_model_name_or_path leads back"):
        checkpoints.load(folder)


def test_adapters_of_what_is_not_a_checkpoint_are_refused(folder):
    (folder / checkpoints.ADAPTERS).write_text('{"base_model_name_or_path": "nowhere"}')
    with pytest.raises(StudyError, match=r"adapter_config.json: names nowhere, which is not a checkpoint"):
        checkpoints.load(folder)


@pytest.mark.parametrize("text", ["[" * 100_000, "", "{", '{"version": "1.0"}', "7" * 5000])
@pytest.mark.parametrize(
    "file", ["tokenizer.json", "tokenizer_config.json", "config.json", "adapter_config.json"]
)
def test_a_damaged_file_of_a_checkpoint_is_one_sentence(folder, file, text):
    (folder / file).write_text(text)
    with suppress(StudyError):  # nothing else may be raised
        checkpoints.load(folder)


def with_pattern(folder, pattern):
    path = folder / "tokenizer.json"
    tokenizer = json.loads(path.read_text())
    tokenizer["pre_tokenizer"]["pattern"]["Regex"] = pattern
    path.write_text(json.dumps(tokenizer))


def test_a_wrong_pattern_of_a_tokenizer_is_one_sentence(folder):
    """What libraries written in Rust raise is no error of a known type."""
    with_pattern(folder, "(")
    with pytest.raises(StudyError, match="no tokenizer there"):
        checkpoints.load(folder)


def test_an_endless_pattern_of_a_tokenizer_is_one_sentence(folder):
    """The library ends the search after ten million steps, in a panic that is not of type Exception."""
    with_pattern(folder, "(a|aa)+$")
    _, tokenizer = checkpoints.load(folder)
    question = Question("a" * 60 + "b", (), "a")
    with pytest.raises(StudyError, match=r"the tokenizer fails on the questions .*retry-limit"):
        tokenize([question], TEMPLATES["prose"], tokenizer, shared=False)


def test_a_tokenizer_with_more_tokens_than_its_model_is_refused(folder, start):
    _, tokenizer = start
    tokenizer.add_tokens([f"word{number}" for number in range(500)])
    tokenizer.save_pretrained(folder)
    with pytest.raises(StudyError, match=r"its tokenizer has token \d+, and its model knows \d+ tokens"):
        checkpoints.load(folder)
