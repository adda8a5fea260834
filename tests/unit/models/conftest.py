"""Checkpoints of three methods of the smoke study, with random weights, and its questions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from coconut_study.engine import checkpoints
from coconut_study.engine.tokenizer import marks_of
from coconut_study.models import model_card
from coconut_study.questions import schema
from coconut_study.questions.datasets import generate
from coconut_study.questions.question import Question
from coconut_study.sequences.templates import TEMPLATES
from coconut_study.study.load import read_study
from coconut_study.study.plan import Plan
from coconut_study.study.runs import Run
from coconut_study.training import base_model
from coconut_study.training.lora import add_adapters
from coconut_study.training.settings import Lora, StageSpec

from ...studies import smoke

METHODS = ("cot", "coconut", "pause_as_thought")
ARCHITECTURE = {
    "model_type": "gpt2", "n_layer": 2, "n_head": 2, "n_embd": 16, "n_positions": 256,
    "initializer_range": 0.4,
}  # fmt: skip
SYMBOLS = {"template": "symbols", "facts_share_position": True}
PROSE = {"template": "prose", "facts_share_position": False}
HEIGHT = "longest"


@dataclass(frozen=True)
class Trained:
    """The plan of a study, its test questions as a file, and the checkpoints of its methods; `base` is that
    of their model, with neither method nor card for others."""

    plan: Plan
    questions: list[Question]
    path: Path
    base: Path
    checkpoints: dict[str, Path]

    def settings(self, method: str, rule: str) -> str:
        """The settings that a rule gives its command for a run of a method."""
        return self.plan.generation_spec(Run("balanced", method, 1), rule).model_dump_json()

    def save(self, folder: Path, *, lora: bool = False, **layout: Any) -> Path:
        """Save the model as the checkpoint of Coconut's last stage with another layout; `lora` adds adapters
        with random weights."""
        model, tokenizer = checkpoints.load(self.base)
        if lora:
            settings = Lora(rank=2, alpha=4, dropout=0.0, targets=None)
            add_adapters(model, settings, marks_of(tokenizer).added)
            for name, weights in model.named_parameters():
                if "lora_" in name or "trainable_tokens_delta" in name:
                    torch.nn.init.normal_(weights, std=0.4)
        spec = self.plan.chains[Run("balanced", "coconut", 1)][-1]
        spec = spec.model_copy(update={"layout": spec.layout.model_copy(update=layout)})
        return saved(folder, spec, model, tokenizer, self.questions[0])


def saved(folder: Path, spec: StageSpec, model: Any, tokenizer: Any, example: Question) -> Path:
    """A checkpoint as training writes it."""
    folder.mkdir()
    facts = {"spec": spec.model_dump(mode="json"), "thoughts": spec.layout.thoughts}
    checkpoints.save(folder, model, tokenizer, facts)
    model_card.write(folder, facts["spec"], example, tokenizer)
    return folder


@pytest.fixture(scope="module", params=[SYMBOLS, PROSE], ids=["symbols", "prose"])
def trained(request, tmp_path_factory) -> Trained:
    """The smoke study in each template."""
    folder = tmp_path_factory.mktemp("trained")
    probing = {
        "datasets": ["balanced"], "methods": list(METHODS[1:]), "k": [0, 1, 2], "height": HEIGHT,
        "questions": None, "case": 0,
    }  # fmt: skip
    sweep = {"methods": list(METHODS[1:]), "k": [0, 1, 2]}
    study = read_study(
        smoke(METHODS, text=request.param, model__architecture=ARCHITECTURE, probing=probing, sweep=sweep)
    )
    splits = generate(study.datasets["balanced"].questions.root)
    schema.write(folder / "test.jsonl", splits["test"])
    plan, template = Plan(study), TEMPLATES[request.param["template"]]
    texts = [template.text(question) for split in splits.values() for question in split]
    model, tokenizer = base_model.make(study.model, 0, texts)
    (folder / "base").mkdir()
    checkpoints.save(folder / "base", model, tokenizer, {})
    specs = {method: plan.chains[Run("balanced", method, 1)][-1] for method in METHODS}
    found = {
        method: saved(folder / method, spec, model, tokenizer, splits["test"][0])
        for method, spec in specs.items()
    }
    return Trained(plan, splits["test"], folder / "test.jsonl", folder / "base", found)
