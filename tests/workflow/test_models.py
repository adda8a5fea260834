"""Models saved as local Hugging Face folders, and questions of others, go through the same rules."""

import json

import pandas as pd
import pytest
import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM

from coconut_study.engine.tokenizer import word_level
from coconut_study.questions.datasets import generate
from coconut_study.questions.settings import Prosqa
from coconut_study.sequences.templates import TEMPLATES

from ..studies import ALONE
from .conftest import Project

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
