"""What accompanies a checkpoint: with transformers alone it answers as the engine does; its card says how."""

import re

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from coconut_study import load
from coconut_study.engine import checkpoints
from coconut_study.evaluation.respond import respond
from coconut_study.evaluation.runs import load_model
from coconut_study.evaluation.settings import GenerationSpec
from coconut_study.models import model_card
from coconut_study.sequences.builder import tokenize
from coconut_study.sequences.methods import Layout, TextSettings
from coconut_study.sequences.templates import TEMPLATES

LAYOUTS = {
    "written steps": {"hidden": 0, "thoughts": 0, "kind": "none"},
    "continuous": {},
    "with marks": {"markers": True},
    "soft": {"kind": "soft"},
    "in parallel": {"iterations": 1},
    "pauses": {"kind": "pause", "markers": True},
    "loops": {"kind": "loops"},
    "adapters": {"lora": True},
}


@pytest.fixture(scope="module", params=LAYOUTS.values(), ids=LAYOUTS)
def checkpoint(request, trained, tmp_path_factory):
    return trained.save(tmp_path_factory.mktemp("saved") / "checkpoint", **request.param)


def responses(trained, folder):
    """What the engine writes: the responses by number of thoughts and number of the question."""
    spec = checkpoints.card(folder)["spec"]
    layout, text = Layout(**spec["layout"]), TextSettings(**spec["base"]["text"])
    layouts = [layout.with_thoughts(k, 1) for k in range(layout.thoughts + 1)]
    settings = GenerationSpec(run={}, text=text, layouts=layouts, responding=spec["evaluation"])
    model, tokenizer = load_model(folder, settings)
    template, shared = TEMPLATES[text.template], text.facts_share_position
    tokens = tokenize(trained.questions, template, tokenizer, shared=shared)
    written, _ = respond(model, tokenizer, tokens, layouts, settings.responding)
    return {(one.k, one.question): one for one in written}


def asked(trained, folder):
    """A model and its tokenizer as transformers loads them, and the questions as text for the model."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, padding_side="left", pad_token="<eos>")
    template = TEMPLATES[trained.plan.study.text.template]
    texts = [template.text(question).question for question in trained.questions]
    return AutoModelForCausalLM.from_pretrained(folder), tokenizer, texts


def rows(ids, prompts, end):
    """The responses in what `generate` returns, each up to its end."""
    written = ids[:, prompts["input_ids"].shape[1] :].tolist()
    return [row[: row.index(end) + 1] if end in row else row for row in written]


# ------------------------------------------------------------------------------------------------ equal


def test_transformers_alone_writes_the_tokens_of_the_engine(trained, checkpoint):
    model, tokenizer, texts = asked(trained, checkpoint)
    expected = {key: one.token_ids for key, one in responses(trained, checkpoint).items()}
    trusted = {"custom_generate": str(checkpoint), "trust_remote_code": True}
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    assert len({*map(tuple, expected.values())}) > 3
    for k in {k for k, _ in expected}:
        found = rows(model.generate(**batch, **trusted, thoughts=k), batch, tokenizer.eos_token_id)
        assert found == [expected[k, number] for number in range(len(texts))]
    for number, text in enumerate(texts[:3]):
        alone = tokenizer(text, return_tensors="pt")
        (found,) = rows(model.generate(**alone, **trusted), alone, tokenizer.eos_token_id)
        assert found == expected[k, number]


def test_the_api_writes_the_tokens_of_the_engine(trained, checkpoint):
    model = load(checkpoint)
    answers = model.ask(trained.questions, thoughts=range(model.k + 1))
    found = {(one.k, number): one.text for number, row in enumerate(answers) for one in row}
    assert found == {key: one.text for key, one in responses(trained, checkpoint).items()}


def test_a_trusted_model_generates_so_without_being_told(trained):
    folder = trained.checkpoints["coconut"]
    plain, tokenizer, texts = asked(trained, folder)
    trusted = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
    prompt = tokenizer(texts[0], return_tensors="pt")
    told = plain.generate(**prompt, custom_generate=str(folder), trust_remote_code=True)
    assert torch.equal(trusted.generate(**prompt), told)
    assert torch.equal(trusted.generate(prompt["input_ids"]), told)


def test_what_it_cannot_do_is_refused(trained):
    folder = trained.checkpoints["coconut"]
    _, tokenizer, texts = asked(trained, folder)
    model = AutoModelForCausalLM.from_pretrained(folder, trust_remote_code=True)
    prompt = tokenizer(texts[0], return_tensors="pt")
    for wrong, sentence in {
        "do_sample": "generate: this model answers greedily, without do_sample",
        "thoughts": "generate: trained with 2 thoughts, cannot answer after 3",
    }.items():
        with pytest.raises(ValueError, match=f"^{sentence}$"):
            model.generate(**prompt, **{wrong: 3})
    right = torch.nn.functional.pad(prompt["attention_mask"], (0, 1))
    with pytest.raises(ValueError, match=r"^generate: pad on the left"):
        model.generate(torch.nn.functional.pad(prompt["input_ids"], (0, 1)), attention_mask=right)


# ----------------------------------------------------------------------------------------------- written


def test_both_files_are_the_same_each_time_and_no_other_file_changes(trained, tmp_path):
    folder = trained.checkpoints["coconut"]
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }
    facts = checkpoints.card(folder)
    _, tokenizer = checkpoints.load(folder)
    model_card.write(tmp_path, facts["spec"], trained.questions[0], tokenizer)
    written = {
        path.relative_to(tmp_path).as_posix(): path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert written == {name: files[name] for name in ("README.md", "custom_generate/generate.py")}
    assert {*facts["sha256"]} == {*files} - {*written} - {"card.json"}


def test_the_first_lines_of_the_card_answer_a_question(trained, capsys):
    folder = trained.checkpoints["coconut"]
    text = (folder / "README.md").read_text()
    ours, theirs = (
        block.replace("FOLDER", str(folder)) for block in re.findall(r"```python\n(.*?)```", text, re.S)
    )
    assert text.index("from coconut_study import load") < 400
    exec(ours)
    answer = load(folder).ask(trained.questions[0])
    assert capsys.readouterr().out == f"{answer.text}\n"
    exec(theirs)
    assert answer.text.strip() in capsys.readouterr().out


def test_the_card_says_what_a_bare_generate_leaves_out_and_what_the_training_was(trained):
    cards = {method: ModelCard.load(folder / "README.md") for method, folder in trained.checkpoints.items()}
    text = " ".join(cards["coconut"].text.split())
    assert "A bare `generate()` of transformers leaves out the continuous thoughts" in text
    shared = trained.plan.study.text.facts_share_position
    assert ("the positions that facts share" in text) == shared
    assert "method: 2 continuous thoughts" in text
    assert "questions: balanced, train 64" in text
    assert "seed: 1 (of the base model: 0)" in text
    assert cards["coconut"].data.tags == ["coconut", "continuous"]
    complete = "`generate()` of transformers leaves nothing out" in " ".join(cards["cot"].text.split())
    assert complete == (not shared)


def test_the_card_names_no_path_of_the_machine(trained, tmp_path):
    folder = trained.checkpoints["coconut"]
    spec, (_, tokenizer) = checkpoints.card(folder)["spec"], checkpoints.load(folder)
    file = {"path": "/home/somebody/questions.json", "rows": None, "count": None, "sha256": None}
    spec["questions"] = {"source": "files", **dict.fromkeys(("train", "valid", "test"), file)}
    spec["base"]["model"] |= {"path": "/home/somebody/model", "architecture": None}
    model_card.write(tmp_path, spec, trained.questions[0], tokenizer)
    text = (tmp_path / "README.md").read_text()
    assert "somebody" not in text
    assert "a model in a local folder" in text
    spec["base"]["model"]["path"] = "owner/name"
    model_card.write(tmp_path, spec, trained.questions[0], tokenizer)
    assert ModelCard.load(tmp_path / "README.md").data.base_model == "owner/name"
