import pytest
import torch
from tokenizers import models, normalizers, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel

from coconut_study.common.errors import StudyError
from coconut_study.engine import checkpoints
from coconut_study.engine.tokenizer import add_marks, load_tokenizer, marks_of, word_ids, word_level
from coconut_study.sequences.templates import TEMPLATES, WORD, answer_of
from coconut_study.training import base_model
from coconut_study.training.settings import Model


@pytest.fixture(params=["prose", "symbols"])
def template(request):
    return TEMPLATES[request.param]


def test_every_word_is_one_token_and_comes_back(template, question):
    text = template.text(question)
    tokenizer = word_level([text])
    written = "".join(text.steps) + text.answer
    ids = tokenizer(written, add_special_tokens=False)["input_ids"]
    assert tokenizer.unk_token_id not in ids
    assert template.read(tokenizer.decode(ids)) == template.read(written)
    assert answer_of(tokenizer.decode(ids)) == answer_of(written)
    assert tokenizer("never", add_special_tokens=False)["input_ids"] == [tokenizer.unk_token_id]


def test_words_looked_up_are_the_tokens_of_the_tokenizer_before_and_after_it_was_saved(
    template, question, pretrained
):
    written = word_level([template.text(question)])
    add_marks(written)
    for tokenizer in (written, load_tokenizer(pretrained[0])):
        ids = word_ids(tokenizer)
        for text in (
            *template.text(question)[::2],
            "Tom zumpus",
            " ### impus?",
            "a\nb...\n\nÉva's 3 | _x",
            "",
        ):
            looked_up = [ids[word] for word in WORD.findall(text)]
            assert looked_up == tokenizer(text, add_special_tokens=False)["input_ids"]


@pytest.mark.parametrize("change", ["lower case", "blanks", "model"])
def test_words_of_other_tokenizers_are_not_looked_up(question, change):
    tokenizer = word_level([TEMPLATES["prose"].text(question)])
    backend = tokenizer.backend_tokenizer
    if change == "lower case":
        backend.normalizer = normalizers.Lowercase()
    elif change == "blanks":
        backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    else:
        backend.model = models.BPE(unk_token="<unk>")
    assert word_ids(tokenizer) is None


def test_marks_are_added_once_and_saved(template, question, tmp_path):
    tokenizer = word_level([template.text(question)])
    with pytest.raises(StudyError, match="<bot>"):
        marks_of(tokenizer)
    size = len(tokenizer)
    add_marks(tokenizer)
    add_marks(tokenizer)
    assert len(tokenizer) == size + 4
    tokenizer.save_pretrained(tmp_path)
    assert marks_of(load_tokenizer(tmp_path)) == marks_of(tokenizer)


@pytest.fixture
def pretrained(question, tmp_path):
    """A folder with a model and a tokenizer, as a hub would give it."""
    tokenizer = word_level([TEMPLATES["prose"].text(question)])
    model = GPT2LMHeadModel(GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=len(tokenizer)))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return tmp_path, len(tokenizer)


@pytest.mark.parametrize("init", ["copy", "mean", "random"])
def test_a_loaded_model_gets_the_marks_with_the_wanted_first_values(pretrained, init):
    path, known = pretrained
    new = {"init": init} | ({"of": "Every"} if init == "copy" else {})
    settings = Model.model_validate({"path": str(path), "tokenizer": str(path), "new_tokens": new})
    model, tokenizer = base_model.make(settings, 0, [])
    rows = model.get_input_embeddings().weight
    assert rows.shape[0] == len(tokenizer) == known + 4
    assert torch.equal(rows, model.get_output_embeddings().weight)
    before = GPT2LMHeadModel.from_pretrained(path).get_input_embeddings().weight
    assert torch.equal(rows[:known], before)
    if init == "copy":
        expected = before[tokenizer.get_vocab()["Every"]].expand(4, -1)
        assert torch.equal(rows[known:], expected)
    elif init == "mean":
        torch.testing.assert_close(rows[known:], before.mean(dim=0).expand(4, -1))
    else:
        assert len({tuple(row) for row in rows[known:].tolist()}) == 4


def test_a_token_to_copy_must_exist(pretrained):
    path, _ = pretrained
    new = {"init": "copy", "of": "<<"}
    settings = Model.model_validate({"path": str(path), "tokenizer": str(path), "new_tokens": new})
    with pytest.raises(StudyError, match="<< is not a single token"):
        base_model.make(settings, 0, [])


def test_models_whose_logits_are_not_linear_are_refused():
    config = GPT2Config(n_layer=1, n_head=1, n_embd=8, vocab_size=8)
    config.final_logit_softcapping = 30.0
    with pytest.raises(StudyError, match="final_logit_softcapping"):
        checkpoints.check_supported(GPT2LMHeadModel(config))


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(StudyError, match="no causal language model there"):
        checkpoints.load_model(str(tmp_path))
    with pytest.raises(StudyError, match="no tokenizer there"):
        load_tokenizer(tmp_path)
