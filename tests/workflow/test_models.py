"""Models saved as local Hugging Face folders, and questions of others, go through the same rules; finished
studies are asked again from Python, and with transformers alone."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM

from coconut_study.engine.tokenizer import word_level
from coconut_study.questions import schema
from coconut_study.questions.datasets import generate
from coconut_study.questions.settings import Prosqa
from coconut_study.sequences.templates import TEMPLATES

from ..studies import ALONE
from .conftest import ROOT, Project

pytestmark = pytest.mark.workflow

SIZES = {"train": 32, "valid": 8, "test": 8}
QUESTIONS = {
    "source": "prosqa",
    "nodes": 14,
    "hops": [2, 4],
    "persons": 17,
    "concepts": 38,
    "sizes": SIZES,
    "seed": 0,
}
SMALL = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1, "hidden_size": 16,
         "intermediate_size": 32}  # fmt: skip
ARCHITECTURES = {
    "gpt2": {"n_layer": 1, "n_head": 2, "n_embd": 16, "n_positions": 256},
    "llama": SMALL,
    "qwen2": SMALL,
}
SCHEDULE = {"c": 1, "stages": 1, "epochs": [1, 1]}


def saved(project: Project, kind: str) -> str:
    """A tiny model with a tokenizer of its own, saved as others would; its path as a study names it."""
    questions = generate(Prosqa.model_validate(QUESTIONS))["train"]
    tokenizer = word_level(map(TEMPLATES["prose"].text, questions))
    ends = {"bos_token_id": tokenizer.eos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = AutoConfig.for_model(kind, vocab_size=len(tokenizer), **ends, **ARCHITECTURES[kind])
    torch.manual_seed(0)
    folder = project.folder / "models" / kind
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return f"./models/{kind}"


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Project:
    """A project in which Coconut has run from three models by path, and with LoRA."""
    project = Project(tmp_path_factory.mktemp("models"))
    study = yaml.safe_load((project.folder / "config" / "smoke.yaml").read_text())
    paths = {kind: {"path": saved(project, kind)} for kind in ARCHITECTURES}
    lora = {"lora": {"rank": 2, "alpha": 4, "dropout": 0.0, "targets": None}}
    variations = {kind: paths[kind] | {"tokenizer": path["path"]} for kind, path in paths.items()}
    variations["lora"] = variations["llama"] | lora
    study |= {
        "study": "models",
        "datasets": {"prosqa": {"title": "ProsQA", "questions": QUESTIONS, "schedule": SCHEDULE}},
        "model": {**variations["gpt2"], "new_tokens": {"init": "mean"}},
        "methods": {n: {"like": "coconut", "title": n, "model": model} for n, model in variations.items()},
        "runs": [{"datasets": ["prosqa"], "methods": list(variations), "seeds": [0]}],
        "sweep": {"methods": list(variations), "k": [0, 1]},
    } | ALONE
    (project.folder / "config" / "models.yaml").write_text(yaml.safe_dump(study))
    done = project.snakemake("--cores", "all", "responses", study="models")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return project


@pytest.mark.parametrize("name", [*ARCHITECTURES, "lora"])
def test_a_model_by_path_is_trained_asked_and_graded(models, name):
    grades = pd.read_csv(
        models.folder / "results" / "models" / "runs" / "prosqa" / name / "seed0" / "grades.csv"
    )
    assert grades.groupby("k").size().tolist() == [8, 8]
    assert grades["outcome"].notna().all()


def test_checkpoints_of_a_run_with_lora_hold_adapters_alone(models):
    folders = list((models.folder / "results" / "models" / "stages").glob("*/*/*/checkpoint"))
    adapters = [folder for folder in folders if (folder / "adapter_model.safetensors").is_file()]
    assert len(adapters) == 2
    assert not any((folder / "model.safetensors").exists() for folder in adapters)
    assert {json.loads((folder / "card.json").read_text())["stage"] for folder in adapters} == {0, 1}


@pytest.mark.parametrize("name", ["gsm8k_aug_valid.txt", "prosqa_valid.json", "prontoqa_valid.json"])
def test_published_questions_are_trained_on_and_graded(tmp_path, shared, name):
    project = Project(tmp_path)
    path = str(shared(f"data/{name}"))
    rows = {"train": [0, 48], "valid": [48, 56], "test": [56, 64]}
    files = {split: {"path": path, "rows": part} for split, part in rows.items()}
    overlay = {
        "study": "smoke",
        "datasets": {"published": {"title": "Published", "questions": {"source": "files", **files},
                                   "schedule": SCHEDULE}},
        "model": {"architecture": {"n_positions": 640}},
        "runs": [{"datasets": ["published"], "methods": ["coconut"], "seeds": [1]}],
    }  # fmt: skip
    also = project.write("config/published.yaml", yaml.safe_dump(overlay))
    done = project.snakemake("--cores", "all", "responses", also=also)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    grades = pd.read_csv(
        tmp_path / "results" / "smoke" / "runs" / "published" / "coconut" / "seed1" / "grades.csv"
    )
    assert grades.groupby("k").size().tolist() == [8, 8]


# --------------------------------------------------------------------------------- asked after the study

FINISHED = [
    "smoke/runs/balanced/coconut/seed1",
    "smoke/runs/balanced/pause_as_thought/seed1",
    "smoke/runs/balanced/cot/seed2",
    "smoke/runs/prosqa/coconut/seed1",
]
BY_PATH = ["models/runs/prosqa/qwen2/seed0", "models/runs/prosqa/lora/seed0"]


class Trained:
    """A run of a finished study: its test questions, and its responses to them by the number of thoughts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.results, self.dataset = folder, folder.parents[3], folder.parents[1].name
        self.questions = schema.read(self.results / "data" / self.dataset / "test.jsonl")
        lines = (folder / "responses.jsonl").read_text(encoding="utf-8").splitlines()
        self.responses: dict[int, list[dict]] = {}
        for response in map(json.loads, lines):
            self.responses.setdefault(response["k"], []).append(response)


@pytest.fixture(params=FINISHED + BY_PATH)
def trained(request) -> Trained:
    project = request.getfixturevalue("finished" if request.param in FINISHED else "models")
    return Trained(project.folder / "results" / request.param)


def python_of(page: Path) -> list[str]:
    """The blocks of Python in a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def test_the_lines_of_the_readme_give_the_responses_of_the_study(trained):
    """To the first question, as they stand there; then to all as a batch, and to some one by one."""

    def told(answers):
        return [(answer.text, answer.tokens) for answer in answers]

    def written(response):
        thoughts = response["k"] if response["kind"] == "continuous" else 0
        return response["text"], len(response["token_ids"]) - response["finished"] + thoughts

    expected = [list(map(written, row)) for row in zip(*trained.responses.values(), strict=True)]
    (lines,) = python_of(ROOT / "README.md")
    for there, here in {
        "results/quick/runs/planning/coconut/seed1": trained.folder,
        "results/quick/data/planning": trained.results / "data" / trained.dataset,
        "[0, 1, 3]": [*trained.responses],
    }.items():
        assert there in lines
        lines = lines.replace(there, str(here))
    exec(lines, scope := {})
    assert told(scope["answers"]) == expected[0]
    model, ks = scope["model"], [*trained.responses]
    assert list(map(told, model.ask(trained.questions, thoughts=ks))) == expected
    assert [told(model.ask(one, thoughts=ks)) for one in trained.questions[:8]] == expected[:8]


def test_transformers_alone_gives_the_token_ids_of_the_study_as_the_model_card_says(trained):
    checkpoint = trained.folder / "model"
    lines = python_of(checkpoint / "README.md")[-1]
    exec(lines.replace("FOLDER", str(checkpoint)), scope := {})
    tokenizer, model = scope["tokenizer"], scope["model"]
    tokenizer.padding_side, tokenizer.pad_token = "left", tokenizer.eos_token
    texts = [TEMPLATES["prose"].text(question).question for question in trained.questions]
    trusted = {"custom_generate": str(checkpoint), "trust_remote_code": True}
    for k, responses in trained.responses.items():
        for part in (slice(None), slice(0, 1), slice(1, 2)):
            prompts = tokenizer(texts[part], return_tensors="pt", padding=True, add_special_tokens=False)
            ids = model.generate(**prompts, **trusted, thoughts=k)[:, prompts["input_ids"].shape[1] :]
            for row, response in zip(ids.tolist(), responses[part], strict=True):
                n = len(response["token_ids"])
                assert row[:n] == response["token_ids"]
                assert set(row[n:]) <= {tokenizer.eos_token_id}
